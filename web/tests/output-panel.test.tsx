import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import type { CliLine, OutputLine, TaskDetail } from "../src/api/types";
import { FakeGateway } from "./support/gateway";
import { openPage } from "./support/page";
import { allow, event, REFUSED, run, task } from "./support/tasks";

const says = (text: string): CliLine => ({
  type: "assistant",
  message: { id: `m-${text}`, content: [{ type: "text", text }] },
  parent_tool_use_id: null,
});
const call = (id: string, command: string): CliLine => ({
  type: "assistant",
  message: { id: `m-${id}`, content: [{ type: "tool_use", id, name: "Bash", input: { command } }] },
  parent_tool_use_id: null,
});
const answer = (id: string, content: string, is_error = false): CliLine => ({
  type: "user",
  message: { role: "user", content: [{ type: "tool_result", tool_use_id: id, content, is_error }] },
});
const numbered = (lines: CliLine[]): OutputLine[] =>
  lines.map((line, index) => ({ seq: index + 1, actor: "run", line }));

async function open(over: Partial<TaskDetail> = {}, lines: CliLine[] = []) {
  const shown = task({ actions: allow("input", "stop"), run: run(), ...over });
  const gateway = new FakeGateway(shown);
  gateway.output = numbered(lines);
  const page = openPage(`/tasks/${shown.id}?tab=output`, gateway);
  await screen.findByRole("heading", { level: 1 });
  return { ...page, gateway, id: shown.id };
}

const log = () => screen.findByRole("log", { name: "Agent output" });

test("the recorded output is shown, and live lines come after it", async () => {
  const { gateway, id } = await open({}, [says("I read the code.")]);
  await within(await log()).findByText("I read the code.");
  await waitFor(() => expect(gateway.topics).toContain(`output:${id}`));
  gateway.tell({ type: "task.output", seq: 2, task_id: id, actor: "run", chunk: says("Now I write it.") });
  expect(await within(await log()).findByText("Now I write it.")).toBeInTheDocument();
});

test("a line that comes twice is shown once", async () => {
  const { gateway, id } = await open({}, [says("I read the code.")]);
  await within(await log()).findByText("I read the code.");
  await waitFor(() => expect(gateway.topics).toContain(`output:${id}`));
  gateway.tell({ type: "task.output", seq: 1, task_id: id, actor: "run", chunk: says("I read the code.") });
  gateway.tell({ type: "task.output", seq: 2, task_id: id, actor: "run", chunk: says("Now I write it.") });
  await within(await log()).findByText("Now I write it.");
  expect(within(await log()).getAllByText("I read the code.")).toHaveLength(1);
});

test("searching counts the matches over the whole output and steps through them", async () => {
  const { user } = await open({}, [says("A greeting."), says("A pagination."), says("Another greeting.")]);
  await within(await log()).findByText("A greeting.");
  await user.type(screen.getByRole("searchbox", { name: "Search output" }), "greeting");
  expect(await screen.findByText("1 / 2")).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Next match" }));
  expect(await screen.findByText("2 / 2")).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Next match" }));
  expect(await screen.findByText("1 / 2")).toBeInTheDocument();
});

test("a pattern that is not valid says so instead of finding nothing", async () => {
  const { user } = await open({}, [says("A greeting.")]);
  await within(await log()).findByText("A greeting.");
  await user.click(screen.getByRole("button", { name: "Regular expression" }));
  await user.type(screen.getByRole("searchbox", { name: "Search output" }), "(");
  expect(await screen.findByText("not valid")).toBeInTheDocument();
  expect(screen.getByRole("searchbox", { name: "Search output" })).toHaveAttribute("aria-invalid", "true");
});

test("only the errors are shown when they are asked for, and how much that hides is said", async () => {
  const { user } = await open({}, [
    says("I run the tests."),
    call("t1", "pytest -q"),
    answer("t1", "2 failed", true),
  ]);
  await within(await log()).findByText("I run the tests.");
  await user.click(screen.getByRole("button", { name: "Errors only" }));
  expect(await screen.findByText(/1 entry hidden by the filter/)).toBeInTheDocument();
  expect(within(await log()).queryByText("I run the tests.")).toBeNull();
  expect(within(await log()).getByText("2 failed")).toBeInTheDocument();
});

