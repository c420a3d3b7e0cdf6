import type {
  Call,
  Delivered,
  Door,
  Me,
  OutputLine,
  Person,
  Repo,
  Session,
  Status,
  SystemStatus,
  TalkEntry,
  TalkRow,
  TaskDetail,
  TimelineItem,
  Token,
  Webhook,
  WebhookDraft,
} from "../../src/api/types";
import type { Socket } from "../../src/live/client";

export interface Command {
  path: string;
  body: unknown;
  headers: Headers;
}

interface Problem {
  status: number;
  detail: string;
}

const AN_HOUR_ON = "2026-01-02T04:04:05Z";
/** A token that was made. */
export const TOKEN: Token = {
  id: "tok0000001",
  name: "ci",
  role: "operator",
  scopes: ["tasks"],
  ends_at: null,
  used_at: null,
};

const problem = ({ status, detail }: Problem) => json({ title: "Refused", detail, code: "refused" }, status);

const json = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });

interface Said {
  session_id: string;
  message_id: string;
  message: string;
}

export const talkEntry = (over: Partial<TalkEntry> = {}): TalkEntry => ({
  seq: 1,
  event: "asked",
  at: AN_HOUR_ON,
  author: "",
  principal: "service:brain",
  message_id: "",
  task_id: "",
  data: {},
  ...over,
});

export const talkRow = (over: Partial<TalkRow> = {}): TalkRow => ({
  id: "talk-1",
  title: "What waits for me?",
  archived: false,
  started_by: "user:ada",
  started_at: AN_HOUR_ON,
  updated_seq: 1,
  updated_at: AN_HOUR_ON,
  messages: 1,
  waiting: 0,
  undecided: 0,
  tasks: 0,
  cost_microusd: 0,
  ...over,
});

/** The gateway as the page meets it: reads answered out of plain arrays, commands written down, one WebSocket. */
export class FakeGateway {
  tasks: TaskDetail[] = [];
  timeline: TimelineItem[] = [];
  output: OutputLine[] = [];
  system: Partial<SystemStatus> = {};
  diff = "";
  seq = 100;
  /** Whether it can be reached, by requests and by sockets alike. */
  up = true;
  /** Whether sockets are refused although requests are answered. */
  socketsFail = false;
  /** Whether sockets neither open nor close. */
  silent = false;
  /** Whether it says nothing any more and closes nothing, as a process that is stopped. */
  frozen = false;
  /** What the configuration names; undefined is an older gateway, which does not say. */
  repos: Repo[] | undefined;
  talks: TalkRow[] = [];
  /** What happened in every conversation. */
  talked: TalkEntry[] = [];
  webhooks: Webhook[] = [];
  doors: Door[] = [];
  calls: Call[] = [];
  draft: WebhookDraft | undefined;
  /** Who looks at the page, and what they may do; undefined is a gateway that does not say. */
  me: Me | undefined;
  sessions: Session[] = [];
  tokens: Token[] = [];
  people: Person[] = [];
  /** What its webhook answers to a test event. */
  delivered: Delivered = { status: 202, delivery: "d1", task_id: "", reason: "" };
  /** The problem that every read, or every command, is answered with. */
  readsFail: Problem | undefined;
  commandsFail: Problem | undefined;
  readonly commands: Command[] = [];
  readonly reads: URL[] = [];
  readonly topics: string[] = [];
  private sockets: FakeSocket[] = [];

  constructor(...tasks: TaskDetail[]) {
    this.tasks = tasks;
  }

  fetch = async (path: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    if (!this.up) throw new TypeError("fetch failed");
    if (this.frozen) return new Promise(() => {});
    const url = new URL(String(path), "http://gateway.test");
    return init?.method === "POST" ? this.command(url, init) : this.read(url);
  };

  connect = (): Socket => {
    const socket = new FakeSocket(this);
    this.sockets.push(socket);
    if (this.silent || this.frozen) return socket;
    queueMicrotask(() => (this.up && !this.socketsFail ? socket.onopen?.() : socket.onclose?.()));
    return socket;
  };

  /** Every socket's end, as when the gateway goes away. */
  drop(): void {
    this.up = false;
    for (const socket of this.sockets.splice(0)) socket.onclose?.();
  }

