import type { AgentActor, CliLine, OutputLine } from "../api/types";
import type { Entry, NoticeEntry, TextEntry, ToolEntry } from "./entries";

/** A call that is still being written is previewed only this far (characters): the whole of it comes with its line. */
const LONGEST_PREVIEW = 2_000;

/** What the CLI tells the *model* when a person has it stopped, and what it notes for its own makers. */
const CALL_BROKEN_OFF = /^The user doesn't want to (?:proceed with this tool use|take this action right now)/;
const INTERRUPTED = /^\[Request interrupted by user/;
const DIAGNOSTIC = /^\[ede_diagnostic\]/;
/** The model that the CLI names when it words a failure itself. */
const NO_MODEL = "<synthetic>";

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const fields = (value: unknown): Fields => (isFields(value) ? value : {});
const str = (value: unknown): string => (typeof value === "string" ? value : "");
const num = (value: unknown): number => (typeof value === "number" ? value : 0);
const list = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isFields) : []);

/** Which streamed block of which message a delta belongs to. */
interface Speaker {
  message: string;
  /** Entry index by content block index, of the blocks that still stream. */
  blocks: Map<number, number>;
  partial: Map<number, string>;
}

/**
 * Folds the CLI's stream-json lines into entries. Deltas build an entry up; the whole `assistant` line then replaces
 * what they built, so a reader who joins late, or a stream without deltas, ends with the same entries. Lines of
 * unknown type are ignored: the CLI has about eighty of them and grows more.
 */
export class Conversation {
  /** Replaced on every change. */
  entries: Entry[] = [];
  private readonly tools = new Map<string, number>();
  private readonly speakers = new Map<string, Speaker>();
  private readonly sessions = new Map<AgentActor, string>();
  private readonly prompted = new Set<string>();
  private readonly ended = new Set<AgentActor>();
  private readonly interrupted = new Set<AgentActor>();
  /** The messages of the executor's agent in its newest session: each is one turn. */
  private readonly messages = new Set<string>();
  private at: number | null = null;
  private current: AgentActor | null = null;

  /** How many turns the executor's agent has had in its newest session. */
  get turns(): number {
    return this.messages.size;
  }

  push(lines: readonly OutputLine[]): void {
    if (lines.length === 0) return;
    this.entries = this.entries.slice();
    for (const { seq, actor, line } of lines) this.fold(seq, actor, line);
  }

  private fold(seq: number, actor: AgentActor, line: CliLine): void {
    const said = Date.parse(str(line.timestamp));
    if (!Number.isNaN(said)) this.at = said;
    switch (line.type) {
      case "system":
        this.system(seq, actor, line);
        break;
      case "stream_event":
        this.streamed(seq, actor, line);
        break;
      case "assistant":
        this.assistant(seq, actor, line);
        break;
      case "user":
        this.user(seq, actor, line);
        break;
      case "tool_progress":
        this.progress(str(line.tool_use_id), num(line.elapsed_time_seconds));
        break;
      case "rate_limit_event":
        this.limit(seq, actor, line);
        break;
      case "result":
        this.result(seq, actor, line);
        break;
    }
  }

  private base(seq: number, actor: AgentActor, key: string, parent = "") {
    return { key, seq, actor, parent, at: this.at };
  }

  private add(entry: Entry): number {
    return this.entries.push(entry) - 1;
  }

  private notice(seq: number, actor: AgentActor, tone: NoticeEntry["tone"], what: NoticeEntry["what"]): void {
    this.add({ ...this.base(seq, actor, `notice:${seq}`), kind: "notice", tone, what });
  }

  private system(seq: number, actor: AgentActor, line: CliLine): void {
    switch (line.subtype) {
      case "init": {
        // The line repeats at every turn; only another agent, another session, or a start without an end before it
        // (the process was killed and resumed) is news.
        const session = str(line.session_id);
        const nextTurn =
          this.ended.has(actor) && this.sessions.get(actor) === session && this.current === actor;
        this.ended.delete(actor);
        this.cutOff(actor);
        if (nextTurn) return;
        // What this process says first has a clock of its own, or none: not that of the process before it.
        this.at = null;
        if (actor === "run" && this.sessions.get(actor) !== session) this.messages.clear();
        this.sessions.set(actor, session);
        this.current = actor;
        this.add({
          ...this.base(seq, actor, `phase:${seq}`),
          kind: "phase",
          model: str(line.model),
          version: str(line.claude_code_version),
          cwd: str(line.cwd),
        });
        return;
      }
      case "api_retry": {
        const status = typeof line.error_status === "number" ? line.error_status : null;
        this.notice(seq, actor, "warn", {
          is: "retry",
          attempt: num(line.attempt),
          max: num(line.max_retries),
          delayMs: num(line.retry_delay_ms),
          status,
          error: str(line.error),
        });
        return;
      }
      case "permission_denied": {
        const [tool, message] = [str(line.tool_name), str(line.message)];
        const index = this.tools.get(str(line.tool_use_id));
        if (index !== undefined) this.change(index, { state: "denied", output: message });
        else this.notice(seq, actor, "warn", { is: "denied", tool, message });
        return;
      }
      case "model_fallback":
        this.notice(seq, actor, "warn", {
          is: "fallback",
          from: str(line.original_model),
          to: str(line.fallback_model),
        });
        return;
      case "informational":
        this.notice(seq, actor, "info", { is: "cli", text: str(line.content) });
        return;
    }
  }

