import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Check, Note, TaskDetail } from "../src/api/types";
import { FakeGateway } from "./support/gateway";
import { openPage } from "./support/page";
import { allow, check, event, run, task } from "./support/tasks";

async function open(over: Partial<TaskDetail>, tab = "timeline", prepare = (_: FakeGateway) => {}) {
  const shown = task({ commit: "c0ffee", branch: "journeyman/x", ...over });
  const gateway = new FakeGateway(shown);
  prepare(gateway);
  const page = openPage(`/tasks/${shown.id}?tab=${tab}`, gateway);
  await screen.findByRole("heading", { level: 1, name: shown.title });
  return { ...page, gateway, shown };
}

const RED_BEFORE = check({ command: "ruff", exit_code: 1, verdict: "failed-before", reason: "Same output." });
const ODD = check({ command: "mvn", exit_code: 127, verdict: "could-not-run", reason: "There is no mvn." });
const BROKEN = check({
  command: "pytest",
  exit_code: 1,
  verdict: "failed",
  reason: "1 test fails anew.",
  new_failures: ["tests/test_sum.py::test_two"],
  flaky: ["tests/test_net.py::test_slow"],
  failing_lines: ["E   assert 3 == 2"],
});

const done = (evidence: string, observed: string, checks: Check[] = []): Partial<TaskDetail> => ({
  status: "completed",
  outcome: "changed",
  evidence,
  run: run({ status: "succeeded", evidence, observed, checks }),
});

test.each([
  ["verified", "Completed · verified"],
  ["no-new-failures", "Completed · no new failures"],
  ["unverified", "Completed · not verified"],
  ["failing", "Completed · failing"],
])("a completed task that is %s is called so, on its page and in the list", async (evidence, label) => {
  const { user } = await open(done(evidence, "Observed words."));
  expect(screen.getByText(label)).toBeInTheDocument();
  expect(screen.getAllByText(/Observed words\./).length).toBeGreaterThan(0);
  await user.keyboard("u");
  expect(await screen.findByText(label)).toBeInTheDocument();
});

test("only what is verified is green without a word, and only what is broken is red", async () => {
  await open(done("failing", "Failing: the work breaks pytest.", [BROKEN]));
  expect(screen.getByText("Completed · failing").className).toContain("text-bad");
  expect(screen.getByRole("region", { name: "Failing: the work breaks pytest." })).toHaveTextContent(
    "It is published all the same",
  );
});

test("a task that is not verified says why, and what mends it", async () => {
  const observed =
    'Not verified: no checks were found. Name them in journeyman.toml, as in checks = ["make test"].';
  await open(done("unverified", observed));
  expect(screen.getByText("Completed · not verified").className).toContain("text-need");
  expect(screen.getByRole("region", { name: observed })).toHaveTextContent("read the changes with care");
});

test("a task that changed nothing says the agent's reason, and can be tried again", async () => {
  await open({
    status: "completed",
    commit: "",
    outcome: "nothing-to-change",
    summary: "It is right already.",
    actions: allow("retry", "follow-up"),
  });
  const callout = screen.getByRole("region", { name: "Nothing to change" });
  expect(callout).toHaveTextContent("It is right already.");
  expect(screen.queryByText("Completed")).toBeNull();
  expect(screen.getByRole("button", { name: "Retry" })).toBeEnabled();
});

test("while set-up and checks run, nothing is said of an agent at work", async () => {
  const judged = run({ commit: "a561182a969c", tree: "4e57a76a" });
  const over: Partial<TaskDetail> = { status: "executing", worker: "executor-1", run: judged };
  const { user } = await open({ ...over, actions: allow("input") }, "output");
  expect(screen.getByText(/committed as a561182a; set-up and checks run on it/)).toBeInTheDocument();
  expect(await screen.findByText(/The agent is done, and set-up and checks run/)).toBeInTheDocument();
  await user.click(screen.getByRole("tab", { name: "Checks" }));
  expect(await screen.findByText("Set-up and checks run")).toBeInTheDocument();
});

