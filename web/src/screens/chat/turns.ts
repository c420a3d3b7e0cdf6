import type { TalkEntry } from "../../api/types";

export interface Proposal {
  id: string;
  action: "submit" | "stop" | "retry" | "message";
  taskId: string;
  repo: string;
  title: string;
  text: string;
  /** Who has decided on it, and how; null while nobody has. */
  decided: { by: string; confirmed: boolean } | null;
}

export interface Answer {
  outcome: "answered" | "failed" | "interrupted";
  text: string;
  at: string;
  costMicrousd: number;
}

/** Where a message is: with nobody yet, with the brain, at its end, or a task. */
export type TurnState = "waiting" | "answering" | "stopping" | "over" | "task";

/** One message with what came of it. */
export interface Turn {
  id: string;
  by: string;
  text: string;
  at: string;
  state: TurnState;
  /** The task that the message became, empty where it is answered. */
  taskId: string;
  answers: Answer[];
  proposals: Proposal[];
}

const text = (data: Record<string, unknown>, name: string): string =>
  typeof data[name] === "string" ? data[name] : "";

function costOf(data: Record<string, unknown>): number {
  const usage = Array.isArray(data.usage) ? (data.usage as { cost_microusd?: number }[]) : [];
  return usage.reduce((sum, { cost_microusd = 0 }) => sum + cost_microusd, 0);
}

function proposalOf(data: Record<string, unknown>): Proposal {
  const given = (data.proposal ?? {}) as Record<string, unknown>;
  return {
    id: text(given, "proposal_id"),
    action: text(given, "action") as Proposal["action"],
    taskId: text(given, "task_id"),
    repo: text(given, "repo"),
    title: text(given, "title"),
    text: text(given, "text"),
    decided: null,
  };
}

/** The conversation by its messages, in the order in which they were said. */
export function turnsOf(entries: readonly TalkEntry[]): Turn[] {
  const turns = new Map<string, Turn>();
  const proposals = new Map<string, Proposal>();
  // Of a message in front of the page that is known, only what came of it is.
  const turn = (id: string, at: string): Turn => {
    const known = turns.get(id);
    if (known) return known;
    const made: Turn = {
      id,
      by: "",
      text: "",
      at,
      state: "over",
      taskId: "",
      answers: [],
      proposals: [],
    };
    turns.set(id, made);
    return made;
  };
  for (const { event, data, at, author, principal, task_id, message_id } of entries) {
    switch (event) {
      case "said":
        Object.assign(turn(task_id, at), {
          by: author,
          text: text(data, "message"),
          state: "task",
          taskId: task_id,
        });
        break;
      case "asked":
        Object.assign(turn(message_id, at), { by: author, text: text(data, "message"), state: "waiting" });
        break;
      case "answer-started":
        turn(message_id, at).state = "answering";
        break;
      case "interrupt-requested":
        turn(message_id, at).state = "stopping";
        break;
      case "answered":
      case "failed":
      case "interrupted": {
        const about = turn(message_id, at);
        about.state = "over";
        about.answers.push({
          outcome: event,
          text: text(data, event === "failed" ? "message" : "text"),
          at,
          costMicrousd: costOf(data),
        });
        break;
      }
      case "answer-recorded":
        turn(task_id, at).answers.push({
          outcome: "answered",
          text: text(data, "text"),
          at,
          costMicrousd: 0,
        });
        break;
      case "proposed": {
        const proposal = proposalOf(data);
        proposals.set(proposal.id, proposal);
        turn(message_id, at).proposals.push(proposal);
        break;
      }
      case "confirmed":
      case "dismissed": {
        const id = event === "confirmed" ? proposalOf(data).id : text(data, "proposal_id");
        const proposal = proposals.get(id);
        if (proposal) proposal.decided = { by: principal, confirmed: event === "confirmed" };
        break;
      }
    }
  }
  return [...turns.values()];
}

/** The CLI's conversations of the answers that are over: what they said is not said now. */
export const endedSpeakers = (entries: readonly TalkEntry[]): ReadonlySet<string> =>
  new Set(entries.filter(({ event }) => event === "answered").map(({ data }) => text(data, "session")));

const TASK_ID = /\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/g;
const MOST_TASKS = 6;

/** The tasks that an answer names, each once. */
export const tasksIn = (answer: string): string[] =>
  [...new Set(answer.match(TASK_ID) ?? [])].slice(0, MOST_TASKS);
