import { useQuery, useQueryClient } from "@tanstack/react-query";
import clsx from "clsx";
import { useMemo, useState } from "react";
import { timelineQuery } from "../../api/queries";
import type { TaskDetail, TimelineItem } from "../../api/types";
import { Command, CopyButton } from "../../components/copy";
import { EmptyState } from "../../components/empty-state";
import { Spinner } from "../../components/spinner";
import { Visible } from "../../components/visible";
import { t } from "../../i18n/task";
import { absolute, clock, duration } from "../../lib/format";
import { useLive } from "../../live/provider";

const LONG_GAP_MS = 60_000;

const DOT: Record<string, string> = {
  failed: "bg-bad",
  rejected: "bg-bad",
  "plan-ready": "bg-need-dot",
  "question-asked": "bg-need-dot",
  approved: "bg-good",
  completed: "bg-good",
  "in-review": "bg-good",
  "checks-passed": "bg-good",
  "person-needed": "bg-need-dot",
  reverted: "bg-bad",
  succeeded: "bg-good",
  "run-succeeded": "bg-good",
  posted: "bg-good",
  "follow-up-refused": "bg-bad",
  "followed-up": "bg-accent",
  "publication-requested": "bg-accent",
  committed: "bg-accent",
  reopened: "bg-need-dot",
};

/** Every event of the task's actors, with the two commands that show the same story in a terminal. */
export function TimelinePanel({ task }: { task: TaskDetail }) {
  const { refresher } = useLive();
  const queries = useQueryClient();
  const query = useQuery(timelineQuery(refresher, queries, task.id));
  const items = query.data?.items ?? [];
  const kinds = useMemo(() => [...new Set(items.map((item) => item.kind))].sort(), [items]);
  const [kind, setKind] = useState("");
  const shown = kind ? items.filter((item) => item.kind === kind) : items;

  if (query.isPending)
    return (
      <p className="flex items-center gap-2 p-6 text-ink-3">
        <Spinner /> {t("timeline.loading")}
      </p>
    );
  if (query.isError && items.length === 0)
    return (
      <EmptyState title={t("timeline.failed")}>
        <p role="alert">{query.error.message}</p>
      </EmptyState>
    );
  return (
    <div className="mx-auto max-w-4xl px-3 py-4 sm:px-6">
      <div className="mb-4 grid gap-2 sm:grid-cols-2">
        <Command text={`journeyman events --task ${task.id}`} />
        <Command text={`nats sub 'evt.*.${task.id}.>'`} />
      </div>
      <fieldset className="mb-2 flex flex-wrap items-center gap-1.5">
        <legend className="sr-only">{t("timeline.filter")}</legend>
        {["", ...kinds].map((each) => (
          <button
            key={each}
            type="button"
            aria-pressed={kind === each}
            onClick={() => setKind(each)}
            className="h-6 rounded-md border border-line-strong bg-panel px-2 text-mini font-medium text-ink-2 hover:bg-hover aria-pressed:border-accent aria-pressed:bg-accent-soft aria-pressed:text-accent"
          >
            {each || t("timeline.all")}
          </button>
        ))}
        <span className="text-mini text-ink-3">
          {kind
            ? t("timeline.countOf", { n: shown.length, of: items.length })
            : t("timeline.count", { n: items.length })}
        </span>
      </fieldset>
      <ol className="rounded-lg border bg-panel">
        {shown.map((item, index) => (
          <EventRow key={item.seq} item={item} before={shown[index - 1]} />
        ))}
      </ol>
    </div>
  );
}

function EventRow({ item, before }: { item: TimelineItem; before: TimelineItem | undefined }) {
  const [open, setOpen] = useState(false);
  // An event whose envelope cannot be read has no time.
  const at = item.time ? Date.parse(item.time) : null;
  const gap = at && before?.time ? at - Date.parse(before.time) : 0;
  return (
    <li className="border-b [contain-intrinsic-size:auto_2.5rem] [content-visibility:auto] last:border-b-0">
      {gap >= LONG_GAP_MS && (
        <p className="border-b bg-sunken px-3 py-1 text-center text-mini text-ink-3">
          {t("timeline.gap", { duration: duration(gap) })}
        </p>
      )}
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="grid w-full grid-cols-[auto_1fr_auto] items-baseline gap-x-3 px-3 py-2 text-left hover:bg-hover sm:grid-cols-[4rem_13.5rem_1fr_auto]"
      >
        {at ? (
          <time
            dateTime={new Date(at).toISOString()}
            title={absolute(at)}
            className="text-mini text-ink-3 tabular-nums"
          >
            {clock(at)}
          </time>
        ) : (
          <span className="text-mini text-ink-3">–</span>
        )}
        <span className="flex min-w-0 items-baseline gap-2">
          <span
            aria-hidden
            className={clsx(
              "size-1.5 shrink-0 -translate-y-px rounded-full",
              DOT[item.event] ?? "bg-line-strong",
            )}
          />
          <span className="truncate font-mono text-mini">
            <span className="text-ink-3">{item.kind}.</span>
            {item.event}
          </span>
        </span>
        <span className="min-w-0 truncate text-ink-2 max-sm:order-last max-sm:col-span-3">
          <Visible text={item.summary} />
        </span>
        <span className="text-mini whitespace-nowrap text-ink-3 tabular-nums">
          <span className="max-md:hidden">
            <Visible text={item.principal} />
          </span>
          <span className="ml-3 inline-block min-w-10 text-right" title={t("timeline.seq")}>
            #{item.seq}
          </span>
        </span>
      </button>
      {open && (
        <div className="relative border-t bg-sunken px-3 py-2">
          <p className="mb-1 text-mini text-ink-3">
            {t("timeline.detail", { principal: item.principal, version: item.version, seq: item.seq })}
          </p>
          <pre
            tabIndex={0}
            className="max-h-96 overflow-auto pr-7 font-mono text-mini leading-5 wrap-anywhere whitespace-pre-wrap"
          >
            <Visible text={JSON.stringify(item.data, null, 2)} />
          </pre>
          <CopyButton
            text={JSON.stringify(item, null, 2)}
            label={t("copy.event")}
            className="absolute top-1.5 right-1.5"
          />
        </div>
      )}
    </li>
  );
}