test("a question that was answered is called so", async () => {
  await open({ status: "completed", outcome: "answered", answer: "It adds.", commit: "" });
  expect(screen.getByText("Answered")).toBeInTheDocument();
  expect(screen.queryByText("Completed")).toBeNull();
});

const SHORT: Partial<TaskDetail> = {
  status: "failed",
  evidence: "failing",
  has_result: true,
  ended_in: "executing",
  error_message: "pytest fails.",
  run: run({ status: "failed", observed: "Failing: the work breaks pytest.", checks: [BROKEN] }),
  actions: allow("retry", "publish", "follow-up"),
};

test.each([
  ["Publish as it is", "publish", {}],
  ["Retry from the result", "retry", { from_result: true }],
  ["Retry afresh", "retry", { afresh: true }],
])("a result that falls short offers: %s, after a word on what that means", async (name, verb, body) => {
  const { user, gateway, shown } = await open(SHORT);
  const callout = screen.getByRole("region", { name: "pytest fails." });
  expect(callout).toHaveTextContent("Failing: the work breaks pytest.");
  await user.click(within(callout).getByRole("button", { name }));
  const question = await screen.findByRole("alertdialog", { name: `${name}?` });
  expect(question).toHaveTextContent(/costs nothing|costs again/);
  expect(gateway.commands).toEqual([]);
  await user.click(within(question).getByRole("button", { name }));
  await waitFor(() =>
    expect(gateway.commands).toMatchObject([{ path: `/api/tasks/${shown.id}/${verb}`, body }]),
  );
});

test("what the answer refuses is not offered of a result that falls short", async () => {
  await open({ ...SHORT, actions: allow("retry") });
  expect(screen.queryByRole("button", { name: "Publish as it is" })).toBeNull();
  expect(screen.getByRole("button", { name: "Retry afresh" })).toBeEnabled();
  expect(screen.queryByRole("button", { name: "Retry" })).toBeNull();
});

test("a publication that failed is tried again without any agent", async () => {
  const { user, gateway } = await open({ ...SHORT, evidence: "verified", ended_in: "publishing" });
  expect(screen.getByText("Failed · not published")).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Publish again (costs nothing)" }));
  const question = await screen.findByRole("alertdialog");
  await user.click(within(question).getByRole("button", { name: "Publish again (costs nothing)" }));
  await waitFor(() => expect(gateway.commands).toMatchObject([{ body: {} }]));
  expect(screen.queryByRole("button", { name: "Publish as it is" })).toBeNull();
});

test("a task that was stopped with a result offers it", async () => {
  await open({ ...SHORT, status: "cancelled" });
  const kept = screen.getByRole("region", { name: "A result was made, and is kept" });
  expect(within(kept).getByRole("button", { name: "Publish as it is" })).toBeEnabled();
});

test("a check that failed before too is no failure, and the tab counts only what the work broke", async () => {
  await open(done("no-new-failures", "No new failures.", [check({}), RED_BEFORE, ODD]), "checks");
  expect(await screen.findByText("1 passed, 1 failed before too, 1 could not run")).toBeInTheDocument();
  expect(screen.getByText("failed before too").className).not.toContain("text-bad");
  expect(screen.getByText("Same output.")).toBeInTheDocument();
  expect(screen.getByRole("tab", { name: "Checks 3" })).toBeInTheDocument();
});

test("a check that the work broke names what fails anew, what is flaky and the lines that say so", async () => {
  const setup = [check({ command: "npm ci" })];
  const shown = done("failing", "Failing.", [BROKEN, RED_BEFORE]);
  await open({ ...shown, run: run({ ...shown.run, setup, checked_commit: "abcdef0123456789" }) }, "checks");
  expect(await screen.findByRole("list", { name: "These tests fail anew" })).toHaveTextContent("test_two");
  expect(screen.getByRole("list", { name: /Flaky/ })).toHaveTextContent("test_slow");
  expect(screen.getByRole("list", { name: "What it says of its failures" })).toHaveTextContent(
    "assert 3 == 2",
  );
  expect(screen.getByRole("tab", { name: "Checks 1 failed" })).toBeInTheDocument();
  expect(screen.getByRole("heading", { name: "Set-up" })).toBeInTheDocument();
  expect(screen.getByText("npm ci")).toBeInTheDocument();
  expect(screen.getByText(/in a clean checkout of commit/)).toHaveTextContent("abcdef0");
});

