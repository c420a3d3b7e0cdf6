import { describe, expect, test } from "vitest";
import type { AgentActor, CliLine, OutputLine, TimelineItem } from "../src/api/types";
import { attemptsOf, withAttempts } from "../src/transcript/attempts";
import { Conversation } from "../src/transcript/conversation";
import { problemsOf, stopAt, stopsOf } from "../src/transcript/endings";
import {
  type Entry,
  isError,
  type ResultEntry,
  rowsOf,
  searchText,
  type ToolEntry,
} from "../src/transcript/entries";
import { withInputs } from "../src/transcript/inputs";
import { askedOf, editOf, targetOf, verbOf } from "../src/transcript/tools";

const at = (second: number) => `2026-11-22T07:14:${String(second).padStart(2, "0")}.000Z`;

function fold(lines: CliLine[], actor: AgentActor = "run"): Entry[] {
  const conversation = new Conversation();
  conversation.push(lines.map((line, index): OutputLine => ({ seq: index + 1, actor, line })));
  return conversation.entries;
}

const init = (session = "s1"): CliLine => ({
  type: "system",
  subtype: "init",
  session_id: session,
  cwd: "/srv/t",
  model: "claude-opus-5-5",
  claude_code_version: "2.1.330",
});
const event = (fields: object): CliLine => ({
  type: "stream_event",
  event: fields,
  parent_tool_use_id: null,
});
const assistant = (id: string, block: object, second = 0, parent: string | null = null): CliLine => ({
  type: "assistant",
  message: { id, content: [block] },
  parent_tool_use_id: parent,
  timestamp: at(second),
});
const result = (id: string, content: unknown, second = 0, is_error = false): CliLine => ({
  type: "user",
  message: { role: "user", content: [{ type: "tool_result", tool_use_id: id, content, is_error }] },
  timestamp: at(second),
});
const call = (id: string, name: string, input: object, second = 0): CliLine =>
  assistant(`m-${id}`, { type: "tool_use", id, name, input }, second);

const ended: CliLine = {
  type: "result",
  subtype: "success",
  is_error: false,
  num_turns: 1,
  duration_ms: 5,
  result: "",
};

const STREAMED_TEXT: CliLine[] = [
  event({ type: "message_start", message: { id: "m1" } }),
  event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
  event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Writing the " } }),
  event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "module." } }),
];

const tools = (entries: readonly Entry[]): ToolEntry[] => entries.filter((entry) => entry.kind === "tool");

