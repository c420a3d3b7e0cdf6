/**
 * The names that this dashboard uses for the gateway's shapes. `schema.ts` has the shapes themselves: `make api-types`
 * generates it from the gateway's routes and messages. Times are ISO 8601 UTC ("…Z"), money is integer micro-dollars,
 * durations are milliseconds.
 *
 * A field with a default is marked optional there, but a gateway fills in what an older projector left out: in an answer
 * every field is present.
 */
import type { components, operations } from "./schema";

type Schemas = components["schemas"];
type Answered<T, Narrowed = unknown> = Required<Omit<T, keyof Narrowed>> & Narrowed;

/** A task that nobody has submitted is never shown. */
export type Status = Exclude<Schemas["Status"], "new">;
export type Directive = Schemas["Directive"];
type Counts = Partial<Record<Status, number>>;

const EVERY_STATUS: Record<Status, true> = {
  received: true,
  triaged: true,
  planning: true,
  "awaiting-approval": true,
  executing: true,
  "waiting-input": true,
  paused: true,
  reviewing: true,
  publishing: true,
  "in-review": true,
  completed: true,
  failed: true,
  cancelled: true,
  declined: true,
};
/** In the order of a task's life. */
export const STATUSES = Object.keys(EVERY_STATUS) as Status[];

export type Webhook = Answered<Schemas["Webhook"]>;
export type WebhookList = { items: Webhook[] };
export type NewWebhook = Schemas["NewWebhook"];
export type WebhookMade = Answered<Schemas["WebhookMade"]>;
/** A draft of a webhook that was asked for, and how far it is. */
export type WebhookDraft = Answered<Schemas["WebhookDraft"]>;
export type DraftAsked = Schemas["DraftAsked"];
export type Scheme = Schemas["Scheme"];
export type Paths = Required<Schemas["Paths"]>;
export type Found = Required<Schemas["Found"]>;
/** One call of a door, as it was answered. */
export type Call = Answered<Schemas["Call"]>;
/** Something that takes deliveries: a sender that is known, or a webhook that people have made. */
export type Door = Answered<Schemas["Door"], { last_ignored: Call | null; last_refused: Call | null }>;
export type Health = Door["health"];

/** What a person may want of a task. */
export type ActionName = Schemas["Action"];
/** Whether an action is allowed now; a task's own answer says why not, a list of tasks does not. */
export type ActionState = Schemas["ActionState"];
/** Whose agent speaks: the brain's (`task`), the planner's (`plan`), the executor's (`run`), or one still to come. */
export type AgentActor = "task" | "plan" | "run" | (string & {});

interface NarrowedTask {
  status: Status;
  /** Absent from an older gateway, empty from an older projector. */
  actions?: Partial<Record<ActionName, ActionState>>;
}
export type TaskRow = Answered<Schemas["TaskSummary"], NarrowedTask>;
export type PlanVersion = Answered<Schemas["PlanVersion"]>;
export type Check = Answered<Schemas["Check"]>;
export type FileChange = Schemas["FileChange"];
export type Note = Answered<Schemas["Note"]>;
export type Run = Answered<Schemas["RunAttempt"], { checks: Check[]; setup: Check[]; notes: Note[] }>;
export type Usage = Schemas["ModelCost"];
export type TaskDetail = Answered<Schemas["TaskDetail"], NarrowedTask & { run: Run | null }>;
export type TaskList = Answered<Schemas["TaskPage"], { items: TaskRow[]; counts: Counts }>;
export type TaskReply = Answered<Schemas["TaskAnswer"], { task: TaskDetail }>;

export type TimelineItem = Answered<Schemas["TimelineItem"], { data: Record<string, unknown> }>;
export type Timeline = Answered<Schemas["TimelinePage"], { items: TimelineItem[] }>;

/** One line of the agent's stream as the CLI wrote it; its schema is open, so every field is looked at with care. */
export type CliLine = Record<string, unknown>;
export type OutputLine = Answered<Schemas["TranscriptLine"], { actor: AgentActor; line: CliLine }>;
/** One page of the recorded output; `next_after` is null at its end. */
export type Transcript = Answered<Schemas["Transcript"], { items: OutputLine[] }>;

/** Who looks at the page, and what they may do here. */
export type Me = Answered<Schemas["Me"], { may: Operation[] }>;
/** A route of the gateway, by the name that the table of roles knows it by. */
export type Operation = keyof operations;

export type Role = Schemas["Role"];
/** From the least to the most that one may. */
export const ROLES: readonly Role[] = ["viewer", "operator", "approver", "admin"];
export type Scope = Schemas["Scope"];
export const SCOPES: readonly Scope[] = ["tasks", "chat", "webhooks", "system", "people"];
/** One browser in which somebody is logged in. */
export type Session = Schemas["OpenSession"];
export type Token = Schemas["TokenListed"];
export type TokenMade = Schemas["TokenMade"];
export type NewToken = Schemas["NewToken"];
/** Somebody who was invited; `actions` are what whoever asks may do about them. */
export type Person = Answered<Schemas["UserListed"], { actions: PersonAction[] }>;
type PersonAction = "role" | "disable" | "enable" | "link";
export type PersonChanged = Schemas["UserChanged"];
export type OneTimeLink = Schemas["OneTimeLink"];

export type SystemStatus = Answered<Schemas["SystemStatus"], { tasks: Counts }>;
/** What `journeyman.toml` names; without addresses. */
export type Repos = Schemas["ConfiguredRepos"];
export type Repo = Schemas["ConfiguredRepo"];
/** What our own webhook answered to a test event. */
export type Delivered = Required<Schemas["Delivered"]>;
export type CommandReply = Schemas["CommandDone"];
export type TaskOpened = Schemas["TaskOpened"];
export type NewTask = Schemas["NewTask"];
export type Approval = Schemas["Approval"];
export type Rejection = Schemas["Rejection"];
export type Stopping = Schemas["Stopping"];
export type Input = Schemas["Input"];
export type Retrying = Schemas["Retrying"];
export type Wish = Schemas["Wish"];

/** A conversation with the brain, as a list has it. */
export type TalkRow = Schemas["SessionSummary"];
export type TalkList = Answered<Schemas["SessionPage"], { items: TalkRow[] }>;
/** One event of a conversation. */
export type TalkEntry = Answered<Schemas["SessionEntry"], { data: Record<string, unknown> }>;
export type Talk = Answered<Schemas["Session"], { entries: TalkEntry[] }>;
export type TalkReply = Answered<Schemas["SessionAnswer"], { session: Talk }>;
export type Message = Schemas["Message"];
export type MessageTaken = Answered<Schemas["MessageTaken"]>;

/** Where a replay is: the newest event is that at `seq` of `last`, and `time` is when it happened. */
export type Moment = Omit<Schemas["ReplayMoved"], "type">;

/** Server → client messages on `/ws`. */
export type ServerMessage =
  | Answered<Schemas["TaskChanged"], { data: Record<string, unknown> }>
  | Answered<Schemas["SessionChanged"], { data: Record<string, unknown> }>
  | Answered<Schemas["TaskOutput"], { actor: AgentActor; chunk: CliLine }>
  | Schemas["TaskMetrics"]
  | Schemas["AgentStatus"]
  | Schemas["ReplayMoved"]
  | Schemas["Subscribed"]
  | Schemas["Trouble"]
  | Schemas["Pong"];

/** Client → server messages on `/ws` that this dashboard sends. */
export type ClientMessage = Schemas["Subscribe"] | Schemas["Unsubscribe"] | Schemas["Ping"];
