import type { TaskDetail } from "../api/types";

/** Whether its work cost as much as it was allowed to: a retry needs a larger budget, which has to be named. */
export const needsBudget = (task: Pick<TaskDetail, "status" | "ended_in" | "error_code">): boolean =>
  task.status === "failed" && task.ended_in === "executing" && task.error_code === "agent-budget";

/** What somebody wrote as dollars, in micro-dollars; null for what is no amount above nothing. */
export function microusdOf(dollars: string): number | null {
  const text = dollars
    .trim()
    .replace(/^\$\s*/, "")
    .replace(",", ".");
  if (!/^\d{1,6}(\.\d{0,6})?$/.test(text)) return null;
  return Math.round(Number(text) * 1_000_000) || null;
}
