import { Link } from "@tanstack/react-router";
import clsx from "clsx";
import { memo } from "react";
import type { TaskRow } from "../../api/types";
import { Ago } from "../../components/ago";
import { Cost } from "../../components/cost";
import { SourceLink } from "../../components/source-link";
import { StateIcon, stateInk, stateLabel } from "../../components/status-badge";
import { Title, Visible } from "../../components/visible";
import { t } from "../../i18n";
import { sourceName } from "../../lib/format";
import { needsYou } from "../../lib/status";
import { shortStatusText } from "../../lib/status-text";

/** One task. The title's link covers the row; what else can be clicked lies above it. */
export const TaskItem = memo(function TaskItem({ task }: { task: TaskRow }) {
  const waiting = needsYou(task) && !task.stopping;
  return (
    <li
      className={clsx(
        "relative flex items-start gap-3 border-b px-3 py-2.5 last:border-b-0 hover:bg-hover has-[a[data-row]:focus-visible]:bg-hover",
        "[contain-intrinsic-size:auto_3.75rem] [content-visibility:auto]",
        "sm:px-4",
      )}
    >
      <span className="mt-0.5">
        <StateIcon task={task} size={16} />
      </span>
      <div className="min-w-0 flex-1">
        <p className="flex items-baseline gap-2">
          <Link
            to="/tasks/$id"
            params={{ id: task.id }}
            data-row
            className="min-w-0 truncate font-medium outline-none after:absolute after:inset-0 focus-visible:after:rounded-md focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
          >
            <Title text={task.title || t("task.untitled")} />
          </Link>
        </p>
        <p className="mt-0.5 flex min-w-0 items-baseline gap-x-1.5 text-mini text-ink-3">
          <span className={clsx("shrink-0 font-medium", task.stopping ? "text-ink-2" : stateInk(task))}>
            {stateLabel(task)}
          </span>
          <span aria-hidden>·</span>
          <span className="truncate">
            <Visible text={shortStatusText(task)} />
          </span>
        </p>
        <p className="mt-0.5 flex min-w-0 flex-wrap items-baseline gap-x-1.5 text-mini text-ink-3 sm:hidden">
          <Origin task={task} />
          <Cost microusd={task.cost_microusd} tokens={task.tokens} />
          <span aria-hidden>·</span>
          <Ago at={task.updated_at} />
        </p>
      </div>
      {waiting && (
        <span
          aria-hidden
          className="mt-0.5 hidden h-7 w-24 shrink-0 items-center justify-center rounded-md border border-need-line bg-need-soft px-2.5 text-mini font-medium text-need sm:inline-flex"
        >
          {task.status === "awaiting-approval" ? t("action.reviewPlan") : t("action.answer")}
        </span>
      )}
      <div className="hidden w-44 min-w-0 shrink-0 flex-col items-end text-mini text-ink-3 sm:flex">
        <span className="flex items-baseline gap-2.5 text-ink-2">
          <Cost microusd={task.cost_microusd} tokens={task.tokens} />
          <Ago at={task.updated_at} className="w-16 text-right text-ink-3" />
        </span>
        <span className="mt-0.5 flex max-w-full items-baseline gap-1.5">
          <Origin task={task} />
        </span>
      </div>
    </li>
  );
});

/** Where the task came from and where it works, as briefly as possible: owner/name#7 says both. */
function Origin({ task: { source, repo } }: { task: TaskRow }) {
  const reference = sourceName(source);
  const name = repo && !reference.includes(repo) ? `${repo} · ${reference}` : reference;
  return (
    <SourceLink
      name={name}
      url={source.url}
      title={t("task.openSource", { source: source.kind })}
      className="relative z-1 inline-flex min-w-0 items-center gap-0.5 hover:text-accent hover:underline"
    />
  );
}
