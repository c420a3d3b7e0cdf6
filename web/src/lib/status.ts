import { STATUSES, type Status, type TaskRow } from "../api/types";

export type Group = "needs-you" | "in-review" | "running" | "queued" | "failed" | "done";

/** In the order in which they are worth looking at. */
export const GROUPS: readonly Group[] = ["needs-you", "in-review", "running", "queued", "failed", "done"];

const GROUP_OF: Record<Status, Group> = {
  "awaiting-approval": "needs-you",
  "waiting-input": "needs-you",
  "in-review": "in-review",
  planning: "running",
  executing: "running",
  reviewing: "running",
  publishing: "running",
  received: "queued",
  triaged: "queued",
  paused: "queued",
  failed: "failed",
  completed: "done",
  cancelled: "done",
  declined: "done",
};

export const NEEDS_YOU: readonly Status[] = STATUSES.filter((status) => GROUP_OF[status] === "needs-you");
export const OPEN: readonly Status[] = STATUSES.filter((status) => !isOver(status));

/** Whether the list shows the status among those that are at their end. */
export function isOver(status: Status): boolean {
  const group = GROUP_OF[status];
  return group === "failed" || group === "done";
}

/**
 * An execution that no worker has taken yet is waiting, whatever its status is called; a review that does not get on
 * without a person needs one.
 */
export function groupOf(task: Pick<TaskRow, "status" | "worker" | "attention">): Group {
  if (task.status === "in-review" && task.attention) return "needs-you";
  if (task.status === "executing" && !task.worker) return "queued";
  return GROUP_OF[task.status] ?? "running";
}

export const needsYou = (task: Pick<TaskRow, "status">): boolean => NEEDS_YOU.includes(task.status);

/** Groups in their fixed order, rows in the order given; empty groups are left out. */
export function grouped(tasks: readonly TaskRow[]): { group: Group; tasks: TaskRow[] }[] {
  return GROUPS.map((group) => ({ group, tasks: tasks.filter((task) => groupOf(task) === group) })).filter(
    (each) => each.tasks.length > 0,
  );
}

export const total = (counts: Partial<Record<Status, number>>, of: readonly Status[] = STATUSES): number =>
  of.reduce((sum, status) => sum + (counts[status] ?? 0), 0);
