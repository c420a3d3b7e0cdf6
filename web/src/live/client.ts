import type { ClientMessage, Moment, OutputLine, ServerMessage } from "../api/types";

/** The part of a WebSocket that the client uses; tests bring their own. */
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((event: { data: string }) => void) | null;
  onclose: (() => void) | null;
  send(text: string): void;
  close(): void;
}

/** What may honestly be said about the feed. Times are milliseconds since 1970. */
export type Link =
  | { phase: "connecting"; since: number }
  | { phase: "live" }
  | { phase: "down"; since: number; retryAt: number };

export type TalkEvent = Extract<ServerMessage, { type: "session.updated" }>;
export type TaskEvent = Extract<ServerMessage, { kind: string }>;

interface Options {
  connect: () => Socket;
  /** A replay's session: then it is all that is subscribed to, and nothing live is heard. */
  replay?: string;
  /** 0 ≤ value < 1; spreads the reconnects of many browsers. */
  random?: () => number;
  now?: () => number;
}

interface OutputWatch {
  last: number;
  listener: (line: OutputLine) => void;
}

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;
const PING_EVERY_MS = 5_000;
/** Longer than until the second ping: two that nobody answered. With the wait for the first one it is 11.5 s at most. */
const ANSWER_WITHIN_MS = 5_500;
const BEAT_MS = 1_000;
/** A handshake that nobody answers would otherwise wait as long as the browser likes. */
const OPEN_WITHIN_MS = 10_000;

/** Full jitter on the upper half: never at once, never later than 15 s. */
export function reconnectDelay(attempt: number, random: number): number {
  const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
  return ceiling / 2 + (random * ceiling) / 2;
}

/**
 * One WebSocket for the whole dashboard. It remembers the highest sequence of both streams (EVENTS for tasks, OUTPUT
 * per watched task) and re-subscribes with it, so that a reconnect neither loses nor repeats a message.
 */
export class LiveClient {
  private socket: Socket | null = null;
  private link: Link;
  private attempt = 0;
  private running = false;
  private highest = 0;
  private heardAt = 0;
  private pingedAt = 0;
  /** When the oldest ping was sent that nothing has been heard since; 0 while all are answered. */
  private askedAt = 0;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private openTimer: ReturnType<typeof setTimeout> | undefined;
  private pingTimer: ReturnType<typeof setInterval> | undefined;
  private readonly topics = new Map<string, number>([["tasks", 1]]);
  private readonly outputs = new Map<string, OutputWatch>();
  private readonly linkListeners = new Set<() => void>();
  private readonly eventListeners = new Set<(event: TaskEvent) => void>();
  private readonly talkListeners = new Set<(event: TalkEvent) => void>();
  private moment: Moment | null = null;
  private readonly momentListeners = new Set<() => void>();
  private readonly caughtUpListeners = new Set<(seq: number) => void>();
  private readonly random: () => number;
  private readonly now: () => number;

  constructor(private readonly options: Options) {
    this.random = options.random ?? Math.random;
    this.now = options.now ?? Date.now;
    this.link = { phase: "connecting", since: this.now() };
  }

