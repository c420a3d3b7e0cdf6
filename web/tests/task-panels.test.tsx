import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import type { TaskDetail } from "../src/api/types";
import { FakeGateway } from "./support/gateway";
import { openPage } from "./support/page";
import { allow, check, run, task } from "./support/tasks";

const PASSED = check({ command: "ruff check .", duration_ms: 340, output_tail: "All checks passed!" });
const FAILED = check({
  command: "pytest -q",
  exit_code: 2,
  duration_ms: 3_120,
  output_tail: "2 failed, 8 passed",
});

const DIFF = `diff --git a/greeter.py b/greeter.py
index 2f1a9c4..8be0d51 100644
--- a/greeter.py
+++ b/greeter.py
@@ -1,1 +1,2 @@
-print("Hello")
+print("hello")
+print("<b>bold</b>")
`;

async function open(tab: string, over: Partial<TaskDetail>, diff = "") {
  const shown = task(over);
  const gateway = new FakeGateway(shown);
  gateway.diff = diff;
  const page = openPage(`/tasks/${shown.id}?tab=${tab}`, gateway);
  await screen.findByRole("heading", { level: 1, name: shown.title });
  return { ...page, gateway };
}

test("the checks are told as they ended, each with what it said last", async () => {
  await open("checks", { run: run({ checks: [PASSED, FAILED] }) });
  expect(await screen.findByText("1 of 2 checks failed")).toBeInTheDocument();
  expect(screen.getByText(/exit 2/)).toBeInTheDocument();
  expect(screen.getByText(/2 failed, 8 passed/)).toBeInTheDocument();
  expect(screen.getByRole("tab", { name: "Checks 1 failed" })).toBeInTheDocument();
});

test("checks that all passed are said in one sentence", async () => {
  await open("checks", { run: run({ checks: [PASSED, PASSED] }) });
  expect(await screen.findByText("All 2 checks passed")).toBeInTheDocument();
});

test("a check that passed and proves nothing is said to, and counts as none that passed", async () => {
  const doubted = check({ command: "make test", doubted: true, reason: "It runs nothing that could fail." });
  await open("checks", { run: run({ checks: [PASSED, doubted], evidence: "unverified" }) });
  expect(await screen.findByText("1 passed, 1 passed, but proves nothing")).toBeInTheDocument();
  expect(screen.getByText("passed, but proves nothing")).toBeInTheDocument();
});

test("who asked for a task is named beside the author of what it is about", async () => {
  const source = { kind: "jira", reference: "jira:a#1", url: "", author: "ada" };
  await open("output", { source, requester: "jira:mallory" });
  expect(await screen.findByText("jira:mallory")).toBeInTheDocument();
});

test("the changes show what was removed and added, as text", async () => {
  const files = [{ path: "greeter.py", added: 2, removed: 1 }];
  await open("changes", { status: "completed", commit: "c0ffee", run: run({ files }) }, DIFF);
  expect(await screen.findByText('print("<b>bold</b>")')).toBeInTheDocument();
  expect(screen.getByText('print("Hello")')).toBeInTheDocument();
  expect(screen.getByText("1 file changed")).toBeInTheDocument();
});

test("a task without a commit says whether changes may still come", async () => {
  await open("changes", { status: "executing" });
  expect(await screen.findByText("No changes yet")).toBeInTheDocument();
});

test("a task that ended without a commit says that there are no changes", async () => {
  await open("changes", { status: "failed" });
  expect(await screen.findByText("No changes")).toBeInTheDocument();
});

test("a task that was a question shows its answer above everything", async () => {
  await open("timeline", { status: "completed", answer: "Python **3.11** and later." });
  expect(screen.getByRole("region", { name: "Answer" })).toHaveTextContent("Python 3.11 and later.");
});

test.each([
  ["awaiting-approval", "Plan"],
  ["executing", "Output"],
  ["received", "Timeline"],
] as const)("a task that is %s opens on the tab %s", async (status, tab) => {
  const shown = task({ status });
  openPage(`/tasks/${shown.id}`, new FakeGateway(shown));
  expect(await screen.findByRole("tab", { name: tab, selected: true })).toBeInTheDocument();
});

test("the keys 1 to 6 choose a tab, and the choice stands in the address", async () => {
  const { user, history } = await open("timeline", {});
  await user.keyboard("6");
  expect(await screen.findByRole("tab", { name: "Cost", selected: true })).toBeInTheDocument();
  expect(history.location.search).toContain("tab=cost");
});

test("a long request is cut until somebody asks for all of it", async () => {
  const { user } = await open("timeline", { text: `${"word ".repeat(200)}end` });
  const details = within(screen.getByRole("complementary", { name: "Details" }));
  expect(details.queryByText(/end$/)).toBeNull();
  await user.click(details.getByRole("button", { name: "Show all" }));
  expect(details.getByText(/end$/)).toBeInTheDocument();
});

test.each([
  ["the read models", { projector_problem: "The projector is away." }, "The projector is away."],
  ["the agents", { agents_ready: false, agents_problem: "Set a model key." }, "Set a model key."],
  ["parked messages", { parked: 3 }, "3 messages are parked, because no service could handle them."],
])("every page says what is wrong with %s, and how to mend it", async (_, system, said) => {
  const gateway = new FakeGateway();
  gateway.system = system;
  openPage("/", gateway);
  await waitFor(() =>
    expect(screen.getAllByRole("status").some((each) => each.textContent?.includes(said))).toBe(true),
  );
});

test("a review of a pull request shows what it says and where it is, and no tab that could only be empty", async () => {
  await open("checks", {
    status: "completed",
    verdict: "review",
    outcome: "reviewed",
    summary: "It adds **shares**.",
    result_url: "https://github.com/octo/greeter/pull/7#pullrequestreview-1",
  });
  const names = screen.getAllByRole("tab").map((tab) => tab.textContent);
  expect(names).toEqual(["Output", "Timeline", "Cost", "Details"]);
  expect(screen.getByRole("tab", { name: "Output" })).toHaveAttribute("aria-selected", "true");
  expect(screen.getAllByText("Reviewed").length).toBeGreaterThan(0);
  expect(screen.getAllByText("shares")[0]?.tagName).toBe("STRONG");
  expect(screen.getByRole("link", { name: /Open the review/ })).toHaveAttribute(
    "href",
    "https://github.com/octo/greeter/pull/7#pullrequestreview-1",
  );
});

test("who asks for more of a review is told that the same commit is reviewed", async () => {
  const actions = allow("follow-up");
  await open("output", { status: "completed", verdict: "review", outcome: "reviewed", actions });
  expect(await screen.findByRole("button", { name: "Review again" })).toBeInTheDocument();
  expect(screen.getByText(/The same commit is reviewed once more/)).toBeInTheDocument();
});
