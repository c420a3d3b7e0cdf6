import { TriangleAlert } from "lucide-react";
import { Fragment, memo, type ReactNode } from "react";
import { t } from "../i18n";
import { nameOf, partsOf } from "../lib/visible";

/** A hidden character, shown by its name. */
export function HiddenMark({ code }: { code: number }) {
  return (
    <span className="hidden-mark" title={t("hidden.mark")}>
      {nameOf(code)}
    </span>
  );
}

/** What others wrote, with a mark for each hidden character. */
export const Visible = memo(function Visible({ text }: { text: string }): ReactNode {
  const parts = partsOf(text);
  if (parts.length === 1 && typeof parts[0] === "string") return parts[0];
  return parts.map((part, index) =>
    typeof part === "string" ? (
      <Fragment key={index}>{part}</Fragment>
    ) : (
      <HiddenMark key={index} code={part} />
    ),
  );
});

/** A title of others: whatever it holds, its direction ends where it ends. */
export const Title = ({ text }: { text: string }) => (
  <bdi>
    <Visible text={text} />
  </bdi>
);

const MOST_NAMES = 6;

/** Says before the text that it holds hidden characters; nothing when it holds none. */
export function HiddenWarning({
  what,
  found,
  children,
}: {
  what: "diff" | "plan" | "text";
  found: ReadonlyMap<number, number>;
  children?: ReactNode;
}) {
  const n = [...found.values()].reduce((sum, each) => sum + each, 0);
  if (n === 0) return null;
  const names = [...found.keys()].slice(0, MOST_NAMES).map(nameOf).join(", ");
  return (
    <div
      role="note"
      className="mb-3 flex gap-2.5 rounded-md border border-need-line bg-need-soft px-3 py-2 text-ui leading-5 text-need"
    >
      <TriangleAlert size={15} aria-hidden className="mt-0.5 shrink-0" />
      <div className="min-w-0">
        <strong className="font-semibold">{t(`hidden.${what}`, { n })}</strong>{" "}
        {t("hidden.why", { names: found.size > MOST_NAMES ? `${names}, …` : names })}
        {children}
      </div>
    </div>
  );
}