  /** Replaces what is known of the task and says so on the socket. */
  change(id: string, over: Partial<TaskDetail>): void {
    this.tasks = this.tasks.map((task) => (task.id === id ? { ...task, ...over } : task));
    this.tell({
      type: "task.updated",
      seq: ++this.seq,
      task_id: id,
      kind: "task",
      event: "changed",
      time: "",
      principal: "",
      data: {},
    });
  }

  tell(message: object): void {
    for (const socket of this.sockets) socket.onmessage?.({ data: JSON.stringify(message) });
  }

  /** Something happens in a conversation, and is said on the socket. */
  happens(id: string, entry: Partial<TalkEntry>): void {
    const made = talkEntry({ seq: ++this.seq, ...entry });
    this.talked.push(made);
    this.tell({
      type: "session.updated",
      seq: made.seq,
      session_id: id,
      event: made.event,
      time: made.at,
      principal: made.principal,
      data: made.data,
    });
  }

  /** What an agent says in a conversation, as its CLI's conversation `speaker`. */
  says(id: string, speaker: string, ...pieces: string[]): void {
    const told = [
      { type: "message_start" },
      ...pieces.map((text) => ({ type: "content_block_delta", delta: { type: "text_delta", text } })),
    ];
    for (const event of told)
      this.tell({
        type: "task.output",
        seq: ++this.seq,
        task_id: id,
        actor: "session",
        chunk: { type: "stream_event", session_id: speaker, parent_tool_use_id: null, event },
      });
  }

  private heard({ session_id, message_id, message }: Said): object {
    const id = session_id || "talk-new";
    this.talks = [...this.talks, ...(session_id ? [] : [talkRow({ id, title: message })])];
    this.happens(id, { event: "asked", author: "user:ada", message_id, data: { message } });
    return { task_id: "", session_id: id, seq: this.seq, message_id };
  }

  private talk(id: string): Response {
    const row = this.talks.find((each) => each.id === id);
    if (!row) return problem({ status: 404, detail: `There is no session ${id}.` });
    const { title, archived, cost_microusd } = row;
    const first_seq = this.talked[0]?.seq ?? 0;
    const session = { id, lines: [], entries: this.talked, title, archived, cost_microusd, first_seq };
    return json({ seq: this.seq, session });
  }

  private talkList(asked: URLSearchParams): object {
    const [q, archived] = [asked.get("q") ?? "", asked.get("archived") === "true"];
    const items = this.talks.filter((talk) => talk.archived === archived && talk.title.includes(q));
    return { seq: this.seq, items, next_cursor: null };
  }

  private command(url: URL, init: RequestInit): Response {
    this.commands.push({
      path: url.pathname,
      body: JSON.parse(String(init.body)) as unknown,
      headers: new Headers(init.headers),
    });
    if (this.commandsFail) return problem(this.commandsFail);
    if (url.pathname === "/api/test-event") return json(this.delivered);
    if (url.pathname === "/api/webhooks/try")
      return json({
        id: "",
        thing: "",
        title: "nightly",
        text: "",
        repository: "",
        author: "",
        url: "",
        failed: "",
      });
    if (url.pathname === "/api/webhooks/drafts") return json({ task_id: "T1", removed: true }, 202);
    if (url.pathname.endsWith("/test")) return json(this.delivered);
    if (url.pathname === "/api/webhooks")
      return json({ event: null, seq: ++this.seq, secret: "made-secret" }, 201);
    const [, , what, who] = url.pathname.split("/");
    if (what === "users" && (!who || url.pathname.endsWith("/link")))
      return json({ name: who ?? "new", url: "http://gateway.test/login#made-link", ends_at: AN_HOUR_ON });
    if (what === "users" && url.pathname.includes("/sessions/")) return json({ items: [] });
    if (what === "users")
      return json({ user: this.people.find(({ name }) => name === who), seq: ++this.seq });
    if (what === "me") return json({ items: this.sessions.filter(({ current }) => current) });
    if (what === "tokens" && who) return json({ items: [] });
    if (what === "tokens") return json({ ...TOKEN, secret: "made-token", seq: ++this.seq }, 201);
    if (url.pathname === "/api/chat") return json(this.heard(this.commands.at(-1)?.body as Said), 202);
    if (url.pathname === "/api/tasks") return json({ id: this.tasks[0]?.id, seq: ++this.seq }, 201);
    return json({ event: null, seq: ++this.seq });
  }

