import clsx from "clsx";
import {
  Ban,
  Brain,
  ChevronRight,
  CircleAlert,
  CircleCheck,
  CircleX,
  Files,
  Info,
  TriangleAlert,
  UserRound,
} from "lucide-react";
import { memo, type ReactNode } from "react";
import { Markdown } from "../../../components/markdown";
import { Visible } from "../../../components/visible";
import { type Key, t } from "../../../i18n/task";
import { absolute, clock, clockMinutes, duration } from "../../../lib/format";
import { attemptName, problemsOf, type Stop, stopAt } from "../../../transcript/endings";
import type {
  AttemptEntry,
  NoticeEntry,
  PhaseEntry,
  ResultEntry,
  Row,
  SaidEntry,
  TextEntry,
} from "../../../transcript/entries";
import { ToolCard } from "./tool-card";

export interface RowContext {
  cwd: string;
  /** Whether the agent may still be at work; else what looks running was cut off. */
  live: boolean;
  toggled: ReadonlySet<string>;
  toggle: (key: string) => void;
  /** The key of the entry that holds the current match. */
  current: string;
  /** Who had the agent stopped, with which words and when (milliseconds since 1970). */
  stops: readonly Stop[];
}

/** One row of the conversation: a quiet time on the left, what happened on the right. */
export function LogRow({ row, context }: { row: Row; context: RowContext }) {
  const at = row.kind === "group" ? (row.tools[0]?.at ?? null) : row.at;
  const nested = row.kind === "group" ? row.tools[0]?.parent !== "" : row.parent !== "";
  const timed = row.kind === "tool" || row.kind === "group" || row.kind === "text" || row.kind === "said";
  return (
    <div
      className={clsx(
        "mx-auto flex max-w-5xl gap-3 px-3 sm:px-6",
        row.kind === "phase" || row.kind === "attempt" ? "pt-5 pb-2" : row.kind === "text" ? "py-2" : "py-1",
      )}
    >
      <span
        className={clsx(
          "hidden w-14 shrink-0 text-right text-[0.6875rem] leading-5 text-ink-3 tabular-nums select-none sm:block",
          row.kind === "text" ? "pt-0.5" : "pt-1.5",
        )}
      >
        {timed && at !== null && clock(at)}
      </span>
      <div
        className={clsx(
          "min-w-0 flex-1 rounded-md",
          nested && "border-l-2 border-line-strong pl-4",
          row.key === context.current && "outline-2 outline-offset-2 outline-need-dot",
        )}
      >
        <Content row={row} context={context} />
      </div>
    </div>
  );
}

function Content({ row, context }: { row: Row; context: RowContext }): ReactNode {
  const open = context.toggled.has(`open:${row.key}`);
  const toggle = () => context.toggle(`open:${row.key}`);
  switch (row.kind) {
    case "phase":
      return <Phase entry={row} />;
    case "text":
      return <Text entry={row} live={context.live} />;
    case "thinking":
      return <Thinking entry={row} open={open} toggle={toggle} />;
    case "tool":
      return (
        <ToolCard
          tool={row}
          cwd={context.cwd}
          live={context.live}
          opened={open}
          closed={context.toggled.has(`closed:${row.key}`)}
          all={context.toggled.has(`all:${row.key}`) || row.key === context.current}
          toggle={context.toggle}
        />
      );
    case "group":
      return (
        <button
          type="button"
          onClick={() => context.toggle(row.key)}
          className="flex h-8 w-full items-center gap-2 rounded-md px-2 text-left text-ink-2 hover:bg-hover"
        >
          <Files size={14} aria-hidden className="shrink-0 text-ink-3" />
          <span className="shrink-0 font-medium">{t("group.lookups", { n: row.tools.length })}</span>
          <span className="min-w-0 truncate font-mono text-mini text-ink-3">
            <Visible
              text={row.tools
                .map((tool) => lastPart(tool.input))
                .filter(Boolean)
                .join(", ")}
            />
          </span>
          <ChevronRight size={14} aria-hidden className="ml-auto shrink-0 text-ink-3" />
        </button>
      );
    case "said":
      return <Said entry={row} open={open} toggle={toggle} />;
    case "notice":
      return <Notice entry={row} />;
    case "result":
      return <Result entry={row} stops={context.stops} />;
    case "attempt":
      return <Attempt entry={row} />;
  }
}

const lastPart = (input: Record<string, unknown>): string => {
  const value = input.file_path ?? input.pattern ?? input.path;
  return typeof value === "string" ? (value.split("/").at(-1) ?? value) : "";
};

/** Where an attempt begins, and by whom it was taken up. */
const Attempt = memo(function Attempt({ entry }: { entry: AttemptEntry }) {
  return (
    <div className="flex flex-wrap items-baseline gap-x-3 border-t-2 border-line-strong pt-3 text-mini text-ink-3">
      <h3 className="text-ui font-semibold text-ink">{attemptName(entry)}</h3>
      {entry.at !== null && (
        <time dateTime={new Date(entry.at).toISOString()} title={absolute(entry.at)} className="tabular-nums">
          {t("attempt.started", { at: clock(entry.at) })}
        </time>
      )}
      {entry.worker && (
        <span className="min-w-0 break-words">
          <Visible text={t("attempt.by", { worker: entry.worker })} />
        </span>
      )}
    </div>
  );
});

const Phase = memo(function Phase({ entry }: { entry: PhaseEntry }) {
  return (
    <div className="flex items-baseline gap-3 text-mini text-ink-3">
      <h3 className="text-ui font-semibold text-ink">{t(`actor.${entry.actor}` as Key)}</h3>
      <span className="min-w-0 truncate">
        {entry.model}
        {entry.version && ` · Claude Code ${entry.version}`}
      </span>
      <span aria-hidden className="h-px flex-1 self-center bg-line" />
    </div>
  );
});

