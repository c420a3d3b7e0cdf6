import { useEffect, useRef, useState } from "react";
import type { CliLine } from "../../api/types";
import { useLive } from "../../live/provider";

interface StreamEvent {
  type?: unknown;
  delta?: { type?: unknown; text?: unknown };
}

/** What agents have said in the output of a conversation, by the CLI's conversation that each is. */
export class Spoken {
  private readonly paragraphs = new Map<string, string[]>();
  private readonly over = new Set<string>();

  /** Another answer begins: what was said until now belongs to none that is being given. */
  begin(): void {
    for (const speaker of this.paragraphs.keys()) this.over.add(speaker);
  }

  /** Whether the line has words. */
  take(line: CliLine): boolean {
    if (line.type !== "stream_event" || line.parent_tool_use_id || typeof line.session_id !== "string")
      return false;
    const event = (line.event ?? {}) as StreamEvent;
    const said = this.paragraphs.get(line.session_id) ?? [];
    this.paragraphs.set(line.session_id, said);
    if (event.type === "message_start") said.push("");
    if (event.delta?.type !== "text_delta" || typeof event.delta.text !== "string") return false;
    said.push((said.pop() ?? "") + event.delta.text);
    return true;
  }

  /** What the answer that is being given says so far: that of `speaker`, or of the newest whose answer is not over. */
  text(speaker: string, ended: ReadonlySet<string>): string {
    const newest = [...this.paragraphs.keys()].at(-1) ?? "";
    const chosen = speaker || (ended.has(newest) || this.over.has(newest) ? "" : newest);
    const said = this.paragraphs.get(chosen) ?? [];
    return said
      .map((each) => each.trim())
      .filter(Boolean)
      .join("\n\n");
  }
}

/** Tokens come faster than anybody reads. */
const SHOWN_EVERY_MS = 40;

/** The words of the answer that is being given, as they come; `""` while none is. */
export function useSpoken(id: string, answering: boolean, ended: ReadonlySet<string>): string {
  const { client } = useLive();
  const heard = useRef({ spoken: new Spoken(), last: 0 });
  const [speaker, setSpeaker] = useState("");
  const [, show] = useState(0);

  useEffect(
    () =>
      client.onTalk((event) => {
        if (event.session_id !== id) return;
        if (event.event === "answer-started") {
          heard.current.spoken.begin();
          setSpeaker("");
        }
        if (event.event === "claimed") setSpeaker(String(event.data.session ?? ""));
      }),
    [client, id],
  );

  useEffect(() => {
    if (!answering) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = client.watchOutput(id, heard.current.last, ({ seq, line }) => {
      heard.current.last = seq;
      if (!heard.current.spoken.take(line)) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        show((n) => n + 1);
      }, SHOWN_EVERY_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [client, id, answering]);

  return answering ? heard.current.spoken.text(speaker, ended) : "";
}
