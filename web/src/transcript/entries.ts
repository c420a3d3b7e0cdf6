import type { AgentActor } from "../api/types";

/** What a reader of the conversation sees. Entries are replaced, never changed, so that rows can be memoised. */
interface Base {
  /** Stable over the entry's whole life. */
  key: string;
  /** The OUTPUT sequence of its first line. */
  seq: number;
  /** Milliseconds since 1970, or null while no line has said a time. */
  at: number | null;
  actor: AgentActor;
  /** The tool call of the subagent that speaks, or "" for the agent itself. */
  parent: string;
}

export interface PhaseEntry extends Base {
  kind: "phase";
  model: string;
  version: string;
  cwd: string;
}

export interface TextEntry extends Base {
  kind: "text" | "thinking";
  text: string;
  streaming: boolean;
}

export type ToolState = "preparing" | "running" | "ok" | "error" | "denied" | "interrupted";

export interface ToolEntry extends Base {
  kind: "tool";
  id: string;
  name: string;
  input: Record<string, unknown>;
  state: ToolState;
  output: string;
  endedAt: number | null;
  /** Seconds that a long call says it has run so far. */
  elapsed: number | null;
}

export interface SaidEntry extends Base {
  kind: "said";
  text: string;
  /** The agent's instructions rather than something said to it later. */
  prompt: boolean;
}

export type NoticeTone = "info" | "warn" | "error";

export interface NoticeEntry extends Base {
  kind: "notice";
  tone: NoticeTone;
  what:
    | { is: "retry"; attempt: number; max: number; delayMs: number; status: number | null; error: string }
    | { is: "denied"; tool: string; message: string }
    | { is: "fallback"; from: string; to: string }
    | { is: "limit"; status: string; resetsAt: number | null }
    | { is: "cli"; text: string };
}

export interface ResultEntry extends Base {
  kind: "result";
  ok: boolean;
  /** Somebody had the agent stopped: neither a success nor a fault. */
  stopped: boolean;
  subtype: string;
  text: string;
  errors: string[];
  turns: number;
  durationMs: number;
}

/** Where an attempt begins; `at` is when it was claimed. */
export interface AttemptEntry extends Base {
  kind: "attempt";
  attempt: number;
  worker: string;
}

export type Entry = AttemptEntry | PhaseEntry | TextEntry | ToolEntry | SaidEntry | NoticeEntry | ResultEntry;

/** Several look-ups in a row, shown as one line until somebody wants to see them. */
export interface LookupGroup {
  kind: "group";
  key: string;
  seq: number;
  tools: ToolEntry[];
}

export type Row = Entry | LookupGroup;

const LOOKUPS = new Set(["Read", "Grep", "Glob", "LS", "NotebookRead"]);
const SMALLEST_GROUP = 3;

const isLookup = (entry: Entry): entry is ToolEntry =>
  entry.kind === "tool" && entry.state === "ok" && LOOKUPS.has(entry.name);

export const isError = (entry: Entry): boolean =>
  (entry.kind === "tool" && (entry.state === "error" || entry.state === "denied")) ||
  (entry.kind === "notice" && entry.tone === "error") ||
  (entry.kind === "result" && !entry.ok && !entry.stopped);

/** Folds runs of three or more finished look-ups of one speaker into one row. */
export function rowsOf(entries: readonly Entry[], opened: ReadonlySet<string> = new Set()): Row[] {
  const rows: Row[] = [];
  for (let i = 0; i < entries.length; ) {
    const entry = entries[i] as Entry;
    let end = i;
    while (end < entries.length) {
      const next = entries[end] as Entry;
      if (!isLookup(next) || next.parent !== entry.parent || next.actor !== entry.actor) break;
      end++;
    }
    const key = `group:${entry.key}`;
    if (end - i >= SMALLEST_GROUP && !opened.has(key)) {
      rows.push({ kind: "group", key, seq: entry.seq, tools: entries.slice(i, end) as ToolEntry[] });
      i = end;
      continue;
    }
    for (const each of entries.slice(i, Math.max(end, i + 1))) rows.push(each);
    i = Math.max(end, i + 1);
  }
  return rows;
}

/** Everything in an entry that a person might search for. */
export function searchText(entry: Entry): string {
  switch (entry.kind) {
    case "text":
    case "thinking":
    case "said":
      return entry.text;
    case "tool":
      return `${entry.name}\n${Object.values(entry.input)
        .map((value) => (typeof value === "string" ? value : JSON.stringify(value)))
        .join("\n")}\n${entry.output}`;
    case "result":
      return [entry.text, ...entry.errors].join("\n");
    case "notice":
      return Object.values(entry.what).join(" ");
    case "phase":
      return `${entry.model} ${entry.version}`;
    case "attempt":
      return `${entry.attempt} ${entry.worker}`;
  }
}
