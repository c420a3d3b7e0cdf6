import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import type { CliLine, TaskDetail } from "../src/api/types";
import { FakeGateway } from "./support/gateway";
import { openPage } from "./support/page";
import { allow, check, event, plan, run, task } from "./support/tasks";

const RLO = "\u202e";
const ZWSP = "\u200b";

async function open(
  over: Partial<TaskDetail>,
  tab: string,
  prepare: (gateway: FakeGateway) => void = () => {},
) {
  const shown = task({ run: run(), ...over });
  const gateway = new FakeGateway(shown);
  prepare(gateway);
  openPage(`/tasks/${shown.id}?tab=${tab}`, gateway);
  await screen.findByRole("tab", { name: /^Plan/ });
}

/** The document holds no hidden character, so none can do anything; U+202E stands where one was. */
function expectMarked(container: HTMLElement = document.body, mark = "U+202E") {
  expect(container.textContent).not.toMatch(/[\u200b-\u200f\u202a-\u202e\u2066-\u2069\u001b]/);
  expect(container.querySelector(".hidden-mark")).toHaveTextContent(mark);
}

test("a title's hidden characters are marked in the list, and its direction ends with it", async () => {
  openPage("/", new FakeGateway(task({ title: `API title ${RLO}gnp.exe` })));
  const title = await screen.findByText("U+202E");
  expect(title.closest("bdi")).toHaveTextContent("API title U+202Egnp.exe");
  expectMarked();
});

test("a title's hidden characters are marked on the task's page and in the document's title", async () => {
  await open({ title: `API title ${RLO}gnp.exe` }, "details");
  expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("API title U+202Egnp.exe");
  expect(screen.getByRole("heading", { level: 1 }).title).toBe("API title <U+202E>gnp.exe");
  expect(document.title).toContain("API title <U+202E>gnp.exe");
  expectMarked();
});

const DIFF = [
  "diff --git a/access.py b/access.py",
  "index 1111111..2222222 100644",
  "--- a/access.py",
  "+++ b/access.py",
  "@@ -1,2 +1,2 @@",
  " import os\r",
  '-if access_level != "user":',
  `+if access_level != "user${RLO} \u2066# Check if admin\u2069 \u2066":${ZWSP}`,
  "",
].join("\n");

test("a diff shows hidden characters as marks, and says before it that it has some", async () => {
  await open({ commit: "c0ffee", status: "completed" }, "changes", (gateway) => {
    gateway.diff = DIFF;
  });
  const warning = await screen.findByRole("note");
  expect(warning).toHaveTextContent("This diff contains 5 hidden characters.");
  expect(warning).toHaveTextContent("U+202E, U+2066, U+2069, U+200B");
  expect(within(warning).getByRole("link", { name: "access.py" })).toHaveAttribute("href", "#file-0");
  const line = [...document.querySelectorAll("td.diff-code-insert")].map((cell) => cell.textContent);
  expect(line).toEqual(['if access_level != "userU+202E U+2066# Check if adminU+2069 U+2066":U+200B']);
  expectMarked();
});

test("a diff without hidden characters warns of nothing, also when its lines end with CR LF", async () => {
  await open({ commit: "c0ffee", status: "completed" }, "changes", (gateway) => {
    gateway.diff = DIFF.replaceAll(/[\u2066\u2069\u202e\u200b]/g, "");
  });
  await screen.findByRole("region", { name: "access.py" });
  expect(screen.queryByRole("note")).toBeNull();
  expect(document.querySelector(".hidden-mark")).toBeNull();
});

test("a file's name is marked wherever a diff names it", async () => {
  await open({ commit: "c0ffee", status: "completed" }, "changes", (gateway) => {
    gateway.diff = DIFF.replaceAll("access.py", `a${RLO}yp.py`);
  });
  expect(await screen.findByRole("region", { name: "a<U+202E>yp.py" })).toHaveTextContent("aU+202Eyp.py");
  expectMarked();
});