test("the raw view shows the lines as the CLI wrote them", async () => {
  const { user } = await open({}, [says("I read the code.")]);
  await log();
  await user.click(screen.getByRole("button", { name: "Raw" }));
  const raw = await screen.findByRole("log", { name: "Agent output, raw lines" });
  expect(raw).toHaveTextContent('"type":"assistant"');
});

test("HTML in the agent's output stays text", async () => {
  await open({}, [says('<img src="x" onerror="alert(1)"> done')]);
  expect(await within(await log()).findByText(/onerror/)).toBeInTheDocument();
  expect((await log()).querySelector("img")).toBeNull();
});

test("a running task without output says that it will come", async () => {
  await open();
  expect(await screen.findByText("No output yet")).toBeInTheDocument();
});

test("a task that ended without output says that there is none", async () => {
  await open({ status: "completed", actions: allow() });
  expect(await screen.findByText("No output")).toBeInTheDocument();
});

test("a message to the agent is sent with Enter, and its draft is gone once it is delivered", async () => {
  const { user, gateway, id } = await open();
  const box = await screen.findByRole("textbox", { name: "Message to the agent" });
  await user.type(box, "Use pathlib{Enter}");
  await waitFor(() => expect(box).toHaveValue(""));
  expect(gateway.commands).toMatchObject([
    { path: `/api/tasks/${id}/input`, body: { message: "Use pathlib" } },
  ]);
  expect(screen.getByText(/^Sent\./)).toBeInTheDocument();
});

test("Shift and Enter make a new line instead of sending", async () => {
  const { user, gateway } = await open();
  const box = await screen.findByRole("textbox", { name: "Message to the agent" });
  await user.type(box, "One{Shift>}{Enter}{/Shift}two");
  expect(box).toHaveValue("One\ntwo");
  expect(gateway.commands).toEqual([]);
});

test("a message that was not delivered stays in its box, and why is said", async () => {
  const { user, gateway } = await open();
  gateway.commandsFail = { status: 409, detail: "The agent has just finished." };
  const box = await screen.findByRole("textbox", { name: "Message to the agent" });
  await user.type(box, "Use pathlib{Enter}");
  const toast = await screen.findByRole("dialog", { name: "The message was not delivered" });
  expect(toast).toHaveTextContent("The agent has just finished.");
  expect(box).toHaveValue("Use pathlib");
});

test("a draft is kept per task", async () => {
  sessionStorage.setItem("journeyman.draft.01KMINE", "half a thought");
  await open({ id: "01KMINE" });
  expect(await screen.findByRole("textbox", { name: "Message to the agent" })).toHaveValue("half a thought");
});

test("where the answer refuses messages, the composer is disabled and says why", async () => {
  await open({ actions: allow("stop") });
  expect(await screen.findByRole("textbox", { name: "Message to the agent" })).toBeDisabled();
  expect(screen.getByText(REFUSED)).toBeInTheDocument();
});

test("what a person said stands in the output even when the agent does not repeat it", async () => {
  const shown = task({ run: run() });
  const gateway = new FakeGateway(shown);
  gateway.output = numbered([says("I read the code.")]);
  gateway.timeline = [event(5, "input-given", { data: { message: "Use pathlib" } })];
  openPage(`/tasks/${shown.id}?tab=output`, gateway);
  expect(await within(await log()).findByText("Use pathlib")).toBeInTheDocument();
});

const ASKED: CliLine = {
  type: "assistant",
  message: {
    id: "m-ask",
    content: [
      {
        type: "tool_use",
        id: "ask",
        name: "AskUserQuestion",
        input: { questions: [{ question: "Which colour?", options: [{ label: "Blue" }, { label: "Red" }] }] },
      },
    ],
  },
  parent_tool_use_id: null,
};