describe("the conversation", () => {
  test("shows text as it streams", () => {
    expect(fold(STREAMED_TEXT)).toMatchObject([
      { kind: "text", text: "Writing the module.", streaming: true },
    ]);
  });

  test("replaces streamed text by the whole line and does not show it twice", () => {
    const whole = assistant("m1", { type: "text", text: "Writing the module." }, 3);
    const stop = event({ type: "content_block_stop", index: 0 });
    expect(fold([...STREAMED_TEXT, whole, stop])).toMatchObject([
      { kind: "text", text: "Writing the module.", streaming: false },
    ]);
  });

  test("reads the same with and without deltas", () => {
    const whole = [
      assistant("m1", { type: "text", text: "Writing the module." }),
      call("t1", "Bash", { command: "ls" }),
      result("t1", "a.txt"),
    ];
    const streamed = [
      ...STREAMED_TEXT,
      whole[0] as CliLine,
      event({ type: "content_block_stop", index: 0 }),
      event({ type: "message_start", message: { id: "m-t1" } }),
      event({
        type: "content_block_start",
        index: 0,
        content_block: { type: "tool_use", id: "t1", name: "Bash", input: {} },
      }),
      event({
        type: "content_block_delta",
        index: 0,
        delta: { type: "input_json_delta", partial_json: '{"command": "l' },
      }),
      ...whole.slice(1),
      event({ type: "content_block_stop", index: 0 }),
    ];
    const essence = (entries: Entry[]) => entries.map(({ key: _key, seq: _seq, ...rest }) => rest);
    expect(essence(fold(streamed))).toEqual(essence(fold(whole)));
  });

  test("names a call's target while its input is still being written", () => {
    const entries = fold([
      event({ type: "message_start", message: { id: "m1" } }),
      event({
        type: "content_block_start",
        index: 0,
        content_block: { type: "tool_use", id: "t1", name: "Write", input: {} },
      }),
      event({
        type: "content_block_delta",
        index: 0,
        delta: { type: "input_json_delta", partial_json: '{"file_path": "/srv/t/a.py", "cont' },
      }),
    ]);
    expect(tools(entries)[0]).toMatchObject({ state: "preparing", input: { file_path: "/srv/t/a.py" } });
  });

  test("ties a result to its call, with state and duration", () => {
    const [tool] = tools(fold([init(), call("t1", "Bash", { command: "ls" }, 1), result("t1", "a.txt", 4)]));
    expect(tool).toMatchObject({ state: "ok", output: "a.txt" });
    expect((tool?.endedAt ?? 0) - (tool?.at ?? 0)).toBe(3_000);
  });

  test("keeps the calls of one turn apart when their results come out of order", () => {
    const entries = fold([
      call("t1", "Bash", { command: "one" }),
      call("t2", "Bash", { command: "two" }),
      result("t2", "second"),
      result("t1", "first"),
    ]);
    expect(tools(entries).map((tool) => tool.output)).toEqual(["first", "second"]);
  });

  test("marks failures, and refusals as refusals", () => {
    const entries = fold([
      call("t1", "Bash", { command: "false" }),
      result("t1", "<tool_use_error>Exit code 3\nout</tool_use_error>", 1, true),
      call("t2", "Read", { file_path: "/etc/shadow" }),
      {
        type: "system",
        subtype: "permission_denied",
        tool_name: "Read",
        tool_use_id: "t2",
        message: "not allowed",
      },
      result("t2", "not allowed", 2, true),
    ]);
    expect(tools(entries).map(({ state, output }) => ({ state, output }))).toEqual([
      { state: "error", output: "Exit code 3\nout" },
      { state: "denied", output: "not allowed" },
    ]);
    expect(entries.filter(isError)).toHaveLength(2);
  });

  test("calls what never got a result cut off once the agent has ended", () => {
    const entries = fold([
      call("t1", "Bash", { command: "sleep 999" }),
      {
        type: "result",
        subtype: "error_during_execution",
        is_error: true,
        num_turns: 1,
        duration_ms: 5,
        errors: ["x"],
      },
    ]);
    expect(tools(entries)[0]?.state).toBe("interrupted");
    expect(entries.at(-1)).toMatchObject({ kind: "result", ok: false, errors: ["x"] });
  });

  test("a result that says success but is an error is an error", () => {
    const entries = fold([
      {
        type: "result",
        subtype: "success",
        is_error: true,
        num_turns: 1,
        duration_ms: 5,
        result: "API Error: 401",
      },
    ]);
    expect(entries[0]).toMatchObject({ kind: "result", ok: false, text: "API Error: 401" });
  });

  test("shows one heading per agent and session, though init repeats at each turn", () => {
    const lines: OutputLine[] = [
      { seq: 1, actor: "plan", line: init("p") },
      { seq: 2, actor: "plan", line: ended },
      { seq: 3, actor: "plan", line: init("p") },
      { seq: 4, actor: "run", line: init("r") },
      { seq: 5, actor: "run", line: ended },
      { seq: 6, actor: "run", line: init("r2") },
    ];
    const conversation = new Conversation();
    conversation.push(lines);
    const headings = conversation.entries.filter((entry) => entry.kind === "phase");
    expect(headings.map((entry) => entry.actor)).toEqual(["plan", "run", "run"]);
  });

  test("shows that a killed agent was started again, and cuts off what the kill cut off", () => {
    const entries = fold([init("s"), call("t1", "Bash", { command: "sleep 9" }), init("s")]);
    expect(entries.map((entry) => entry.kind)).toEqual(["phase", "tool", "phase"]);
    expect(tools(entries)[0]?.state).toBe("interrupted");
  });

  test("keeps a subagent's words under the call that started it", () => {
    const entries = fold([
      call("t1", "Agent", { description: "review it" }),
      assistant("m9", { type: "text", text: "looking" }, 1, "t1"),
    ]);
    expect(entries[1]).toMatchObject({ kind: "text", parent: "t1" });
  });

  test("tells the first message from what people say later", () => {
    const said = (content: string): CliLine => ({
      type: "user",
      isReplay: true,
      session_id: "s1",
      message: { role: "user", content },
    });
    expect(fold([said("do it"), said("also bananas")])).toMatchObject([
      { kind: "said", prompt: true },
      { kind: "said", prompt: false, text: "also bananas" },
    ]);
  });

  test("ignores lines it does not know and fields that are not what they should be", () => {
    expect(
      fold([
        { type: "brand_new" },
        { type: "assistant", message: "?" },
        { type: "system" },
        { type: "user" },
        {},
      ]),
    ).toEqual([]);
  });

  test("never changes an entry that it has handed out", () => {
    const conversation = new Conversation();
    conversation.push([{ seq: 1, actor: "run", line: call("t1", "Bash", { command: "ls" }) }]);
    const before = conversation.entries;
    conversation.push([{ seq: 2, actor: "run", line: result("t1", "a.txt") }]);
    expect(tools(before)[0]?.state).toBe("running");
    expect(tools(conversation.entries)[0]?.state).toBe("ok");
  });
});

