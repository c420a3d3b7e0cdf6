import { screen, waitFor } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { FakeGateway } from "./support/gateway";
import { openPage } from "./support/page";
import { me } from "./support/people";
import { allow, plan, task } from "./support/tasks";

afterEach(() => void vi.useRealTimers());

const ROLE = "This takes the role approver, and you are viewer: ask an admin for it.";

test("who may open no task is offered no new one, neither by a button nor by a key", async () => {
  const gateway = new FakeGateway(task());
  gateway.me = me("viewer", "listTasks");
  const { user } = openPage("/", gateway);
  await waitFor(() => expect(screen.queryByRole("button", { name: "New task" })).toBeNull());
  await user.keyboard("c");
  expect(screen.queryByRole("dialog")).toBeNull();
});

test("who may not decide on a plan reads why, in the gateway's own words, where the buttons are", async () => {
  const refused = { allowed: false, code: "role-lacking", reason: ROLE };
  const shown = task({
    status: "awaiting-approval",
    plans: [plan(1, "# Plan")],
    actions: { approve: refused, reject: refused, revise: refused },
  });
  const gateway = new FakeGateway(shown);
  gateway.me = me("viewer", "listTasks");
  openPage(`/tasks/${shown.id}?tab=plan`, gateway);
  expect(await screen.findByText(ROLE)).toBeVisible();
  expect(screen.getByRole("button", { name: /Approve plan/ })).toBeDisabled();
});

test("the page of webhooks shows their state to everybody, and what changes them to whom they obey", async () => {
  const gateway = new FakeGateway();
  gateway.webhooks = [
    {
      name: "builds",
      enabled: true,
      made_by: "user:ada",
      definition: { verification: { scheme: "bearer" } },
      fingerprint: "0123456789abcdef",
      overlap_until: null,
      url: "http://localhost/webhooks/builds",
      call: "curl",
    },
  ];
  gateway.me = me("viewer", "listWebhooks");
  openPage("/hooks", gateway);
  expect(await screen.findByRole("heading", { name: "builds" })).toBeVisible();
  await waitFor(() => expect(screen.queryByRole("button", { name: "New webhook" })).toBeNull());
  for (const name of ["New secret", "Send a test", "Disable"])
    expect(screen.queryByRole("button", { name })).toBeNull();
});

test("a gateway that does not say who one is offers everything, and refuses itself", async () => {
  openPage("/hooks", new FakeGateway());
  expect(await screen.findByRole("button", { name: "New webhook" })).toBeVisible();
  expect(screen.getByRole("button", { name: "New task" })).toBeVisible();
});

test("who is refused something is asked about again, for a role that was changed counts at once", async () => {
  const gateway = new FakeGateway(task());
  gateway.repos = [];
  gateway.me = me("operator", "listTasks", "openTask", "createWebhook", "sendTestEvent");
  const { user } = openPage("/hooks", gateway);
  await user.click(await screen.findByRole("button", { name: "New webhook" }));
  await user.type(screen.getByRole("textbox", { name: "Name" }), "builds");
  gateway.commandsFail = { status: 403, detail: "This takes the role admin." };
  gateway.me = me("viewer", "listTasks");
  await user.click(screen.getByRole("button", { name: "Make webhook" }));
  await waitFor(() => expect(screen.queryByRole("button", { name: "New task" })).toBeNull());
});

test("with another role the page asks anew what may be done, also where nothing else has happened", async () => {
  const refused = { allowed: false, code: "role-lacking", reason: ROLE };
  const shown = task({
    status: "awaiting-approval",
    plans: [plan(1, "# Plan")],
    actions: { approve: refused, reject: refused, revise: refused },
  });
  const gateway = new FakeGateway(shown);
  gateway.me = me("viewer", "listTasks");
  vi.useFakeTimers({ shouldAdvanceTime: true });
  openPage(`/tasks/${shown.id}?tab=plan`, gateway);
  expect(await screen.findByText(ROLE)).toBeVisible();
  gateway.tasks = [{ ...shown, actions: allow("approve", "reject", "revise") }];
  gateway.me = me("approver", "listTasks");
  await vi.advanceTimersByTimeAsync(15_000);
  await waitFor(() => expect(screen.getByRole("button", { name: /Approve plan/ })).toBeEnabled());
});

test("what waits for people who may do more does not need me, and nothing says so", async () => {
  const gateway = new FakeGateway(task({ status: "awaiting-approval" }), task({ status: "waiting-input" }));
  gateway.me = me("viewer", "listTasks");
  openPage("/", gateway);
  expect(await screen.findByRole("heading", { name: /^Needs somebody who may decide/ })).toBeVisible();
  expect(screen.queryByTitle(/need you|needs you/)).toBeNull();
});

test("an operator is needed for answers, an approver for plans as well", async () => {
  const gateway = new FakeGateway(task({ status: "awaiting-approval" }), task({ status: "waiting-input" }));
  gateway.me = me("operator", "listTasks", "giveInput");
  openPage("/", gateway);
  expect(await screen.findByTitle("1 task needs you")).toBeVisible();
});