test("the card of a question shows the question and waits instead of running", async () => {
  await open({ status: "waiting-input", question: "Which colour?" }, [ASKED]);
  const shown = within(await log());
  expect(await shown.findByText("Which colour?")).toBeInTheDocument();
  expect(shown.getByText("Waits for an answer")).toBeInTheDocument();
  expect(shown.queryByText("running")).toBeNull();
});

test("a stopped agent's end says who stopped it and why, and nothing of the CLI's own words", async () => {
  const shown = task({ status: "cancelled", run: run({ status: "stopped" }) });
  const gateway = new FakeGateway(shown);
  gateway.output = numbered([
    says("I begin."),
    { ...(answer("t1", "[Request interrupted by user]") as object), timestamp: "2026-11-22T07:14:05Z" },
    {
      type: "result",
      subtype: "error_during_execution",
      terminal_reason: "aborted_streaming",
      is_error: true,
      duration_ms: 3_800,
      errors: ["[ede_diagnostic] result_type=user last_content_type=n/a"],
    },
  ]);
  gateway.timeline = [event(5, "stop-requested", { data: { reason: "Not in Rust, please" } })];
  openPage(`/tasks/${shown.id}?tab=output`, gateway);
  expect(await within(await log()).findByText(/^Stopped by ada: Not in Rust, please/)).toBeInTheDocument();
  expect(await log()).not.toHaveTextContent(/ede_diagnostic|error_during_execution/);
});

test("an error of the model's API is named where the agent ended", async () => {
  await open({ status: "failed" }, [
    { type: "result", subtype: "success", is_error: true, duration_ms: 3_800, result: "API Error: 400 odd" },
  ]);
  expect(await within(await log()).findByText("Ended after 3.8 s: API Error: 400 odd")).toBeInTheDocument();
});

test("attempts are labelled, and offered to go to", async () => {
  const shown = task({ attempt: 2, run: run({ attempt: 2 }) });
  const gateway = new FakeGateway(shown);
  const said = (text: string, time: string) => ({ ...says(text), timestamp: time });
  const begins = (session: string): CliLine => ({ type: "system", subtype: "init", session_id: session });
  gateway.output = numbered([
    begins("s1"),
    said("First.", "2026-11-22T07:14:10Z"),
    { type: "result", subtype: "success" },
    begins("s2"),
    said("Again.", "2026-11-22T07:24:10Z"),
  ]);
  const claimed = (seq: number, attempt: number, time: string) =>
    event(seq, "claimed", { kind: "run", time, data: { attempt, worker: `studio:${attempt}` } });
  gateway.timeline = [claimed(5, 1, "2026-11-22T07:14:00Z"), claimed(9, 2, "2026-11-22T07:24:00Z")];
  const { user } = openPage(`/tasks/${shown.id}?tab=output`, gateway);
  const shownLog = within(await log());
  expect(await shownLog.findByRole("heading", { name: "Attempt 2" })).toBeInTheDocument();
  expect(shownLog.getByText("by studio:2")).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: /^Attempt/ }));
  expect((await screen.findAllByRole("menuitemradio")).map((each) => each.textContent)).toEqual([
    "Go to…",
    expect.stringMatching(/^Attempt 1/),
    expect.stringMatching(/^Attempt 2/),
  ]);
});

test("a log that fits has no way to its end", async () => {
  await open({ status: "completed", actions: allow() }, [says("All of it.")]);
  await within(await log()).findByText("All of it.");
  expect(screen.queryByRole("button", { name: "To the end" })).toBeNull();
});

test("the header counts the turns of the output, and checkpoints only where it has not been read", async () => {
  const { user } = await open({ run: run({ turn: 11 }) }, [says("One."), says("Two.")]);
  await within(await log()).findByText("Two.");
  expect(screen.getByText("Attempt 1 on executor-1, turn 2")).toBeInTheDocument();
  await user.click(screen.getByRole("tab", { name: /Timeline/ }));
  expect(screen.getByText("Attempt 1 on executor-1, turn 2")).toBeInTheDocument();
});