describe("rows", () => {
  const read = (n: number): CliLine[] => [
    call(`r${n}`, "Read", { file_path: `/srv/t/${n}` }),
    result(`r${n}`, "text"),
  ];

  test("fold three look-ups in a row into one", () => {
    const rows = rowsOf(fold([...read(1), ...read(2), ...read(3), call("t", "Bash", { command: "ls" })]));
    expect(rows.map((row) => row.kind)).toEqual(["group", "tool"]);
  });

  test("keep fewer, failed and opened ones as they are", () => {
    const failed = [call("r9", "Read", { file_path: "/nope" }), result("r9", "no such file", 1, true)];
    expect(rowsOf(fold([...read(1), ...failed, ...read(2), ...read(3)])).map((row) => row.kind)).toEqual(
      Array(4).fill("tool"),
    );
    const three = fold([...read(1), ...read(2), ...read(3)]);
    expect(rowsOf(three, new Set(["group:tool:r1"]))).toHaveLength(3);
  });
});

describe("people's words", () => {
  test("stand where they were said, and once", () => {
    const entries = fold([
      assistant("m1", { type: "text", text: "one" }, 1),
      assistant("m2", { type: "text", text: "two" }, 5),
    ]);
    const input = {
      kind: "said",
      key: "input:7",
      seq: 0,
      actor: "run",
      parent: "",
      text: "hurry",
      prompt: false,
      at: Date.parse(at(3)),
    } as const;
    expect(withInputs(entries, [input]).map(searchText)).toEqual(["one", "hurry", "two"]);
    const repeated = withInputs(entries, [input]);
    expect(withInputs(repeated, [input])).toHaveLength(3);
  });
});

describe("tool cards", () => {
  const tool = (name: string, input: Record<string, unknown>) =>
    tools(fold([call("t1", name, input)]))[0] as ToolEntry;

  test("say verb and target in the repository's own paths", () => {
    const edit = tool("Edit", { file_path: "/srv/t/src/a.py" });
    expect([verbOf(edit), targetOf(edit, "/srv/t")]).toEqual(["Edited", "src/a.py"]);
    expect(targetOf(tool("Bash", { command: "make test\nmake lint" }), "")).toBe("make test");
    expect(verbOf(tool("mcp__tracker__create", {}))).toBe("tracker · create");
    expect(verbOf(tool("NewTool", {}))).toBe("NewTool");
  });

  test("show of an edit what changes, and the rest as context", () => {
    const edit = tool("Edit", { old_string: "a\nb\nc", new_string: "a\nB\nc" });
    expect(editOf(edit)?.map(({ sign, text }) => sign + text)).toEqual([" a", "-b", "+B", " c"]);
    expect(editOf(tool("Bash", {}))).toBeNull();
  });
});

