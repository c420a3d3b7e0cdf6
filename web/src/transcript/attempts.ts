import type { TimelineItem } from "../api/types";
import type { AttemptEntry, Entry } from "./entries";

/** Clocks of two machines may differ by this much (milliseconds). */
const SLACK_MS = 2_000;

/** The attempts of executor and planner, out of the task's events; one attempt of a planner is nothing to speak of. */
export function attemptsOf(items: readonly TimelineItem[]): AttemptEntry[] {
  const claims = items
    .filter((item) => item.event === "claimed" && (item.kind === "run" || item.kind === "plan"))
    .map(
      ({ seq, kind, time, data }): AttemptEntry => ({
        kind: "attempt",
        key: `attempt:${seq}`,
        seq: 0,
        actor: kind,
        parent: "",
        at: time ? Date.parse(time) : null,
        attempt: typeof data.attempt === "number" ? data.attempt : 0,
        worker: typeof data.worker === "string" ? data.worker : "",
      }),
    );
  return claims.filter(
    ({ actor }) => actor === "run" || claims.filter((each) => each.actor === actor).length > 1,
  );
}

/** When the agent of a phase first said a time, or null while it has not. */
function beginningOf(entries: readonly Entry[], phase: number): number | null {
  const actor = entries[phase]?.actor;
  for (let index = phase + 1; index < entries.length; index++) {
    const entry = entries[index] as Entry;
    if (entry.actor !== actor) continue;
    if (entry.kind === "phase") return null;
    if (entry.at !== null) return entry.at;
  }
  return null;
}

/** Puts each attempt before the first of its agent's words. An attempt that an agent took over in has several phases. */
export function withAttempts(entries: readonly Entry[], attempts: readonly AttemptEntry[]): readonly Entry[] {
  if (attempts.length === 0) return entries;
  let left = [...attempts];
  const merged: Entry[] = [];
  for (const [index, entry] of entries.entries()) {
    if (entry.kind === "phase") {
      const began = beginningOf(entries, index);
      const last = !entries
        .slice(index + 1)
        .some((each) => each.kind === "phase" && each.actor === entry.actor);
      const due = left.filter((attempt) => hasBegun(attempt, entry, began, last));
      left = left.filter((attempt) => !due.includes(attempt));
      merged.push(...due);
    }
    merged.push(entry);
  }
  return [...merged, ...left];
}

/** Whether the attempt had begun when the phase did. A phase that has said no time yet is the newest attempt's. */
const hasBegun = (attempt: AttemptEntry, phase: Entry, began: number | null, last: boolean): boolean =>
  attempt.actor === phase.actor && (began === null ? last : (attempt.at ?? 0) <= began + SLACK_MS);
