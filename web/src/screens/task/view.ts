import type { TaskDetail } from "../../api/types";

export const TABS = ["plan", "output", "changes", "checks", "timeline", "cost", "details"] as const;
export type Tab = (typeof TABS)[number];

const OF_A_REVIEW: readonly Tab[] = ["output", "timeline", "cost", "details"];

/** The tabs that may have something in them: a review of a pull request plans, changes and checks nothing. */
export const tabsOf = (task: Pick<TaskDetail, "verdict">): readonly Tab[] =>
  task.verdict === "review" ? OF_A_REVIEW : TABS;

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
  if (task.verdict === "review") return "output";
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