/** As the CLI of the recording `stop-interrupt-control` ends when it is stopped during a call. */
const STOPPED: CliLine[] = [
  init(),
  call("t1", "Bash", { command: "sleep 1000" }, 1),
  result(
    "t1",
    "The user doesn't want to proceed with this tool use. The tool use was rejected. STOP what you are doing.",
    2,
    true,
  ),
  {
    type: "user",
    message: {
      role: "user",
      content: [{ type: "text", text: "[Request interrupted by user for tool use]" }],
    },
    timestamp: at(2),
  },
  {
    type: "result",
    subtype: "error_during_execution",
    terminal_reason: "aborted_tools",
    is_error: true,
    num_turns: 3,
    errors: ["[ede_diagnostic] result_type=user last_content_type=n/a stop_reason=tool_use"],
  },
];
const moment = (seq: number, kind: string, name: string, second: number, data: object): TimelineItem => ({
  seq,
  kind,
  event: name,
  version: 1,
  time: at(second),
  principal: "user:ada",
  summary: "",
  data: { ...data },
});

describe("an agent that was stopped", () => {
  test("shows nothing of what the CLI tells the model or its makers", () => {
    const entries = fold(STOPPED);
    expect(entries.map(searchText).join("\n")).not.toMatch(/doesn't want|interrupted by user|ede_diagnostic/);
    expect(tools(entries)).toMatchObject([{ state: "interrupted", output: "" }]);
    expect(entries.at(-1)).toMatchObject({ kind: "result", ok: false, stopped: true, errors: [] });
    expect(entries.filter(isError)).toEqual([]);
  });

  test("is known for stopped by its interruption where the CLI gives no reason", () => {
    const old = STOPPED.map(({ terminal_reason: _, ...line }) => line as CliLine);
    expect(fold(old).at(-1)).toMatchObject({ stopped: true });
    expect(fold([init(), ...old.slice(-1)]).at(-1), "broken off by itself").toMatchObject({ stopped: false });
  });

  test("says who stopped it, and why", () => {
    const stops = stopsOf([
      moment(1, "task", "stop-requested", 1, { reason: "Not in Rust, please" }),
      moment(2, "task", "stop-requested", 30, {}),
    ]);
    expect(stopAt(stops, Date.parse(at(2)))).toBe("Stopped by ada: Not in Rust, please");
    expect(stopAt(stops, Date.parse(at(40)))).toBe("Stopped by ada");
    expect(stopAt([], Date.parse(at(2)))).toBe("");
  });
});

describe("an agent that ended badly", () => {
  const end = (over: CliLine) => fold([init(), { ...ended, is_error: true, ...over }]).at(-1) as ResultEntry;

  test.each([
    ["API Error: 400 prompt is weird", { result: "API Error: 400 prompt is weird" }],
    ["an error that it did not name", {}],
    [
      "it has had all its turns",
      { subtype: "error_max_turns", errors: ["Reached maximum number of turns (3)"] },
    ],
    ["the agent broke off", { subtype: "error_during_execution", errors: ["[ede_diagnostic] x"] }],
  ])("never says success, but %j", (problem, over) => {
    expect(problemsOf(end(over))[0]).toBe(problem);
    expect(problemsOf(end(over)).join()).not.toContain("ede_diagnostic");
  });
});

describe("the turns", () => {
  const turns = (lines: CliLine[]) => {
    const conversation = new Conversation();
    conversation.push(lines.map((line, index): OutputLine => ({ seq: index + 1, actor: "run", line })));
    return conversation.turns;
  };

  test("are the agent's messages, however many lines one has, and not those of subagents or of the CLI itself", () => {
    const lines = [
      init(),
      ...STREAMED_TEXT,
      assistant("m1", { type: "text", text: "Writing the module." }),
      call("t1", "Bash", {}),
      assistant("m-sub", { type: "text", text: "I look." }, 0, "t1"),
      { type: "assistant", message: { id: "m-err", model: "<synthetic>", content: [] } },
    ];
    expect(turns(lines)).toBe(2);
  });

  test("begin anew with another session", () => {
    expect(turns([init("s1"), call("t1", "Bash", {}), ended, init("s2"), call("t2", "Bash", {})])).toBe(1);
  });
});

describe("a retry", () => {
  const two = [
    init("s1"),
    assistant("m1", { type: "text", text: "First." }, 5),
    ended,
    init("s2"),
    event({ type: "message_start", message: { id: "m2" } }),
    event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
    event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Again." } }),
  ];
  const claim = (seq: number, attempt: number, second: number, kind = "run") =>
    moment(seq, kind, "claimed", second, { attempt, worker: `w${attempt}` });
  const kinds = (entries: readonly Entry[]) =>
    entries.map((entry) => (entry.kind === "attempt" ? `${entry.actor} ${entry.attempt}` : entry.kind));

  test("does not begin with the last time of the attempt before", () => {
    expect(fold(two).at(-1)).toMatchObject({ text: "Again.", at: null });
    const said = assistant("m2", { type: "text", text: "Again." }, 50);
    expect(fold([...two, said]).at(-1)).toMatchObject({ text: "Again.", at: Date.parse(at(50)) });
  });

  test("is set apart: each attempt stands before the first of its agent's words", () => {
    const said = assistant("m2", { type: "text", text: "Again." }, 50);
    const entries = withAttempts(fold([...two, said]), attemptsOf([claim(1, 1, 1), claim(2, 2, 45)]));
    expect(kinds(entries)).toEqual(["run 1", "phase", "text", "result", "run 2", "phase", "text"]);
    expect(entries[4]).toMatchObject({ worker: "w2", at: Date.parse(at(45)) });
  });

  test("whose agent has said no time yet is the newest attempt", () => {
    const entries = withAttempts(fold(two), attemptsOf([claim(1, 1, 1), claim(2, 2, 45)]));
    expect(kinds(entries)).toEqual(["run 1", "phase", "text", "result", "run 2", "phase", "text"]);
  });

  test("without any output stands at the end", () => {
    const entries = withAttempts(fold(two.slice(0, 3)), attemptsOf([claim(1, 1, 1), claim(2, 2, 45)]));
    expect(kinds(entries)).toEqual(["run 1", "phase", "text", "result", "run 2"]);
  });

  test("of the planner is told apart from the executor's, and one attempt of a planner is nothing to speak of", () => {
    expect(attemptsOf([claim(1, 1, 1, "plan"), claim(2, 1, 9)])).toMatchObject([
      { actor: "run", attempt: 1 },
    ]);
    const items = [claim(1, 1, 1, "plan"), claim(2, 2, 4, "plan"), claim(3, 1, 9)];
    expect(attemptsOf(items).map(({ actor }) => actor)).toEqual(["plan", "plan", "run"]);
  });
});

test("a call that asks a person holds its questions and the answers it offers", () => {
  const [tool] = tools(
    fold([
      call("t1", "AskUserQuestion", {
        questions: [{ question: "Which?", options: [{ label: "A", description: "a" }, { label: "B" }] }],
      }),
    ]),
  );
  expect(tool && askedOf(tool)).toEqual([{ question: "Which?", options: ["A", "B"] }]);
  const [other] = tools(fold([call("t2", "Bash", { command: "ls" })]));
  expect(other && askedOf(other)).toBeNull();
});
