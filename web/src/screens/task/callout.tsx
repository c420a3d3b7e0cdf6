import clsx from "clsx";
import { type ReactNode, useId } from "react";
import { Visible } from "../../components/visible";

type Tone = "need" | "bad" | "plain";

const BOX: Record<Tone, string> = {
  need: "border-need-line bg-need-soft",
  bad: "border-bad-line bg-bad-soft",
  plain: "border-line bg-panel",
};
const INK: Record<Tone, string> = { need: "text-need", bad: "text-bad", plain: "text-ink-2" };

/** A box above the tabs. */
export function Callout({
  tone,
  icon,
  title,
  children,
}: {
  tone: Tone;
  icon: ReactNode;
  title: string;
  children: ReactNode;
}) {
  const heading = useId();
  return (
    <section
      aria-labelledby={heading}
      className={clsx(
        "mx-3 mb-3 flex max-h-[45dvh] gap-3 overflow-y-auto rounded-lg border px-4 py-3 sm:mx-6",
        BOX[tone],
      )}
    >
      <span className={clsx("mt-0.5 shrink-0", INK[tone])}>{icon}</span>
      <div className="min-w-0 flex-1">
        <h2 id={heading} className={clsx("font-semibold", INK[tone])}>
          <Visible text={title} />
        </h2>
        {children}
      </div>
    </section>
  );
}