test("an output that is too long says how much is left out, and where the whole of it is", async () => {
  const long = check({
    exit_code: 1,
    verdict: "failed",
    output_head: "begin",
    output_tail: "end",
    output_size: 8 + 2048,
    output: { name: "o", sha256: "0", size: 1 },
    output_cut: true,
  });
  const { shown } = await open(done("failing", "Failing.", [long]), "checks");
  expect(await screen.findByText("2.0 KB left out here")).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "Download whole output (2.0 KB)" })).toHaveAttribute(
    "href",
    `/api/tasks/${shown.id}/checks/1/output`,
  );
  expect(screen.getByText("It was too long: the end is missing.")).toBeInTheDocument();
});

test("the whole output of a step of the set-up can be had too", async () => {
  const step = check({
    command: "npm ci",
    verdict: "could-not-run",
    output: { name: "o", sha256: "0", size: 1 },
  });
  const told = done("unverified", "Not verified.", [check({})]);
  const { shown } = await open({ ...told, run: run({ ...told.run, setup: [step] }) }, "checks");
  expect(await screen.findByRole("link", { name: /Download whole output/ })).toHaveAttribute(
    "href",
    `/api/tasks/${shown.id}/setup/1/output`,
  );
});

test("what the agent says stands beside what was observed", async () => {
  const shown = done("verified", "Verified: 1 check passed.", [check({})]);
  await open({ ...shown, run: run({ ...shown.run, summary: "All is well." }) }, "checks");
  const panel = within(await screen.findByRole("tabpanel", { name: "Checks 1" }));
  expect(panel.getByText("The agent says").nextSibling).toHaveTextContent("All is well.");
  expect(panel.getByText("Observed").nextSibling).toHaveTextContent("Verified: 1 check passed.");
});

test("notes stand above the changes, a change of what judges the work first", async () => {
  const note = (kind: Note["kind"], sentence: string): Note => ({ kind, sentence, paths: [] });
  const notes = [
    note("held-back", "Left out: __pycache__"),
    note("judge-changed", "tests/test_sum.py: a test is gone"),
    note("fewer-tests", "pytest: fewer tests ran."),
    note("judge-changed", "Makefile: the target test is another"),
  ];
  const shown = done("verified", "Verified.");
  const diff = "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n+y\n";
  await open({ ...shown, run: run({ ...shown.run, notes }) }, "changes", (gateway) => {
    gateway.diff = diff;
  });
  const items = within(await screen.findByRole("list", { name: "Notes on the result" }))
    .getAllByRole("listitem")
    .map((item) => item.textContent);
  expect(items.slice(0, 3)).toEqual([
    "What judges this work was changed.tests/test_sum.py: a test is goneMakefile: the target test is another",
    "pytest: fewer tests ran.",
    "Left out: __pycache__",
  ]);
});

test("of a task that is over one can ask for more, which makes another round", async () => {
  const { user, gateway, shown, history } = await open({
    ...done("verified", "Verified."),
    actions: allow("follow-up"),
  });
  await user.click(screen.getByRole("link", { name: "Ask for more" }));
  expect(history.location.search).toContain("tab=output");
  await user.type(await screen.findByRole("textbox", { name: "Ask for more" }), "And the docs{Enter}");
  await waitFor(() =>
    expect(gateway.commands).toMatchObject([
      { path: `/api/tasks/${shown.id}/follow-up`, body: { message: "And the docs" } },
    ]),
  );
});

test("what was further wished stands in the output, and so does a wish that was not taken", async () => {
  await open(done("verified", "Verified."), "output", (gateway) => {
    gateway.timeline = [
      event(5, "followed-up", { data: { text: "Mind the spaces" } }),
      event(6, "follow-up-refused", { summary: "A further wish was not taken. It is being published." }),
    ];
  });
  expect(await screen.findByText("Mind the spaces")).toBeInTheDocument();
  expect(screen.getByText(/A further wish was not taken/)).toBeInTheDocument();
});
