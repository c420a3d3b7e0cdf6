/** The gateway's HTTP and WebSocket shapes, as this dashboard reads them. */

export const STATUSES = [
  "received",
  "triaged",
  "planning",
  "awaiting-approval",
  "executing",
  "waiting-input",
  "paused",
  "publishing",
  "completed",
  "failed",
  "cancelled",
  "declined",
] as const;

export type Status = (typeof STATUSES)[number];
/** What a person may want of a task. */
export type ActionName = "approve" | "reject" | "revise" | "input" | "stop" | "retry";

/** Whether an action is allowed now; a task's own answer says why not, a list of tasks does not. */
export interface ActionState {
  allowed: boolean;
  code?: string;
  reason?: string;
}

export type Directive = "auto" | "plan" | "implement";
/** Whose agent speaks: the brain's (`task`), the planner's (`plan`), the executor's (`run`), or one still to come. */
export type AgentActor = "task" | "plan" | "run" | (string & {});

/** Times are ISO 8601 UTC ("…Z"), money is integer micro-dollars, durations are milliseconds. */
export interface TaskRow {
  id: string;
  title: string;
  status: Status;
  stopping: boolean;
  source: { kind: string; reference: string; url: string; author: string };
  repo: string;
  created_at: string;
  updated_at: string;
  plan_version: number;
  round: number;
  attempt: number;
  worker: string;
  cost_microusd: number;
  tokens: number;
  branch: string;
  commit: string;
  error_code: string;
  error_message: string;
  question: string;
  /** When a paused task goes on by itself; null, or absent from an older gateway, otherwise. */
  paused_until?: string | null;
  /** Absent from an older projector. */
  actions?: Partial<Record<ActionName, ActionState>>;
}

export interface PlanVersion {
  version: number;
  digest: string;
  base_commit: string;
  markdown: string;
  summary: string;
  at: string;
  approved_at: string | null;
  approved_by: string | null;
}

export interface Check {
  command: string;
  exit_code: number;
  duration_ms: number;
  output_tail: string;
}

export interface FileChange {
  path: string;
  added: number;
  removed: number;
}

export interface Run {
  status: string;
  round: number;
  attempt: number;
  worker: string;
  session: string;
  cli_version: string;
  model: string;
  turn: number;
  started_at: string | null;
  finished_at: string | null;
  duration_ms: number | null;
  summary: string;
  commit: string;
  branch: string;
  checks: Check[];
  files: FileChange[];
  question: string;
  options: string[];
}

export interface Usage {
  agent: string;
  model: string;
  input_tokens: number;
  output_tokens: number;
  cache_read_tokens: number;
  cache_write_tokens: number;
  cost_microusd: number;
  priced: boolean;
}

export interface TaskDetail extends TaskRow {
  text: string;
  approval: string;
  directive: string;
  verdict: string;
  risk: string;
  work_kind: string;
  triage_reason: string;
  decided_by: string;
  answer: string;
  summary: string;
  session_id: string;
  parent: string;
  base_commit: string;
  plans: PlanVersion[];
  plan_status: string;
  run: Run | null;
  usage: Usage[];
  version: number;
}

export interface TaskList {
  seq: number;
  items: TaskRow[];
  next_cursor: string | null;
  counts: Partial<Record<Status, number>>;
}

export interface TaskReply {
  seq: number;
  task: TaskDetail;
}

export interface TimelineItem {
  seq: number;
  kind: string;
  event: string;
  version: number;
  time: string;
  principal: string;
  summary: string;
  data: Record<string, unknown>;
}

export interface Timeline {
  seq: number;
  items: TimelineItem[];
  next_cursor: string | number | null;
}

/** One line of the agent's stream as the CLI wrote it; its schema is open, so every field is looked at with care. */
export type CliLine = Record<string, unknown>;

export interface OutputLine {
  seq: number;
  actor: AgentActor;
  line: CliLine;
}

/** One page of the recorded output; `next_after` is null at its end. */
export interface Transcript {
  seq: number;
  items: OutputLine[];
  next_after: number | null;
}

export interface SystemStatus {
  seq: number;
  position: number;
  tasks: Partial<Record<Status, number>>;
  cost_today_microusd: number;
  tokens_today: number;
  machine: string;
  version: string;
  demo: boolean;
  projector_problem: string;
  agents_ready: boolean;
  agents_problem: string;
  /** Messages that no handler could take, and that wait for a decision. */
  parked: number;
}

/** Where a replay is: the newest event is that at `seq` of `last`, and `time` is when it happened. */
export interface Moment {
  seq: number;
  last: number;
  time: string | null;
  speed: number;
  state: "playing" | "done" | "over";
}

export interface CommandReply {
  event: Record<string, unknown> | null;
  seq: number;
}

/** Server → client messages on `/ws` that this dashboard acts on. */
export type ServerMessage =
  | {
      type: "task.created" | "task.updated" | "task.completed" | "task.failed";
      seq: number;
      task_id: string;
      kind: string;
      event: string;
      time: string;
      principal: string;
      data: Record<string, unknown>;
    }
  | { type: "task.output"; seq: number; task_id: string; actor: AgentActor; chunk: CliLine }
  | ({ type: "replay.moment" } & Moment)
  | { type: "subscribed"; topics: string[]; seq: number }
  | { type: "error"; code: string; message: string }
  | { type: "pong"; seq?: number };