  private limit(seq: number, actor: AgentActor, line: CliLine): void {
    const info = fields(line.rate_limit_info);
    const status = str(info.status);
    if (status === "" || status === "allowed") return;
    const resets = num(info.resetsAt);
    this.notice(seq, actor, status === "rejected" ? "error" : "warn", {
      is: "limit",
      status,
      resetsAt: resets > 0 ? resets * 1_000 : null,
    });
  }

  private streamed(seq: number, actor: AgentActor, line: CliLine): void {
    const event = fields(line.event);
    const parent = str(line.parent_tool_use_id);
    const who = `${actor}/${parent}`;
    if (event.type === "message_start") {
      const message = str(fields(event.message).id);
      this.counted(actor, parent, fields(event.message));
      this.speakers.set(who, { message, blocks: new Map(), partial: new Map() });
      return;
    }
    const speaker = this.speakers.get(who);
    if (!speaker) return;
    const index = num(event.index);
    const at = speaker.blocks.get(index);
    switch (event.type) {
      case "content_block_start":
        this.blockStarted(seq, actor, parent, speaker, index, fields(event.content_block));
        return;
      case "content_block_delta":
        if (at !== undefined) this.delta(speaker, index, at, fields(event.delta));
        return;
      case "content_block_stop": {
        speaker.blocks.delete(index);
        const entry = at === undefined ? undefined : this.entries[at];
        if (at !== undefined && (entry?.kind === "text" || entry?.kind === "thinking"))
          this.entries[at] = { ...entry, streaming: false };
        return;
      }
    }
  }

  private blockStarted(
    seq: number,
    actor: AgentActor,
    parent: string,
    speaker: Speaker,
    index: number,
    block: Fields,
  ): void {
    const key = `${speaker.message}:${index}`;
    if (block.type === "text" || block.type === "thinking") {
      const text = str(block.type === "text" ? block.text : block.thinking);
      const entry: TextEntry = {
        ...this.base(seq, actor, key, parent),
        kind: block.type,
        text,
        streaming: true,
      };
      speaker.blocks.set(index, this.add(entry));
    } else if (block.type === "tool_use") {
      speaker.blocks.set(index, this.tool(seq, actor, parent, block, "preparing"));
      speaker.partial.set(index, "");
    }
  }

  private delta(speaker: Speaker, index: number, at: number, delta: Fields): void {
    const entry = this.entries[at];
    if (entry?.kind === "text" && entry.streaming)
      this.entries[at] = { ...entry, text: entry.text + str(delta.text) };
    else if (entry?.kind === "thinking" && entry.streaming)
      this.entries[at] = { ...entry, text: entry.text + str(delta.thinking) };
    else if (entry?.kind === "tool" && entry.state === "preparing") {
      const partial = (speaker.partial.get(index) ?? "") + str(delta.partial_json);
      speaker.partial.set(index, partial);
      if (partial.length < LONGEST_PREVIEW) this.entries[at] = { ...entry, input: firstStrings(partial) };
    }
  }

  private assistant(seq: number, actor: AgentActor, line: CliLine): void {
    const message = fields(line.message);
    const parent = str(line.parent_tool_use_id);
    this.counted(actor, parent, message);
    list(message.content).forEach((block, index) => {
      if (block.type === "tool_use") {
        this.tool(seq, actor, parent, block, "running");
      } else if (block.type === "text" || block.type === "thinking") {
        const text = str(block.type === "text" ? block.text : block.thinking);
        const at = this.streaming(actor, parent, str(message.id), block.type);
        const entry = at === undefined ? undefined : this.entries[at];
        if (at !== undefined && entry?.kind === block.type)
          this.entries[at] = { ...entry, text, at: entry.at ?? this.at, streaming: false };
        else if (text.trim())
          this.add({
            ...this.base(seq, actor, `${seq}:${index}`, parent),
            kind: block.type,
            text,
            streaming: false,
          });
      }
    });
  }

  private counted(actor: AgentActor, parent: string, message: Fields): void {
    const id = str(message.id);
    if (actor === "run" && !parent && id && message.model !== NO_MODEL) this.messages.add(id);
  }

  /** The entry that the deltas of this message have been building, if it is still open. */
  private streaming(actor: AgentActor, parent: string, message: string, kind: string): number | undefined {
    const speaker = this.speakers.get(`${actor}/${parent}`);
    if (speaker?.message !== message) return undefined;
    for (const at of speaker.blocks.values()) {
      const entry = this.entries[at];
      if (entry?.kind === kind && "streaming" in entry && entry.streaming) return at;
    }
    return undefined;
  }

