import clsx from "clsx";
import { memo } from "react";
import type { OutputLine } from "../../../api/types";
import { CopyButton } from "../../../components/copy";
import { Visible } from "../../../components/visible";
import { t } from "../../../i18n/task";

const SHOWN_CHARS = 400;

const typeOf = ({ line }: OutputLine): string => {
  const inner = line.type === "stream_event" ? (line.event as { type?: unknown } | null)?.type : line.subtype;
  return [line.type, inner].filter((each) => typeof each === "string").join("/");
};

/** One line as it was written, cut for the eye; a click shows all of it. */
export const RawLine = memo(function RawLine({
  line,
  open,
  toggle,
}: {
  line: OutputLine;
  open: boolean;
  toggle: (key: string) => void;
}) {
  const text = JSON.stringify(line.line, null, open ? 2 : undefined);
  return (
    <div
      className={clsx(
        "relative border-b border-transparent px-3 font-mono text-mini leading-6 sm:px-6",
        open && "bg-sunken",
      )}
    >
      <button
        type="button"
        aria-expanded={open}
        onClick={() => toggle(`raw:${line.seq}`)}
        className="flex w-full items-baseline gap-3 text-left hover:bg-hover"
      >
        <span className="w-14 shrink-0 text-right text-ink-3 tabular-nums">{line.seq}</span>
        <span className="w-8 shrink-0 text-ink-3">{line.actor}</span>
        <span className="w-40 shrink-0 truncate text-accent max-sm:w-24">{typeOf(line)}</span>
        {!open && (
          <span className="min-w-0 flex-1 truncate text-ink-2">
            <Visible text={text.slice(0, SHOWN_CHARS)} />
          </span>
        )}
      </button>
      {open && (
        <>
          <pre className="pb-2 pl-16 leading-5 break-all whitespace-pre-wrap">
            <Visible text={text} />
          </pre>
          <CopyButton text={text} label={t("copy.line")} className="absolute top-0 right-3" />
        </>
      )}
    </div>
  );
});
