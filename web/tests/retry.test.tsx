import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { microusdOf } from "../src/lib/budget";
import { FakeGateway } from "./support/gateway";
import { openPage } from "./support/page";
import { allow, task } from "./support/tasks";

const SPENT = {
  status: "failed",
  ended_in: "executing",
  error_code: "agent-budget",
  error_message: "The agent reached the most it may cost ($0.50).",
} as const;

test.each([
  ["5", 5_000_000],
  [" $0.75 ", 750_000],
  ["0,5", 500_000],
  ["0", null],
  ["", null],
  ["-1", null],
  ["much", null],
  ["1e3", null],
])("%j dollars are %j micro-dollars", (text, wanted) => {
  expect(microusdOf(text)).toBe(wanted);
});

test("work that reached its budget is tried again with a larger one, and never without", async () => {
  const shown = task({ ...SPENT, actions: allow("retry") });
  const gateway = new FakeGateway(shown);
  openPage(`/tasks/${shown.id}`, gateway);
  await userEvent.click(await screen.findByRole("button", { name: "Retry" }));
  const dialog = await screen.findByRole("alertdialog", { name: "Retry with a larger budget?" });
  const send = [...dialog.querySelectorAll("button")].find((each) => each.type === "submit");
  expect(send).toBeDisabled();
  await userEvent.type(screen.getByLabelText("Budget in dollars"), "5{Enter}");
  await waitFor(() => expect(gateway.commands).toHaveLength(1));
  expect(gateway.commands[0]).toMatchObject({
    path: `/api/tasks/${shown.id}/retry`,
    body: { budget_microusd: 5_000_000 },
  });
});

test("a result that fell short because of its budget is gone on from with a larger one", async () => {
  const shown = task({ ...SPENT, has_result: true, actions: allow("retry", "publish") });
  const gateway = new FakeGateway(shown);
  openPage(`/tasks/${shown.id}`, gateway);
  await userEvent.click(await screen.findByRole("button", { name: "Retry from the result" }));
  await userEvent.type(await screen.findByLabelText("Budget in dollars"), "2.5{Enter}");
  await waitFor(() => expect(gateway.commands).toHaveLength(1));
  expect(gateway.commands[0]?.body).toEqual({ from_result: true, budget_microusd: 2_500_000 });
});

test("other work is tried again at once", async () => {
  const shown = task({ ...SPENT, error_code: "agent-silent", actions: allow("retry") });
  const gateway = new FakeGateway(shown);
  openPage(`/tasks/${shown.id}`, gateway);
  await userEvent.click(await screen.findByRole("button", { name: "Retry" }));
  await waitFor(() => expect(gateway.commands).toHaveLength(1));
  expect(gateway.commands[0]?.body).toEqual({});
});
