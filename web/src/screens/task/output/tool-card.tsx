import clsx from "clsx";
import { Ban, Check, ChevronRight, CircleX, Square } from "lucide-react";
import { memo, type ReactNode } from "react";
import { Ansi } from "../../../components/ansi";
import { CopyButton } from "../../../components/copy";
import { Elapsed } from "../../../components/elapsed";
import { Spinner } from "../../../components/spinner";
import { Visible } from "../../../components/visible";
import { t } from "../../../i18n/task";
import { duration } from "../../../lib/format";
import type { ToolEntry, ToolState } from "../../../transcript/entries";
import { type Asked, askedOf, type EditLine, editOf, targetOf, verbOf } from "../../../transcript/tools";

/** Lines of output shown under a closed and under an open card. */
export const PREVIEW_LINES = 4;
/** A command that is shorter than this can be read in the card's header. */
const FITS_HEADER_CHARS = 40;
export const OPEN_LINES = 24;
/** Even "show all" has an end: the rest is in the download. */
const MOST_LINES = 2_000;
const MOST_CHARS = 200_000;

interface Props {
  tool: ToolEntry;
  cwd: string;
  live: boolean;
  opened: boolean;
  closed: boolean;
  all: boolean;
  toggle: (key: string) => void;
}

/** What the agent did: verb, target, state and time in one line; input and output below, no more than is asked for. */
export const ToolCard = memo(function ToolCard({ tool, cwd, live, opened, closed, all, toggle }: Props) {
  const running = tool.state === "running" || tool.state === "preparing";
  const state: ToolState = running && !live ? "interrupted" : tool.state;
  const failed = state === "error" || state === "denied";
  // A failure is open until somebody closes it; anything else is closed until somebody opens it.
  const expanded = failed ? !closed : opened;
  const showAll = () => toggle(`all:${tool.key}`);
  return (
    <div className={clsx("overflow-hidden rounded-md border bg-panel", failed && "border-bad-line")}>
      <button
        type="button"
        aria-expanded={expanded}
        onClick={() => toggle(`${failed ? "closed" : "open"}:${tool.key}`)}
        className="flex min-h-8 w-full items-center gap-2 px-2 py-1 text-left hover:bg-hover"
      >
        <ChevronRight
          size={13}
          aria-hidden
          className={clsx("shrink-0 text-ink-3 transition-transform", expanded && "rotate-90")}
        />
        <span className="shrink-0 font-medium">
          <Visible text={verbOf(tool)} />
        </span>
        <code className="min-w-0 flex-1 truncate font-mono text-mini text-ink-2">
          <Visible text={targetOf(tool, cwd)} />
        </code>
        <State state={state} tool={tool} />
      </button>
      <Body tool={tool} expanded={expanded} failed={failed} all={all} showAll={showAll} />
    </div>
  );
});

function State({ state, tool }: { state: ToolState; tool: ToolEntry }) {
  const took = tool.at !== null && tool.endedAt !== null ? duration(tool.endedAt - tool.at) : "";
  const look = "flex shrink-0 items-center gap-1.5 text-mini tabular-nums";
  switch (state) {
    case "preparing":
    case "running":
      // Nothing runs while a person is asked.
      if (askedOf(tool))
        return <span className={clsx(look, "font-medium text-need")}>{t("tool.waiting")}</span>;
      return (
        <span className={clsx(look, "text-accent")}>
          {tool.at !== null && <Elapsed since={tool.at} />}
          <Spinner />
          <span className="sr-only">{t("tool.running")}</span>
        </span>
      );
    case "ok":
      return (
        <span className={clsx(look, "text-ink-3")}>
          {took}
          <Check size={14} className="text-good" role="img" aria-label={t("tool.ok")} />
        </span>
      );
    case "error":
      return (
        <span className={clsx(look, "font-medium text-bad")}>
          {exitCode(tool.output) ?? t("tool.failed")} {took && <span className="font-normal">{took}</span>}
          <CircleX size={14} aria-hidden />
        </span>
      );
    case "denied":
      return (
        <span className={clsx(look, "font-medium text-bad")}>
          {t("tool.denied")}
          <Ban size={14} aria-hidden />
        </span>
      );
    case "interrupted":
      return (
        <span className={clsx(look, "text-ink-3")}>
          {t("tool.interrupted")}
          <Square size={12} aria-hidden />
        </span>
      );
  }
}

const exitCode = (output: string): string | null => {
  const code = /^Exit code (\d+)/.exec(output)?.[1];
  return code ? t("checks.exit", { code }) : null;
};

