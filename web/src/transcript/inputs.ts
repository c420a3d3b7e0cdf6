import type { TimelineItem } from "../api/types";
import type { Entry, SaidEntry } from "./entries";

/** What people said to the agent, out of the task's events. */
export function inputsOf(items: readonly TimelineItem[]): SaidEntry[] {
  return items
    .filter((item) => item.kind === "task" && item.event === "input-given")
    .map((item) => ({
      kind: "said",
      key: `input:${item.seq}`,
      seq: 0,
      actor: "run",
      parent: "",
      at: item.time ? Date.parse(item.time) : 0,
      text: typeof item.data.message === "string" ? item.data.message : item.summary,
      prompt: false,
    }));
}

/**
 * Puts what people said between the agent's entries, by time. Where the agent's own stream repeats a message, the
 * stream's copy stays, because its place is exact.
 */
export function withInputs(entries: readonly Entry[], inputs: readonly SaidEntry[]): readonly Entry[] {
  const repeated = new Set(
    entries.filter((entry) => entry.kind === "said").map((entry) => entry.text.trim()),
  );
  const missing = inputs.filter((input) => !repeated.has(input.text.trim()));
  if (missing.length === 0) return entries;
  const merged: Entry[] = [];
  let next = 0;
  for (const entry of entries) {
    for (
      let input = missing[next];
      input && entry.at !== null && (input.at ?? 0) < entry.at;
      input = missing[next]
    ) {
      merged.push(input);
      next++;
    }
    merged.push(entry);
  }
  return [...merged, ...missing.slice(next)];
}
