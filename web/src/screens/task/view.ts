import type { TaskDetail } from "../../api/types";

export const TABS = ["plan", "output", "changes", "checks", "timeline", "cost", "details"] as const;
export type Tab = (typeof TABS)[number];

export interface View {
  tab?: Tab | undefined;
  /** A plan version to look at. */
  plan?: number | undefined;
}

export function parseView(search: Record<string, unknown>): View {
  const plan = Number(search.plan);
  return {
    tab: TABS.includes(search.tab as Tab) ? (search.tab as Tab) : undefined,
    plan: Number.isInteger(plan) && plan > 0 ? plan : undefined,
  };
}

/** The tab that answers the question the task's state raises. */
export function firstTab(task: TaskDetail): Tab {
  switch (task.status) {
    case "awaiting-approval":
      return "plan";
    case "in-review":
    case "completed":
      return task.commit ? "changes" : task.run ? "output" : "timeline";
    case "cancelled":
    case "declined":
      return task.run ? "output" : task.plans.length > 0 ? "plan" : "timeline";
    case "received":
    case "triaged":
      return "timeline";
    default:
      return "output";
  }
}
