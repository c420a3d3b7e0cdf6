import { Link } from "@tanstack/react-router";
import { ChevronRight, MessageSquarePlus, Square } from "lucide-react";
import { useState } from "react";
import type { TaskDetail } from "../../api/types";
import { CopyButton } from "../../components/copy";
import { Cost } from "../../components/cost";
import { Elapsed } from "../../components/elapsed";
import { StatusBadge } from "../../components/status-badge";
import { Button } from "../../components/ui/button";
import { Confirm } from "../../components/ui/dialog";
import { Field, Input } from "../../components/ui/field";
import { Title, Visible } from "../../components/visible";
import { t } from "../../i18n/task";
import { isAllowed } from "../../lib/actions";
import { shortId } from "../../lib/format";
import { keptOf } from "../../lib/proof";
import { isOver } from "../../lib/status";
import { longStatusText } from "../../lib/status-text";
import { visible } from "../../lib/visible";
import { useCommand } from "./command";
import { Retry } from "./retry";

export function Header({ task, turns }: { task: TaskDetail; turns: number }) {
  const exact = task.usage.every((each) => each.priced);
  const running = task.status === "executing" && task.run?.started_at && !task.run.finished_at;
  return (
    <div className="shrink-0 px-3 pt-3 pb-3 sm:px-6">
      <div className="flex h-8 items-center justify-between gap-3">
        <nav aria-label={t("nav.breadcrumb")} className="flex items-center gap-1 text-mini text-ink-3">
          <Link to="/" className="rounded hover:text-ink hover:underline">
            {t("nav.tasks")}
          </Link>
          <ChevronRight size={12} aria-hidden />
          <span className="font-mono" title={task.id}>
            …{shortId(task.id)}
          </span>
          <CopyButton text={task.id} label={t("task.copyId")} />
        </nav>
        <Actions task={task} />
      </div>
      <h1
        title={visible(task.title)}
        className="mt-1 line-clamp-2 max-w-5xl text-lg leading-6 font-semibold tracking-tight break-words"
      >
        <Title text={task.title || t("task.untitled")} />
      </h1>
      <div className="mt-2 flex flex-wrap items-center gap-x-3 gap-y-1 text-ink-2">
        <StatusBadge task={task} />
        <p className="min-w-0 max-sm:order-last max-sm:basis-full">
          <Visible text={longStatusText(task, turns)} />
        </p>
        <p className="flex items-center gap-3 text-ink-3">
          {running && task.run?.started_at && (
            <span title={t("task.runningFor")}>
              <Elapsed since={Date.parse(task.run.started_at)} />
            </span>
          )}
          <span className="font-medium text-ink-2">
            <Cost microusd={task.cost_microusd} tokens={task.tokens} exact={exact} />
          </span>
        </p>
      </div>
    </div>
  );
}

/** The actions that the answer allows; in the header one that is not allowed would never be looked for. */
function Actions({ task }: { task: TaskDetail }) {
  return (
    <div className="flex items-center gap-2">
      {isAllowed(task, "stop") && <Stop task={task} />}
      {isOver(task.status) && isAllowed(task, "follow-up") && (
        <Link
          to="/tasks/$id"
          params={{ id: task.id }}
          search={{ tab: "output" }}
          replace
          className="inline-flex h-8 shrink-0 items-center gap-1.5 rounded-md border border-line-strong bg-panel px-3 font-medium hover:bg-hover"
        >
          <MessageSquarePlus size={14} aria-hidden />
          {t("followUp.open")}
        </Link>
      )}
      {isAllowed(task, "retry") && !keptOf(task) && <Retry task={task} />}
    </div>
  );
}

function Stop({ task }: { task: TaskDetail }) {
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState("");
  const stop = useCommand(task.id);
  const send = () =>
    stop.mutate(
      { verb: "stop", ...(reason.trim() && { reason: reason.trim() }) },
      { onSettled: () => setAsking(false) },
    );
  return (
    <>
      <Button look="danger" disabled={task.stopping || stop.off} onClick={() => setAsking(true)}>
        <Square size={12} aria-hidden className="fill-current" />
        {task.stopping ? t("action.stopping") : t("action.stop")}
      </Button>
      <Confirm open={asking} onOpenChange={setAsking} title={t("stop.title")} description={t("stop.text")}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            send();
          }}
          className="space-y-4"
        >
          <Field label={t("stop.reason")} optional={t("form.optional")}>
            {(ids) => <Input {...ids} value={reason} onChange={(event) => setReason(event.target.value)} />}
          </Field>
          <div className="flex justify-end gap-2">
            <Button onClick={() => setAsking(false)}>{t("stop.keep")}</Button>
            <Button
              type="submit"
              busy={stop.isPending}
              className="border-transparent! bg-bad-fill! text-white! hover:opacity-90"
            >
              {t("stop.confirm")}
            </Button>
          </div>
        </form>
      </Confirm>
    </>
  );
}