  private read(url: URL): Response {
    this.reads.push(url);
    if (this.readsFail) return problem(this.readsFail);
    const [, , what, id, part] = url.pathname.split("/");
    if (what === "me" && id === "sessions") return json({ items: this.sessions });
    if (what === "users") return json({ items: id ? this.sessions : this.people });
    if (what === "tokens") return json({ items: this.tokens });
    if (what === "me")
      return this.me ? json(this.me) : problem({ status: 404, detail: "There is no such thing." });
    if (what === "sessions" && id) return this.talk(id);
    if (what === "sessions") return json(this.talkList(url.searchParams));
    if (what === "status") return json(this.status());
    if (what === "doors") return json({ items: id ? this.calls : this.doors, incomplete: "" });
    if (what === "webhooks" && id === "drafts") return json(this.draft);
    if (what === "webhooks") return json({ items: this.webhooks });
    if (what === "repos")
      return this.repos
        ? json({ items: this.repos, config_path: "/srv/jm/journeyman.toml", mention: "@agent" })
        : problem({ status: 404, detail: "There is nothing at this address." });
    if (id === undefined) return json(this.list(url.searchParams));
    const task = this.tasks.find((each) => each.id === id);
    if (!task) return json({ title: "Not found", code: "unknown-task" }, 404);
    const after = Number(url.searchParams.get("after") ?? 0);
    switch (part) {
      case "timeline":
        return json({
          seq: this.seq,
          items: this.timeline.filter((item) => item.seq > after),
          next_cursor: null,
        });
      case "transcript":
        return json({
          seq: this.seq,
          items: this.output.filter((line) => line.seq > after),
          next_after: null,
        });
      case "diff":
        return new Response(this.diff);
      default:
        return json({ seq: this.seq, task });
    }
  }

  private list(asked: URLSearchParams): object {
    const [status, source, q, requester] = ["status", "source", "q", "requester"].map((name) =>
      asked.get(name),
    );
    const items = this.tasks.filter(
      (task) =>
        (!status || task.status === status) &&
        (!source || task.source.kind === source) &&
        (!requester || task.requester === requester) &&
        (!q || task.title.includes(q)),
    );
    return { seq: this.seq, items, next_cursor: null, counts: this.counts() };
  }

  private counts(): Partial<Record<Status, number>> {
    const counts: Partial<Record<Status, number>> = {};
    for (const { status } of this.tasks) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  }

  private status(): SystemStatus {
    return {
      seq: this.seq,
      position: this.seq,
      tasks: this.counts(),
      cost_today_microusd: 0,
      tokens_today: 0,
      machine: "studio",
      version: "0.1.0",
      demo: false,
      projector_problem: "",
      agents_ready: true,
      agents_problem: "",
      approval: "required",
      lag_events: 0,
      queues: [],
      running: [],
      services: [],
      unread: 0,
      parked: 0,
      webhooks: [{ sender: "github", ready: true, secret_file: "" }],
      streams: [],
      disk: [],
      disk_free_bytes: 0,
      ...this.system,
    };
  }
}

class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;

  constructor(private readonly gateway: FakeGateway) {}

  send(text: string): void {
    const message = JSON.parse(text) as { type: string; topics: string[] };
    if (message.type === "ping" && !this.gateway.frozen)
      queueMicrotask(() =>
        this.onmessage?.({ data: JSON.stringify({ type: "pong", seq: this.gateway.seq }) }),
      );
    if (message.type !== "subscribe") return;
    this.gateway.topics.push(...message.topics);
    const output = message.topics.every((topic) => topic.startsWith("output:"));
    const seq = output ? (this.gateway.output.at(-1)?.seq ?? 0) : this.gateway.seq;
    queueMicrotask(() =>
      this.onmessage?.({ data: JSON.stringify({ type: "subscribed", topics: message.topics, seq }) }),
    );
  }

  close(): void {}
}