test.each([
  ["as it is", `Delete ${RLO}nothing`],
  ["as a character reference", "Delete &#x202e;nothing"],
  ["in raw HTML", `Delete <b title="${RLO}">nothing</b>`],
  ["in code", `Run \`rm${RLO} x\``],
])("a plan with a hidden character %s warns before it is approved", async (_, markdown) => {
  await open(
    { status: "awaiting-approval", plans: [plan(1, markdown)], plan_version: 1, actions: allow("approve") },
    "plan",
  );
  const article = screen.getByRole("article");
  expect(within(article).getByRole("note")).toHaveTextContent(
    /This plan contains 1 hidden character\..*U\+202E/,
  );
  expectMarked(article);
});

test("letters that need a joiner, and emoji, are no hidden characters", async () => {
  await open(
    { status: "awaiting-approval", plans: [plan(1, "می\u200cخواهم 👩\u200d💻")], plan_version: 1 },
    "plan",
  );
  expect(within(screen.getByRole("article")).queryByRole("note")).toBeNull();
});

test("a question and its suggested answers are marked", async () => {
  await open(
    {
      status: "waiting-input",
      question: `Delete ${RLO}it?`,
      actions: allow("input"),
      run: run({ options: [`Yes${ZWSP}`] }),
    },
    "output",
  );
  expect(await screen.findByRole("button", { name: /^Yes ?U\+200B$/ })).toBeInTheDocument();
  expect(screen.getByRole("region", { name: "The agent asks" })).toHaveTextContent("Delete U+202Eit?");
  expectMarked();
});

test("request, result, error and check output are marked", async () => {
  await open(
    { status: "failed", text: `Do ${RLO}x`, summary: `Did ${RLO}y`, error_message: `No ${RLO}z` },
    "checks",
    () => {},
  );
  expect(screen.getByRole("region", { name: /^No U\+202E ?z$/ })).toBeInTheDocument();
  const details = within(screen.getByRole("complementary", { name: "Details" }));
  expect(details.getAllByText("U+202E")).toHaveLength(2);
  expectMarked();
});

test("a check's command and output are marked, and the colours of its terminal are not", async () => {
  const checks = [
    check({ command: `make ${RLO}x`, exit_code: 1, output_tail: `\u001b[31mred\u001b[0m ${RLO}y \u001b x` }),
  ];
  await open({ status: "failed", run: run({ checks }) }, "checks");
  expect(screen.getByText("red")).toHaveClass("ansi-red-fg");
  expect(screen.getAllByText("U+202E")).toHaveLength(2);
  expect(screen.getByText("U+001B")).toBeInTheDocument();
  expectMarked();
});

const use = (name: string, input: object): CliLine => ({
  type: "assistant",
  message: { id: `m-${name}`, content: [{ type: "tool_use", id: name, name, input }] },
  parent_tool_use_id: null,
});

test.each([
  ["Write", { file_path: `a${RLO}.py`, content: `x = 1 # ${RLO}` }],
  ["Edit", { file_path: "a.py", old_string: "x", new_string: `y${RLO}` }],
  ["Bash", { command: `echo ${RLO}hi\u001b[8m; rm -rf x\rls` }],
  ["Grep", { pattern: `${RLO}x` }],
])("the agent's %s card is marked", async (name, input) => {
  await open({}, "output", (gateway) => {
    gateway.output = [{ seq: 1, actor: "run", line: use(name, input) }];
  });
  expectMarked(await screen.findByRole("log"));
});

test("what an agent says, and what a person said to it, is marked", async () => {
  await open({}, "output", (gateway) => {
    gateway.output = [
      {
        seq: 1,
        actor: "run",
        line: {
          type: "assistant",
          message: { id: "m1", content: [{ type: "text", text: `Done ${RLO}so` }] },
          parent_tool_use_id: null,
        },
      },
    ];
    gateway.timeline = [event(5, "input-given", { data: { message: `No${ZWSP}w` } })];
  });
  const log = await screen.findByRole("log");
  expect(await within(log).findByText("U+200B")).toBeInTheDocument();
  expect(within(log).getByText("U+202E")).toBeInTheDocument();
  expectMarked(log);
});

test("an event's sentence is marked in the timeline", async () => {
  await open({}, "timeline", (gateway) => {
    gateway.timeline = [event(5, "triaged", { summary: `Because ${RLO}so` })];
  });
  await screen.findByText("U+202E");
  expectMarked();
});