function Body({
  tool,
  expanded,
  failed,
  all,
  showAll,
}: {
  tool: ToolEntry;
  expanded: boolean;
  failed: boolean;
  all: boolean;
  showAll: () => void;
}): ReactNode {
  const asked = askedOf(tool);
  if (asked) return <AskedBlock asked={asked} answer={tool.output} />;
  const edit = editOf(tool);
  if (edit) {
    const preview = expanded ? OPEN_LINES : PREVIEW_LINES;
    return (
      <>
        {edit.length > 0 && (
          <EditBlock lines={edit} limit={all ? MOST_LINES : preview} showAll={showAll} expanded={expanded} />
        )}
        {failed && (
          <OutputBlock text={tool.output} limit={all ? MOST_LINES : OPEN_LINES} showAll={showAll} bad />
        )}
      </>
    );
  }
  if (!expanded) {
    // A command's last words are worth a glance; what was merely read is not.
    if (tool.name !== "Bash" || !tool.output.trim()) return null;
    return <OutputBlock text={tool.output} limit={PREVIEW_LINES} showAll={null} />;
  }
  const input = inputText(tool);
  return (
    <>
      {input && <OutputBlock text={input} limit={all ? MOST_LINES : OPEN_LINES} showAll={showAll} input />}
      {tool.output.trim() ? (
        <OutputBlock
          text={tool.output}
          limit={all ? MOST_LINES : OPEN_LINES}
          showAll={showAll}
          bad={failed}
        />
      ) : (
        tool.endedAt !== null && (
          <p className="border-t px-3 py-1.5 text-mini text-ink-3">{t("tool.noOutput")}</p>
        )
      )}
    </>
  );
}

function AskedBlock({ asked, answer }: { asked: Asked[]; answer: string }) {
  return (
    <div className="space-y-1.5 border-t bg-sunken px-3 py-2">
      {asked.map(({ question, options }) => (
        <div key={question}>
          <p className="break-words whitespace-pre-wrap">
            <Visible text={question} />
          </p>
          {options.length > 0 && (
            <ul className="mt-1 flex flex-wrap gap-1.5">
              {options.map((option) => (
                <li key={option} className="rounded border border-line-strong px-1.5 text-mini text-ink-2">
                  <Visible text={option} />
                </li>
              ))}
            </ul>
          )}
        </div>
      ))}
      {answer.trim() && (
        <p className="text-mini break-words whitespace-pre-wrap text-ink-2">
          <span className="font-medium">{t("tool.answered")}: </span>
          <Visible text={answer} />
        </p>
      )}
    </div>
  );
}

function inputText(tool: ToolEntry): string {
  if (tool.name === "Bash") {
    const command = typeof tool.input.command === "string" ? tool.input.command : "";
    return command.length > FITS_HEADER_CHARS || command.includes("\n") ? `$ ${command}` : "";
  }
  const keys = Object.keys(tool.input);
  if (keys.length === 0 || (keys.length === 1 && typeof tool.input.file_path === "string")) return "";
  return JSON.stringify(tool.input, null, 2);
}

function Cut({ hidden, showAll }: { hidden: number; showAll: (() => void) | null }) {
  if (hidden <= 0) return null;
  if (!showAll) return <p className="px-3 pb-1.5 text-mini text-ink-3">{t("tool.more", { n: hidden })}</p>;
  return (
    <button
      type="button"
      onClick={showAll}
      className="w-full border-t px-3 py-1 text-left text-mini font-medium text-accent hover:bg-hover"
    >
      {t("tool.showAll", { n: hidden })}
    </button>
  );
}

function OutputBlock({
  text,
  limit,
  showAll,
  bad,
  input,
}: {
  text: string;
  limit: number;
  showAll: (() => void) | null;
  bad?: boolean;
  input?: boolean;
}) {
  const lines = text.slice(0, MOST_CHARS).trimEnd().split("\n");
  const tail = showAll === null;
  const shown = tail ? lines.slice(-limit) : lines.slice(0, limit);
  return (
    <div className={clsx("group/out relative border-t", bad ? "bg-bad-soft" : "bg-sunken")}>
      <pre
        className={clsx(
          "overflow-x-auto py-1.5 pl-3 font-mono text-mini leading-5 wrap-anywhere whitespace-pre-wrap",
          // The button of the whole has a column of its own.
          tail ? "pr-3" : "pr-9",
          input && "text-ink-2",
        )}
      >
        {input ? <Visible text={shown.join("\n")} /> : <Ansi text={shown.join("\n")} />}
      </pre>
      <Cut hidden={lines.length - shown.length} showAll={showAll} />
      {!tail && (
        <CopyButton
          text={text}
          label={input ? t("copy.input") : t("copy.output")}
          className="absolute top-1 right-1 opacity-0 group-hover/out:opacity-100 focus-visible:opacity-100"
        />
      )}
    </div>
  );
}

const EDIT_LOOK: Record<EditLine["sign"], string> = {
  "+": "bg-good-soft text-ink",
  "-": "bg-bad-soft text-ink",
  " ": "text-ink-3",
};

function EditBlock({
  lines,
  limit,
  showAll,
  expanded,
}: {
  lines: EditLine[];
  limit: number;
  showAll: () => void;
  expanded: boolean;
}) {
  const changes = expanded ? lines : lines.filter((line) => line.sign !== " ");
  const shown = changes.slice(0, limit);
  return (
    <div className="border-t">
      <pre className="overflow-x-auto py-1 font-mono text-mini leading-5">
        {shown.map((line, index) => (
          <span
            key={index}
            className={clsx("block px-3 break-words whitespace-pre-wrap", EDIT_LOOK[line.sign])}
          >
            <span className="text-ink-3 select-none">{line.sign} </span>
            <Visible text={line.text} />
          </span>
        ))}
      </pre>
      <Cut hidden={changes.length - shown.length} showAll={expanded ? showAll : null} />
    </div>
  );
}
