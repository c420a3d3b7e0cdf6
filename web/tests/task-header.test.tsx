import { cleanup, screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { FakeGateway } from "./support/gateway";
import { openPage } from "./support/page";
import { allow, check, run, task } from "./support/tasks";

async function open(gateway: FakeGateway, tab = "details") {
  const [shown] = gateway.tasks;
  if (!shown) throw new Error("the gateway knows no task to open");
  const page = openPage(`/tasks/${shown.id}?tab=${tab}`, gateway);
  await screen.findByRole("heading", { level: 1, name: shown.title });
  return { ...page, shown };
}

test("the header offers what the answer allows", async () => {
  await open(new FakeGateway(task({ status: "paused", actions: allow("stop", "retry") })));
  expect(screen.getByRole("button", { name: "Stop" })).toBeEnabled();
  expect(screen.getByRole("button", { name: "Retry" })).toBeEnabled();
});

test("the header offers nothing that the answer refuses, whatever the status", async () => {
  await open(new FakeGateway(task({ status: "failed", actions: allow() })));
  expect(screen.queryByRole("button", { name: "Stop" })).toBeNull();
  expect(screen.queryByRole("button", { name: "Retry" })).toBeNull();
});

test("an answer that says nothing about actions leaves it to the gateway to refuse them", async () => {
  const gateway = new FakeGateway(task({ status: "failed", actions: undefined }));
  gateway.commandsFail = { status: 409, detail: "This task cannot be tried again." };
  const { user } = await open(gateway);
  await user.click(screen.getByRole("button", { name: "Retry" }));
  const toast = await screen.findByRole("dialog", { name: "The task was not tried again" });
  expect(toast).toHaveTextContent("This task cannot be tried again.");
});

test("stopping asks first, and sends the reason that was given", async () => {
  const gateway = new FakeGateway(task({ actions: allow("stop", "input"), run: run() }));
  const { user, shown } = await open(gateway);
  await user.click(screen.getByRole("button", { name: "Stop" }));
  const question = await screen.findByRole("alertdialog", { name: "Stop this task?" });
  expect(gateway.commands).toEqual([]);

  await user.type(within(question).getByRole("textbox", { name: /Reason/ }), "  Wrong branch ");
  await user.click(within(question).getByRole("button", { name: "Stop task" }));
  await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
  expect(gateway.commands).toMatchObject([
    { path: `/api/tasks/${shown.id}/stop`, body: { reason: "Wrong branch" } },
  ]);
});

test("keeping a task running sends nothing", async () => {
  const gateway = new FakeGateway(task({ actions: allow("stop") }));
  const { user } = await open(gateway);
  await user.click(screen.getByRole("button", { name: "Stop" }));
  await user.click(await screen.findByRole("button", { name: "Keep it running" }));
  await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
  expect(gateway.commands).toEqual([]);
});

test("a task that is being stopped says so, and cannot be stopped twice", async () => {
  await open(new FakeGateway(task({ stopping: true, actions: allow("stop") })));
  expect(screen.getByRole("button", { name: "Stopping…" })).toBeDisabled();
});

test("retrying sends the command with the header that a foreign page cannot send", async () => {
  const gateway = new FakeGateway(task({ status: "failed", actions: allow("retry") }));
  const { user, shown } = await open(gateway);
  await user.click(screen.getByRole("button", { name: "Retry" }));
  await waitFor(() => expect(gateway.commands).toHaveLength(1));
  expect(gateway.commands).toMatchObject([{ path: `/api/tasks/${shown.id}/retry`, body: {} }]);
  expect(gateway.commands[0]?.headers.get("X-Journeyman")).toBe("1");
});

test("a paused task says when it goes on, and why it is paused", async () => {
  const inAnHour = new Date(Date.now() + 3_600_000);
  await open(
    new FakeGateway(
      task({
        status: "paused",
        paused_until: inAnHour.toISOString(),
        error_message: "The model is overloaded.",
      }),
    ),
  );
  const minutes = String(inAnHour.getMinutes()).padStart(2, "0");
  expect(
    screen.getByText(
      new RegExp(`Goes on at .*\\d\\d:${minutes}, or retry now\\. The model is overloaded\\.`),
    ),
  ).toBeInTheDocument();
});

test("a task that failed says why and with which code, and leads to its failed checks", async () => {
  const failed = check({ command: "pytest -q", exit_code: 1, output_tail: "2 failed" });
  const { user, history } = await open(
    new FakeGateway(
      task({
        status: "failed",
        error_message: "pytest -q exited with 1.",
        error_code: "checks-failed",
        run: run({ status: "failed", checks: [failed] }),
      }),
    ),
  );
  const callout = screen.getByRole("region", { name: "pytest -q exited with 1." });
  expect(callout).toHaveTextContent("Code checks-failed");
  await user.click(within(callout).getByRole("button", { name: "Show the failed check" }));
  expect(history.location.search).toContain("tab=checks");
  expect(await screen.findByText("1 of 1 checks failed")).toBeInTheDocument();
});

test("a plan that waits for approval is announced on every other tab, and leads to the plan", async () => {
  const { user, history } = await open(
    new FakeGateway(task({ status: "awaiting-approval", plan_version: 2, actions: allow("approve") })),
  );
  const callout = screen.getByRole("region", { name: "Plan v2 waits for approval" });
  await user.click(within(callout).getByRole("button", { name: "Review plan" }));
  expect(history.location.search).toContain("tab=plan");
  await waitFor(() => expect(callout).not.toBeInTheDocument());
});

test("a task in review leads to its pull request, and says when that needs a person", async () => {
  const url = "https://github.com/octo/app/pull/12";
  const inReview = { status: "in-review", pull_request: 12, result_url: url } as const;
  await open(new FakeGateway(task(inReview)));
  const callout = screen.getByRole("region", { name: "Pull request #12 waits for its review" });
  expect(within(callout).getByRole("link", { name: "Open the pull request" })).toHaveAttribute("href", url);
  cleanup();
  await open(new FakeGateway(task({ ...inReview, attention: "3 rounds in a row were made." })));
  const needed = screen.getByRole("region", { name: "Pull request #12 does not get on without a person" });
  expect(needed).toHaveTextContent("3 rounds in a row were made.");
});

test("a question shows the suggested answers, and the one that is chosen is sent", async () => {
  const gateway = new FakeGateway(
    task({
      status: "waiting-input",
      question: "May I add an **index**?",
      actions: allow("input"),
      run: run({ options: ["Yes", "No"] }),
    }),
  );
  const { user, shown } = await open(gateway);
  const callout = screen.getByRole("region", { name: "The agent asks" });
  expect(callout).toHaveTextContent("May I add an index?");
  await user.click(within(callout).getByRole("button", { name: "No" }));
  await waitFor(() => expect(gateway.commands).toHaveLength(1));
  expect(gateway.commands).toMatchObject([{ path: `/api/tasks/${shown.id}/input`, body: { message: "No" } }]);
});

test("an answer in one's own words is sent once there is one", async () => {
  const gateway = new FakeGateway(
    task({ status: "waiting-input", question: "Which?", actions: allow("input") }),
  );
  const { user } = await open(gateway);
  const send = screen.getByRole("button", { name: "Send answer" });
  expect(send).toBeDisabled();
  await user.type(screen.getByRole("textbox", { name: "Your answer" }), "The second{Enter}");
  await waitFor(() => expect(gateway.commands).toHaveLength(1));
  expect(gateway.commands).toMatchObject([{ body: { message: "The second" } }]);
  await waitFor(() => expect(screen.getByRole("textbox", { name: "Your answer" })).toHaveValue(""));
});

test("a task that nobody knows says so instead of loading for ever", async () => {
  openPage("/tasks/01KUNKNOWN", new FakeGateway());
  expect(await screen.findByText("There is no such task")).toBeInTheDocument();
});

test("an address that leads nowhere says so and leads back to the tasks", async () => {
  const { user } = openPage("/no/such/page", new FakeGateway(task({ title: "Greeting" })));
  await screen.findByRole("heading", { name: "There is no such page" });
  await user.click(screen.getByRole("link", { name: "Go to the tasks" }));
  expect(await screen.findByText("Greeting")).toBeInTheDocument();
});
