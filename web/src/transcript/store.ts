import { ApiError } from "../api/client";
import { transcriptPage } from "../api/queries";
import type { OutputLine } from "../api/types";
import type { LiveClient } from "../live/client";
import { Conversation } from "./conversation";
import type { Entry } from "./entries";

/** What the log panel shows; replaced at each change, at most once per frame. */
export interface LogView {
  lines: readonly OutputLine[];
  entries: readonly Entry[];
  /** How many turns the executor's agent has had in its newest session. */
  turns: number;
  /** "lost": there was a conversation, and nobody keeps it any more. */
  state: "loading" | "ready" | "failed" | "lost";
}

const FRAME_MS = 33;

/**
 * One task's output: the recorded lines first, then the live ones, as one ordered stream without gap or repetition.
 * The transcript's last sequence is where the live subscription goes on.
 */
export class LogStore {
  private readonly conversation = new Conversation();
  private readonly lines: OutputLine[] = [];
  private waiting: OutputLine[] = [];
  private view: LogView = { lines: [], entries: [], turns: 0, state: "loading" };
  private readonly listeners = new Set<() => void>();
  private frame: ReturnType<typeof setTimeout> | undefined;
  private readonly abort = new AbortController();
  private unwatch: (() => void) | null = null;
  private lost = false;

  constructor(
    private readonly id: string,
    private readonly client: LiveClient,
  ) {}

  getView = (): LogView => this.view;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  async open(): Promise<void> {
    const loaded = await this.load();
    if (this.abort.signal.aborted) return;
    this.unwatch = this.client.watchOutput(this.id, this.lastSeq(), (line) => this.take([line]));
    this.publish(loaded ? "ready" : this.lost ? "lost" : "failed");
  }

  /** Reads what is recorded beyond the last known line: the way on while no socket can be had. */
  async load(): Promise<boolean> {
    try {
      for (;;) {
        const page = await transcriptPage(this.id, this.lastSeq(), this.abort.signal);
        this.take(page.items);
        if (page.next_after === null || page.items.length === 0) return true;
      }
    } catch (error) {
      this.lost = error instanceof ApiError && error.code === "conversation-lost";
      return false;
    }
  }

  close(): void {
    this.abort.abort();
    this.unwatch?.();
    clearTimeout(this.frame);
  }

  private lastSeq(): number {
    return (this.waiting.at(-1) ?? this.lines.at(-1))?.seq ?? 0;
  }

  private take(lines: readonly OutputLine[]): void {
    for (const line of lines) if (line.seq > this.lastSeq()) this.waiting.push(line);
    if (this.waiting.length > 0) this.frame ??= setTimeout(() => this.publish("ready"), FRAME_MS);
  }

  private publish(state: LogView["state"]): void {
    clearTimeout(this.frame);
    this.frame = undefined;
    const fresh = this.waiting;
    this.waiting = [];
    for (const line of fresh) this.lines.push(line);
    this.conversation.push(fresh);
    const { entries, turns } = this.conversation;
    this.view = { lines: this.lines.slice(), entries, turns, state };
    for (const listener of this.listeners) listener();
  }
}
