import Anser from "anser";
import { memo } from "react";

/** Terminal text: colours become class names, every other control sequence disappears. */
export const Ansi = memo(function Ansi({ text }: { text: string }) {
  if (!text.includes("\u001b")) return text;
  // Moving the cursor makes no sense in a log; only colour sequences (…m) are kept.
  const coloured = text.replace(/\u001b\[[0-9;?]*[A-HJKSTfhlnsu]/g, "");
  return Anser.ansiToJson(coloured, { use_classes: true, remove_empty: true }).map((part, index) => {
    const names = [part.fg && `${part.fg}-fg`, ...part.decorations.map((each) => `ansi-${each}`)];
    return (
      <span key={index} className={names.filter(Boolean).join(" ")}>
        {part.content}
      </span>
    );
  });
});
