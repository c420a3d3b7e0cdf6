import Anser from "anser";
import { Fragment, memo, type ReactNode } from "react";
import { t } from "../i18n";
import { type Stretch, terminal } from "../lib/terminal";
import { visible } from "../lib/visible";
import { Visible } from "./visible";

/**
 * Terminal text: colours become class names, links of the web are links, of a line that was written over its last version
 * is shown. What else cannot be seen in it has a mark.
 */
export const Ansi = memo(function Ansi({ text }: { text: string }): ReactNode {
  if (!/[\u001b\r]/.test(text)) return <Visible text={text} />;
  return terminal(text).map((stretch, index) => <Fragment key={index}>{shown(stretch)}</Fragment>);
});

function shown({ text, href, over }: Stretch): ReactNode {
  const parts = Anser.ansiToJson(text, { use_classes: true, remove_empty: true }).map((part, index) => (
    <span
      key={index}
      className={[part.fg && `${part.fg}-fg`, ...part.decorations.map((each) => `ansi-${each}`)]
        .filter(Boolean)
        .join(" ")}
    >
      <Visible text={part.content} />
    </span>
  ));
  return (
    <>
      {href ? (
        <a href={href} title={visible(href)} target="_blank" rel="noreferrer noopener" className="underline">
          {parts}
        </a>
      ) : (
        parts
      )}
      {over > 0 && <span className="hidden-mark">{t("ansi.writtenOver", { n: over })}</span>}
    </>
  );
}
