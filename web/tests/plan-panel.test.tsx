import { screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import type { TaskDetail } from "../src/api/types";
import { FakeGateway } from "./support/gateway";
import { openPage } from "./support/page";
import { allow, plan, REFUSED, task } from "./support/tasks";

const FIRST = plan(1, "# Plan\n\nUse a table of greetings.");
const SECOND = plan(2, "# Plan\n\nUse a file of greetings.");

async function open(over: Partial<TaskDetail>) {
  const shown = task({
    status: "awaiting-approval",
    plans: [FIRST],
    plan_status: "proposed",
    actions: allow("approve", "reject", "revise", "stop"),
    ...over,
  });
  const gateway = new FakeGateway(shown);
  const page = openPage(`/tasks/${shown.id}?tab=plan`, gateway);
  await screen.findByRole("heading", { level: 1 });
  return { ...page, gateway, id: shown.id };
}

test("approving sends the version, the digest and the base commit of the plan on the screen", async () => {
  const { user, gateway, id } = await open({});
  await screen.findByText("Use a table of greetings.");
  await user.click(screen.getByRole("button", { name: "Approve plan v1" }));
  await waitFor(() => expect(gateway.commands).toHaveLength(1));
  expect(gateway.commands).toMatchObject([
    {
      path: `/api/tasks/${id}/approve`,
      body: { version: 1, digest: FIRST.digest, base_commit: FIRST.base_commit },
    },
  ]);
});

test("a newer version is announced and not swapped in, and only the newest can be approved", async () => {
  const { user, gateway, id } = await open({});
  await screen.findByText("Use a table of greetings.");
  gateway.change(id, { plans: [FIRST, SECOND], plan_version: 2 });

  expect(await screen.findByText(/This is an older version\. Only v2 can be approved\./)).toBeInTheDocument();
  expect(screen.getByText("Use a table of greetings.")).toBeInTheDocument();
  expect(screen.queryByText("Use a file of greetings.")).toBeNull();
  expect(screen.queryByRole("button", { name: /Approve/ })).toBeNull();

  await user.click(screen.getByRole("button", { name: "Show v2" }));
  await screen.findByText("Use a file of greetings.");
  await user.click(screen.getByRole("button", { name: "Approve plan v2" }));
  await waitFor(() => expect(gateway.commands).toHaveLength(1));
  expect(gateway.commands).toMatchObject([
    { body: { version: 2, digest: SECOND.digest, base_commit: SECOND.base_commit } },
  ]);
});

test("what the answer refuses is disabled, with the reason as its tooltip", async () => {
  await open({ actions: allow("reject") });
  const approve = await screen.findByRole("button", { name: "Approve plan v1" });
  expect(approve).toBeDisabled();
  expect(approve).toHaveAttribute("title", REFUSED);
  const revise = screen.getByRole("button", { name: "Request changes" });
  expect(revise).toBeDisabled();
  expect(revise).toHaveAttribute("title", REFUSED);
  expect(screen.getByRole("button", { name: "Reject" })).toBeEnabled();
});

test("changes are asked for with words, and not without", async () => {
  const { user, gateway, id } = await open({});
  await user.click(await screen.findByRole("button", { name: "Request changes" }));
  const send = screen.getByRole("button", { name: "Ask for a new version" });
  expect(send).toBeDisabled();
  await user.type(screen.getByRole("textbox", { name: "What should change?" }), "Cover French too");
  await user.click(send);
  await waitFor(() => expect(gateway.commands).toHaveLength(1));
  expect(gateway.commands).toMatchObject([
    { path: `/api/tasks/${id}/reject`, body: { feedback: "Cover French too" } },
  ]);
});

test("a rejection says that it ends the task, and needs no reason", async () => {
  const { user, gateway, id } = await open({});
  await user.click(await screen.findByRole("button", { name: "Reject" }));
  expect(screen.getByText(/Rejecting ends the task/)).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Reject and end the task" }));
  await waitFor(() => expect(gateway.commands).toHaveLength(1));
  expect(gateway.commands).toMatchObject([{ path: `/api/tasks/${id}/reject`, body: {} }]);
});

test("an approval that the gateway refuses is told in its own words", async () => {
  const { user, gateway } = await open({});
  gateway.commandsFail = { status: 409, detail: "Version 1 is not the latest plan." };
  await user.click(await screen.findByRole("button", { name: "Approve plan v1" }));
  const toast = await screen.findByRole("dialog", { name: "The plan was not approved" });
  expect(toast).toHaveTextContent("Version 1 is not the latest plan.");
});

test("the key a goes to Approve and does not approve by itself", async () => {
  const { user, gateway } = await open({});
  const approve = await screen.findByRole("button", { name: "Approve plan v1" });
  await user.keyboard("a");
  expect(approve).toHaveFocus();
  expect(gateway.commands).toEqual([]);
});

test("a plan that is not waiting for a decision offers none", async () => {
  await open({ status: "executing", plans: [{ ...FIRST, approved_at: FIRST.at, approved_by: "user:ada" }] });
  expect(await screen.findByText("Approved by user:ada")).toBeInTheDocument();
  expect(screen.queryByRole("region", { name: "Decision on the plan" })).toBeNull();
});

test("a task without a plan says whether one is being written", async () => {
  await open({ status: "planning", plans: [], plan_status: "drafting" });
  expect(await screen.findByText("The plan is being written")).toBeInTheDocument();
});
