import { t } from "../i18n";
import { Command } from "./copy";
import { Button } from "./ui/button";

/** A secret that was made a moment ago: nobody can show it a second time. `seen` takes it off the page. */
export function ShownOnce({
  title,
  text,
  secret,
  seen,
}: {
  title: string;
  text: string;
  secret: string;
  seen: () => void;
}) {
  return (
    <section
      role="status"
      aria-label={title}
      className="mb-4 rounded-lg border border-need-line bg-need-soft p-4 text-need"
    >
      <h2 className="font-semibold">{title}</h2>
      <p className="mt-1 mb-2">{text}</p>
      <div className="text-ink">
        <Command text={secret} />
      </div>
      <Button className="mt-3" onClick={seen}>
        {t("shownOnce.seen")}
      </Button>
    </section>
  );
}