  start(): void {
    if (this.running) return;
    this.running = true;
    this.open();
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.retryTimer);
    this.drop();
    this.setLink({ phase: "connecting", since: this.now() });
  }

  /** Tries now instead of when the backoff ends: the network came back, or the tab did. */
  retryNow(): void {
    if (!this.running || this.link.phase !== "down") return;
    clearTimeout(this.retryTimer);
    this.open();
  }

  /** The tab is looked at again: whether the connection still stands is asked at once, not at the next ping. */
  wake(): void {
    if (this.link.phase === "live") this.ping();
    else this.retryNow();
  }

  getLink = (): Link => this.link;

  onLink = (listener: () => void): (() => void) => {
    this.linkListeners.add(listener);
    return () => this.linkListeners.delete(listener);
  };

  /** Where the replay is; null before it has said so, and outside a replay. */
  getMoment = (): Moment | null => this.moment;

  onMoment = (listener: () => void): (() => void) => {
    this.momentListeners.add(listener);
    return () => this.momentListeners.delete(listener);
  };

  /** Each task event once, in order. */
  onEvent(listener: (event: TaskEvent) => void): () => void {
    this.eventListeners.add(listener);
    return () => this.eventListeners.delete(listener);
  }

  /** After every (re)subscription: everything up to `seq` has arrived; views older than that are stale. */
  onCaughtUp(listener: (seq: number) => void): () => void {
    this.caughtUpListeners.add(listener);
    return () => this.caughtUpListeners.delete(listener);
  }

  /** Each event of a conversation once, in order, while somebody watches them. */
  onTalk(listener: (event: TalkEvent) => void): () => void {
    this.talkListeners.add(listener);
    return () => this.talkListeners.delete(listener);
  }

  watchTask(id: string): () => void {
    return this.watch(`task:${id}`);
  }

  watchTalks(): () => void {
    return this.watch("sessions");
  }

  private watch(topic: string): () => void {
    if (this.options.replay) return () => {};
    this.topics.set(topic, (this.topics.get(topic) ?? 0) + 1);
    if (this.link.phase === "live") this.subscribeEvents();
    return () => {
      const left = (this.topics.get(topic) ?? 1) - 1;
      if (left > 0) {
        this.topics.set(topic, left);
        return;
      }
      this.topics.delete(topic);
      this.say({ type: "unsubscribe", topics: [topic] });
    };
  }

  /** Every output line of the task after `after` (an OUTPUT sequence; 0 = from the first retained line), once, in order. */
  watchOutput(id: string, after: number, listener: (line: OutputLine) => void): () => void {
    if (this.options.replay) return () => {};
    const watch: OutputWatch = { last: after, listener };
    this.outputs.set(id, watch);
    if (this.link.phase === "live") this.subscribeOutput(id, watch);
    return () => {
      if (this.outputs.get(id) !== watch) return;
      this.outputs.delete(id);
      this.say({ type: "unsubscribe", topics: [`output:${id}`] });
    };
  }

  private open(): void {
    this.drop();
    const socket = this.options.connect();
    this.socket = socket;
    this.openTimer = setTimeout(() => this.lost(), OPEN_WITHIN_MS);
    socket.onopen = () => {
      clearTimeout(this.openTimer);
      this.attempt = 0;
      this.heard();
      this.pingedAt = this.heardAt;
      this.setLink({ phase: "live" });
      this.subscribeEvents();
      for (const [id, watch] of this.outputs) this.subscribeOutput(id, watch);
      this.pingTimer = setInterval(() => this.beat(), BEAT_MS);
    };
    socket.onmessage = (event) => {
      this.heard();
      this.hear(JSON.parse(event.data) as ServerMessage);
    };
    socket.onclose = () => this.lost();
  }

  private lost(since = this.now()): void {
    this.drop();
    if (!this.running) return;
    const begun = this.link.phase === "live" ? since : this.link.since;
    const delay = reconnectDelay(this.attempt++, this.random());
    this.setLink({ phase: "down", since: begun, retryAt: this.now() + delay });
    this.retryTimer = setTimeout(() => this.open(), delay);
  }

  private heard(): void {
    this.heardAt = this.now();
    this.askedAt = 0;
  }

  /**
   * A half-open connection says nothing for ever; only our own deadline ends it. The deadline counts from a question: the
   * timers of a tab that nobody looks at run once a minute, and there silence alone proves nothing.
   */
  private beat(): void {
    const now = this.now();
    if (this.askedAt > 0 && now - this.askedAt > ANSWER_WITHIN_MS) this.lost(this.heardAt);
    else if (now - this.pingedAt >= PING_EVERY_MS) this.ping();
  }

  private ping(): void {
    this.pingedAt = this.now();
    this.askedAt ||= this.pingedAt;
    this.say({ type: "ping" });
  }

  private drop(): void {
    clearInterval(this.pingTimer);
    clearTimeout(this.openTimer);
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  /** Always the whole set: the answer's `seq` then speaks for all of it. */
  private subscribeEvents(): void {
    if (this.options.replay) {
      this.say({ type: "subscribe", topics: [`replay:${this.options.replay}`] });
      return;
    }
    const after = this.highest > 0 ? { after: this.highest } : {};
    this.say({ type: "subscribe", topics: [...this.topics.keys()], ...after });
  }

  private subscribeOutput(id: string, watch: OutputWatch): void {
    const after = watch.last > 0 ? { after: watch.last } : {};
    this.say({ type: "subscribe", topics: [`output:${id}`], ...after });
  }

  private say(message: ClientMessage): void {
    if (this.link.phase === "live") this.socket?.send(JSON.stringify(message));
  }

  private hear(message: ServerMessage): void {
    switch (message.type) {
      case "task.created":
      case "task.updated":
      case "task.completed":
      case "task.failed": {
        if (message.seq <= this.highest) return;
        this.highest = message.seq;
        for (const listener of this.eventListeners) listener(message);
        return;
      }
      case "session.updated": {
        if (message.seq <= this.highest) return;
        this.highest = message.seq;
        for (const listener of this.talkListeners) listener(message);
        return;
      }
      case "task.output": {
        const watch = this.outputs.get(message.task_id);
        if (!watch || message.seq <= watch.last) return;
        watch.last = message.seq;
        watch.listener({ seq: message.seq, actor: message.actor, line: message.chunk });
        return;
      }
      case "replay.moment":
        this.setMoment(message);
        return;
      case "error":
        if (message.code === "replay-over")
          this.setMoment({ ...(this.moment ?? { seq: 0, last: 0, time: null, speed: 1 }), state: "over" });
        return;
      case "subscribed":
        this.caughtUp(message.topics, message.seq);
        return;
      default:
        return;
    }
  }

  private caughtUp(topics: string[], seq: number): void {
    const outputs = topics.filter((topic) => topic.startsWith("output:"));
    if (outputs.length === topics.length) {
      for (const topic of outputs) {
        const watch = this.outputs.get(topic.slice("output:".length));
        if (watch) watch.last = Math.max(watch.last, seq);
      }
      return;
    }
    // Also downwards: a new log behind the same address would otherwise look like an endless string of duplicates.
    this.highest = seq;
    for (const listener of this.caughtUpListeners) listener(seq);
  }

  private setMoment(moment: Moment): void {
    this.moment = moment;
    for (const listener of this.momentListeners) listener();
  }

  private setLink(link: Link): void {
    this.link = link;
    for (const listener of this.linkListeners) listener();
  }
}
