import type { PlanVersion, Run, TaskDetail, TaskRow } from "../api/types";
import { t } from "../i18n";
import { duration, moment, personOf, shortHash } from "./format";
import { isJudged, keptOf, proofOf } from "./proof";

/** When a paused task goes on, in the words given; empty where that is not known. */
const goesOn = (task: TaskRow, words: "why.pausedUntil" | "why.pausedUntilLong"): string =>
  task.paused_until ? t(words, { at: moment(Date.parse(task.paused_until), Date.now()) }) : "";

/** Who ended a task, and with which words; empty for one that nobody has. */
export function cancelledText(
  task: Pick<TaskRow, "cancelled_how" | "cancelled_by" | "cancelled_reason">,
): string {
  const who = personOf(task.cancelled_by);
  const reason = task.cancelled_reason.trim();
  switch (task.cancelled_how) {
    case "stopped":
      return reason ? t("why.stoppedBecause", { who, reason }) : t("why.stopped", { who });
    case "rejected":
      return reason ? t("why.rejectedBecause", { who, reason }) : t("why.rejected", { who });
    case "expired":
      return t("why.expired");
    default:
      return "";
  }
}

/** One line for the list: what the task is doing or waiting for. */
export function shortStatusText(task: TaskRow): string {
  if (task.stopping) return t("why.stopping");
  switch (task.status) {
    case "awaiting-approval":
      return t("why.awaitingApproval", { version: task.plan_version });
    case "waiting-input":
      return task.question || t("why.waitingInput");
    case "planning":
      return t("why.planning", { version: task.plan_version + 1 });
    case "executing":
      return task.worker
        ? t("why.executing", { attempt: task.attempt, worker: task.worker })
        : t("why.queued");
    case "publishing":
      return task.branch ? t("why.publishing", { branch: task.branch }) : t("why.publishingShort");
    case "in-review":
      return task.attention || t("why.inReview", { number: task.pull_request });
    case "paused":
      return (
        [goesOn(task, "why.pausedUntil"), task.error_message].filter(Boolean).join(": ") || t("why.paused")
      );
    case "failed":
      return task.error_message || task.error_code || t("why.failed");
    case "cancelled":
      return cancelledText(task) || t("why.cancelled");
    case "completed":
      if (task.outcome === "answered") return t("why.answeredShort");
      if (task.outcome === "reviewed") return t("why.reviewed");
      if (!task.commit) return t("why.completedNoCommit");
      return t("why.completed", { commit: shortHash(task.commit), branch: task.branch });
    default:
      return t(`why.${task.status}`);
  }
}

const took = (run: Run | null): number | null => {
  if (!run) return null;
  if (run.duration_ms) return run.duration_ms;
  return run.started_at && run.finished_at ? Date.parse(run.finished_at) - Date.parse(run.started_at) : null;
};

/**
 * The sentence under the task's title: why it is in the state it is in, as exactly as we know. `turns` are those of the
 * agent's newest session where its output has been read; without it only the executor's checkpoints are known.
 */
export function longStatusText(task: TaskDetail, turns = 0): string {
  const { run } = task;
  if (task.stopping) return t("why.stopping");
  switch (task.status) {
    case "awaiting-approval":
      return t("why.awaitingApprovalLong", { version: task.plan_version });
    case "planning":
      return task.plan_version > 0
        ? t("why.replanningLong", { version: task.plan_version + 1 })
        : t("why.planningLong");
    case "reviewing":
      return t("why.reviewingLong");
    case "executing":
      if (!run || run.status === "queued" || !run.worker) return t("why.queuedLong");
      if (isJudged(run))
        return t("why.judged", { commit: shortHash(run.commit), attempt: run.attempt, worker: run.worker });
      if (turns > 0) return t("why.executingTurn", { attempt: run.attempt, worker: run.worker, turn: turns });
      return run.turn > 0
        ? t("why.executingCheckpoint", { attempt: run.attempt, worker: run.worker, n: run.turn })
        : t("why.executing", { attempt: run.attempt, worker: run.worker });
    case "completed": {
      const ms = took(run);
      if (task.answer) return t("why.answered");
      if (task.outcome === "reviewed") return t("why.reviewedLong");
      if (!task.commit) return t("why.completedNoCommitLong");
      if (task.merged_by) return t("why.merged", { number: task.pull_request, who: task.merged_by });
      const where = { commit: shortHash(task.commit), branch: task.branch };
      const made = ms
        ? t("why.completedLong", { ...where, duration: duration(ms) })
        : t("why.completed", where);
      return proofOf(task) === "verified" && run?.observed ? `${made}. ${run.observed}` : made;
    }
    case "failed":
      return t(`why.${keptOf(task) ?? "failedLong"}`);
    case "declined":
      return task.triage_reason || t("why.declined");
    case "in-review":
      return t("why.inReviewLong");
    case "waiting-input":
      return t("why.waitingInput");
    case "paused":
      return (
        [goesOn(task, "why.pausedUntilLong"), task.error_message].filter(Boolean).join(" ") || t("why.paused")
      );
    default:
      return shortStatusText(task);
  }
}

export const latestPlan = (task: TaskDetail): PlanVersion | undefined => task.plans.at(-1);
