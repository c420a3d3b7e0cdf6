import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { FakeGateway } from "./support/gateway";
import { openPage } from "./support/page";
import { event, task, usage } from "./support/tasks";

async function openTimeline() {
  const shown = task();
  const gateway = new FakeGateway(shown);
  gateway.timeline = [
    event(11, "submitted", { summary: "Greeting", time: "2026-11-22T07:14:00Z" }),
    event(12, "proposed", { kind: "plan", principal: "service:planner", time: "2026-11-22T07:19:00Z" }),
    event(15, "approved", { data: { plan: { version: 1 } }, time: "2026-11-22T07:19:01Z" }),
  ];
  const page = openPage(`/tasks/${shown.id}?tab=timeline`, gateway);
  await screen.findByText("3 events");
  return { ...page, gateway, id: shown.id };
}

const eventButtons = () => screen.getAllByRole("button", { expanded: false, name: /#\d+/ });

test("the timeline lists every event in order, with long silences between them", async () => {
  await openTimeline();
  expect(eventButtons().map((button) => /#\d+/.exec(button.textContent ?? "")?.[0])).toEqual([
    "#11",
    "#12",
    "#15",
  ]);
  expect(screen.getAllByText(/ later$/).map((gap) => gap.textContent)).toEqual(["5m 00s later"]);
});

test("the timeline is narrowed to one kind of actor, and says to how many events", async () => {
  const { user } = await openTimeline();
  await user.click(screen.getByRole("button", { name: "plan" }));
  expect(screen.getByText("1 of 3 events")).toBeInTheDocument();
  expect(eventButtons()).toHaveLength(1);
});

test("an event opens to its whole data", async () => {
  const { user } = await openTimeline();
  await user.click(screen.getByRole("button", { name: /#15/ }));
  expect(screen.getByText(/"version": 1/)).toBeInTheDocument();
  expect(screen.getByText(/by user:ada · version 15 of its actor · stream sequence 15/)).toBeInTheDocument();
});

test("the timeline names the two commands that tell the same story in a terminal", async () => {
  const { id } = await openTimeline();
  expect(screen.getByText(`journeyman events --task ${id}`)).toBeInTheDocument();
  expect(screen.getByText(`nats sub 'evt.*.${id}.>'`)).toBeInTheDocument();
});

test("a refetch asks only for the events that came after the last known one", async () => {
  const { gateway, id } = await openTimeline();
  gateway.timeline.push(event(101, "completed"));
  gateway.change(id, {});
  expect(await screen.findByText("4 events")).toBeInTheDocument();
  const last = gateway.reads.findLast((url) => url.pathname.endsWith("/timeline"));
  expect(last?.searchParams.get("after")).toBe("15");
});

const cells = (row: HTMLElement) =>
  within(row)
    .getAllByRole("cell")
    .map((cell) => cell.textContent);

test("the cost table adds up tokens and cost over agents and models", async () => {
  const shown = task({
    usage: [
      usage({ agent: "planner", input_tokens: 1_000, output_tokens: 20, cost_microusd: 250_000 }),
      usage({ agent: "executor", input_tokens: 3_000, output_tokens: 5, cost_microusd: 750_000 }),
    ],
  });
  openPage(`/tasks/${shown.id}?tab=cost`, new FakeGateway(shown));
  const table = await screen.findByRole("table", { name: "Tokens and cost per agent and model" });
  const [, planner, executor, total] = within(table).getAllByRole("row");
  expect(cells(planner as HTMLElement)).toEqual(["$0.25", "25%", "1,000", "20", "0", "0"]);
  expect(cells(executor as HTMLElement)).toEqual(["$0.75", "75%", "3,000", "5", "0", "0"]);
  expect(cells(total as HTMLElement)).toEqual(["$1.00", "", "4,000", "25", "0", "0"]);
});

test("a cost that was guessed is marked in its row, in the total and in the note", async () => {
  const shown = task({
    usage: [
      usage({ cost_microusd: 1_000_000 }),
      usage({ model: "local-model", cost_microusd: 2_000_000, priced: false }),
    ],
  });
  openPage(`/tasks/${shown.id}?tab=cost`, new FakeGateway(shown));
  const table = await screen.findByRole("table");
  const [, known, guessed, total] = within(table).getAllByRole("row");
  expect(cells(known as HTMLElement)[0]).toBe("$1.00");
  expect(cells(guessed as HTMLElement)[0]).toBe("≈\u2009$2.00");
  expect(cells(total as HTMLElement)[0]).toBe("≈\u2009$3.00");
  expect(screen.getByText(/≈ marks a model without a known price/)).toBeInTheDocument();
});

test("a task that has cost nothing yet says so", async () => {
  const shown = task();
  openPage(`/tasks/${shown.id}?tab=cost`, new FakeGateway(shown));
  expect(await screen.findByText("No cost yet")).toBeInTheDocument();
});
