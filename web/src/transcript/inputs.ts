import type { TimelineItem } from "../api/types";
import type { Entry, NoticeEntry, SaidEntry } from "./entries";

type Input = SaidEntry | NoticeEntry;

/** What people said to the agent or further wished, out of the task's events; also a wish that was not taken. */
export const inputsOf = (items: readonly TimelineItem[]): Input[] =>
  items.filter((item) => item.kind === "task").flatMap(inputOf);

function inputOf(item: TimelineItem): Input[] {
  const base = {
    key: `input:${item.seq}`,
    seq: 0,
    actor: "run",
    parent: "",
    at: item.time ? Date.parse(item.time) : 0,
  };
  const said = (words: unknown): Input[] => [
    { ...base, kind: "said", text: typeof words === "string" ? words : item.summary, prompt: false },
  ];
  switch (item.event) {
    case "input-given":
      return said(item.data.message);
    case "followed-up":
      return said(item.data.text);
    case "follow-up-refused":
      return [{ ...base, kind: "notice", tone: "warn", what: { is: "cli", text: item.summary } }];
    default:
      return [];
  }
}

/**
 * Puts what people said between the agent's entries, by time. Where the agent's own stream repeats a message, the
 * stream's copy stays, because its place is exact.
 */
export function withInputs(entries: readonly Entry[], inputs: readonly Input[]): readonly Entry[] {
  const repeated = new Set(
    entries.filter((entry) => entry.kind === "said").map((entry) => entry.text.trim()),
  );
  const missing = inputs.filter((input) => input.kind === "notice" || !repeated.has(input.text.trim()));
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