  private tool(
    seq: number,
    actor: AgentActor,
    parent: string,
    block: Fields,
    state: "preparing" | "running",
  ): number {
    const id = str(block.id);
    const known = this.tools.get(id);
    const before = known === undefined ? undefined : this.entries[known];
    if (known !== undefined && before?.kind === "tool") {
      if (before.state === "preparing")
        this.entries[known] = { ...before, input: fields(block.input), state, at: this.at ?? before.at };
      return known;
    }
    const index = this.add({
      ...this.base(seq, actor, `tool:${id}`, parent),
      kind: "tool",
      id,
      name: str(block.name),
      input: fields(block.input),
      state,
      output: "",
      endedAt: null,
      elapsed: null,
    });
    this.tools.set(id, index);
    return index;
  }

  private change(index: number, changes: Partial<ToolEntry>): void {
    const entry = this.entries[index];
    if (entry?.kind === "tool") this.entries[index] = { ...entry, ...changes };
  }

  private progress(id: string, seconds: number): void {
    const index = this.tools.get(id);
    if (index !== undefined) this.change(index, { elapsed: seconds });
  }

  private user(seq: number, actor: AgentActor, line: CliLine): void {
    const content = fields(line.message).content;
    const blocks: Fields[] = typeof content === "string" ? [{ type: "text", text: content }] : list(content);
    for (const block of blocks) {
      if (block.type === "tool_result") {
        const index = this.tools.get(str(block.tool_use_id));
        if (index === undefined) continue;
        this.answered(actor, index, outputOf(block.content), block.is_error === true);
      } else if (block.type === "text" && str(block.text).trim()) {
        this.said(seq, actor, line, str(block.text));
      }
    }
  }

  private answered(actor: AgentActor, index: number, output: string, failed: boolean): void {
    const entry = this.entries[index];
    const denied = entry?.kind === "tool" && entry.state === "denied";
    if (failed && !denied && CALL_BROKEN_OFF.test(output)) {
      this.interrupted.add(actor);
      this.change(index, { state: "interrupted", endedAt: this.at });
      return;
    }
    const state = denied ? "denied" : failed ? "error" : "ok";
    this.change(index, { state, output, endedAt: this.at });
  }

  private said(seq: number, actor: AgentActor, line: CliLine, text: string): void {
    if (INTERRUPTED.test(text)) {
      this.interrupted.add(actor);
      return;
    }
    if (line.isReplay !== true) {
      this.notice(seq, actor, "info", { is: "cli", text });
      return;
    }
    const run = `${actor}/${str(line.session_id)}`;
    const prompt = !this.prompted.has(run);
    this.prompted.add(run);
    this.add({ ...this.base(seq, actor, `said:${seq}`), kind: "said", text, prompt });
  }

  private result(seq: number, actor: AgentActor, line: CliLine): void {
    const subtype = str(line.subtype);
    const ok = subtype === "success" && line.is_error !== true;
    const stopped =
      !ok &&
      (str(line.terminal_reason).startsWith("aborted") ||
        (subtype === "error_during_execution" && this.interrupted.has(actor)));
    this.interrupted.delete(actor);
    this.ended.add(actor);
    this.cutOff(actor);
    this.add({
      ...this.base(seq, actor, `result:${seq}`),
      kind: "result",
      ok,
      stopped,
      subtype,
      text: str(line.result),
      errors: Array.isArray(line.errors)
        ? line.errors.filter((each) => typeof each === "string" && !DIAGNOSTIC.test(each))
        : [],
      turns: num(line.num_turns),
      durationMs: num(line.duration_ms),
    });
  }

  /** What has not ended by now never will: the process that would have ended it is gone. */
  private cutOff(actor: AgentActor): void {
    for (let index = this.entries.length - 1; index >= 0; index--) {
      const entry = this.entries[index];
      if (entry?.kind === "phase") return;
      if (entry?.actor !== actor) continue;
      if (entry.kind === "tool" && (entry.state === "running" || entry.state === "preparing"))
        this.change(index, { state: "interrupted", endedAt: this.at });
      else if ("streaming" in entry && entry.streaming) this.entries[index] = { ...entry, streaming: false };
    }
  }
}

/** A tool result's text: a string, or a list of text and image blocks. */
function outputOf(content: unknown): string {
  if (typeof content === "string") return content.replace(/<\/?tool_use_error>/g, "");
  return list(content)
    .map((block) => (block.type === "text" ? str(block.text) : `[${str(block.type)}]`))
    .join("\n");
}

/** The string values that a half-received JSON object has so far: enough to say what a call is about. */
function firstStrings(partial: string): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [, name, value] of partial.matchAll(/"(\w+)"\s*:\s*"((?:[^"\\]|\\.)*)"/g)) {
    try {
      if (name) found[name] = JSON.parse(`"${value}"`);
    } catch {
      // Cut in the middle of an escape: the next delta completes it.
    }
  }
  return found;
}
