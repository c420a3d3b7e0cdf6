import type { Check, Run, TaskRow } from "../api/types";

/** What came of a task, or how well its result is proven. */
export type Proof = "verified" | "no-new-failures" | "unverified" | "failing" | "nothing-to-change";

const CLASSES: readonly string[] = ["verified", "no-new-failures", "unverified", "failing"] satisfies Proof[];

type Proven = Pick<TaskRow, "status" | "evidence" | "outcome">;

/** Null for a task that has no result which people look at, that was a question, or that is older than classes of evidence. */
export function proofOf({ status, evidence, outcome }: Proven): Proof | null {
  if (status !== "completed" && status !== "failed" && status !== "in-review") return null;
  if (outcome === "nothing-to-change") return "nothing-to-change";
  return CLASSES.includes(evidence) ? (evidence as Proof) : null;
}

type Verdict = NonNullable<Check["verdict"]>;

/** An older projector gives no verdict. */
export function verdictOf({ verdict, exit_code, failed_before }: Check): Verdict {
  if (verdict) return verdict;
  if (exit_code === 0) return "passed";
  return failed_before ? "failed-before" : "failed";
}

/** How a check is shown: a pass that proves nothing is none to rest on. */
export type Look = Verdict | "doubted";
export const lookOf = (check: Check): Look => (check.doubted ? "doubted" : verdictOf(check));

/** What the work broke: nothing else is a failure of it. */
export const brokenOf = (run: Run | null): Check[] =>
  run ? [...run.setup, ...run.checks].filter((check) => verdictOf(check) === "failed") : [];

export const isOfLook = (look: Look) => (check: Check) => lookOf(check) === look;

/** Whether an attempt's work is committed, and its set-up and checks run: no agent works meanwhile. */
export const isJudged = (run: Run | null): boolean => run?.status === "running" && Boolean(run.tree);

/** Where a task is whose result was made, is kept, and is not published. */
export function keptOf(
  task: Pick<TaskRow, "status" | "has_result" | "ended_in">,
): "unpublished" | "short" | null {
  if (!task.has_result || (task.status !== "failed" && task.status !== "cancelled")) return null;
  return task.ended_in === "publishing" ? "unpublished" : "short";
}