const Text = memo(function Text({ entry, live }: { entry: TextEntry; live: boolean }) {
  return (
    <div className="px-2">
      <Markdown text={entry.text} />
      {entry.streaming && live && (
        <span
          aria-hidden
          className="inline-block h-4 w-1.5 animate-pulse rounded-sm bg-accent align-text-bottom"
        />
      )}
    </div>
  );
});

function Thinking({ entry, open, toggle }: { entry: TextEntry; open: boolean; toggle: () => void }) {
  return (
    <div className="px-2">
      <button
        type="button"
        aria-expanded={open}
        onClick={toggle}
        className="flex w-full items-center gap-2 text-left text-mini text-ink-3 hover:text-ink-2"
      >
        <Brain size={13} aria-hidden className="shrink-0" />
        <span className="shrink-0 font-medium">{t("entry.thinking")}</span>
        {!open && (
          <span className="min-w-0 truncate">
            <Visible text={entry.text.split("\n", 1)[0] ?? ""} />
          </span>
        )}
      </button>
      {open && (
        <p className="mt-1 border-l-2 border-line pl-3 text-ink-2 break-words whitespace-pre-wrap">
          <Visible text={entry.text} />
        </p>
      )}
    </div>
  );
}

function Said({ entry, open, toggle }: { entry: SaidEntry; open: boolean; toggle: () => void }) {
  if (!entry.prompt)
    return (
      <div className="flex gap-2.5 rounded-md bg-accent-soft px-3 py-2">
        <UserRound size={14} aria-hidden className="mt-0.5 shrink-0 text-accent" />
        <p className="min-w-0 break-words whitespace-pre-wrap">
          <span className="sr-only">{t("entry.said")} </span>
          <Visible text={entry.text} />
        </p>
      </div>
    );
  return (
    <div className="px-2">
      <button
        type="button"
        aria-expanded={open}
        onClick={toggle}
        className="flex w-full items-center gap-2 text-left text-mini text-ink-3 hover:text-ink-2"
      >
        <ChevronRight size={13} aria-hidden className={clsx("shrink-0", open && "rotate-90")} />
        <span className="shrink-0 font-medium">{t("entry.prompt")}</span>
        {!open && (
          <span className="min-w-0 truncate">
            <Visible text={entry.text.split("\n", 1)[0] ?? ""} />
          </span>
        )}
      </button>
      {open && (
        <p className="mt-1 border-l-2 border-line pl-3 text-ink-2 break-words whitespace-pre-wrap">
          <Visible text={entry.text} />
        </p>
      )}
    </div>
  );
}

function noticeText({ what }: NoticeEntry): string {
  switch (what.is) {
    case "retry": {
      const vars = { attempt: what.attempt, max: what.max, delay: duration(what.delayMs) };
      return what.status === null
        ? t("notice.retryNoAnswer", vars)
        : t("notice.retry", { ...vars, status: what.status, error: what.error });
    }
    case "denied":
      return t("notice.denied", { tool: what.tool, message: what.message });
    case "fallback":
      return t("notice.fallback", { from: what.from, to: what.to });
    case "limit":
      if (what.status !== "rejected") return t("notice.limitNear");
      return what.resetsAt ? t("notice.limitUntil", { at: clockMinutes(what.resetsAt) }) : t("notice.limit");
    case "cli":
      return what.text;
  }
}

const Notice = memo(function Notice({ entry }: { entry: NoticeEntry }) {
  const Icon = entry.tone === "error" ? CircleAlert : entry.tone === "warn" ? TriangleAlert : Info;
  const ink = entry.tone === "error" ? "text-bad" : entry.tone === "warn" ? "text-need" : "text-ink-3";
  return (
    <p className={clsx("flex gap-2 px-2 text-mini", ink)}>
      <Icon size={13} aria-hidden className="mt-0.5 shrink-0" />
      <span className="min-w-0 break-words whitespace-pre-wrap">
        <Visible text={noticeText(entry)} />
      </span>
    </p>
  );
});

const Result = memo(function Result({ entry, stops }: { entry: ResultEntry; stops: readonly Stop[] }) {
  const vars = { n: entry.turns, duration: duration(entry.durationMs) };
  if (entry.ok)
    return (
      <p className="flex items-center gap-2 px-2 py-1 text-mini text-ink-3">
        <CircleCheck size={13} aria-hidden className="text-good" />
        {t("entry.done", vars)}
      </p>
    );
  if (entry.stopped)
    return (
      <p className="flex gap-2 px-2 py-1 text-ink-2">
        <Ban size={14} aria-hidden className="mt-0.5 shrink-0 text-ink-3" />
        <span className="min-w-0 break-words whitespace-pre-wrap">
          <Visible text={stopAt(stops, entry.at) || t("entry.interrupted")} />{" "}
          <span className="text-mini text-ink-3">{t("entry.after", vars)}</span>
        </span>
      </p>
    );
  const [problem = "", ...more] = problemsOf(entry);
  return (
    <div className="flex gap-2.5 rounded-md border border-bad-line bg-bad-soft px-3 py-2">
      <CircleX size={15} aria-hidden className="mt-0.5 shrink-0 text-bad" />
      <div className="min-w-0">
        <p className="font-medium break-words text-bad">
          <Visible text={t("entry.endedBadly", { ...vars, problem })} />
        </p>
        {more.length > 0 && (
          <p className="mt-0.5 break-words whitespace-pre-wrap text-ink">
            <Visible text={more.join("\n")} />
          </p>
        )}
      </div>
    </div>
  );
});
