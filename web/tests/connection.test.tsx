import { act, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
// Loaded before the clock is a false one: the page itself waits for it.
import "../src/screens/task/screen";
import { FakeGateway } from "./support/gateway";
import { openPage } from "./support/page";
import { run, task } from "./support/tasks";

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
});
afterEach(() => vi.useRealTimers());

const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

/** The pill is a text while all is well, and a button that tries now while it is not. */
const retry = () => screen.queryByTitle("Try now");

async function openAndWait(gateway = new FakeGateway(task({ title: "Greeting" }))) {
  openPage("/", gateway);
  await pass(100);
  return gateway;
}

test("the pill says that the page is live once the socket is open", async () => {
  await openAndWait();
  expect(screen.getByText("Live")).toBeInTheDocument();
  expect(retry()).toBeNull();
});

test("the pill says that it is connecting until the socket opens", async () => {
  const gateway = new FakeGateway();
  gateway.silent = true;
  await openAndWait(gateway);
  expect(screen.getByText("Connecting…")).toBeInTheDocument();
});

test("a drop that is over within a second is not mentioned", async () => {
  const gateway = await openAndWait();
  gateway.drop();
  gateway.up = true;
  for (let waited = 0; waited < 2_000; waited += 100) {
    await pass(100);
    expect(screen.getByText("Live")).toBeInTheDocument();
  }
});

test("a drop that lasts is told in the pill first, with when the next try comes", async () => {
  const gateway = await openAndWait();
  gateway.drop();
  await pass(1_500);
  expect(retry()).toHaveTextContent(/Reconnecting/);
  expect(screen.queryByText(/No connection since/)).toBeNull();
});

test("after five seconds without socket and gateway the page says since when it is offline", async () => {
  const gateway = await openAndWait();
  gateway.drop();
  await pass(20_000);
  expect(retry()).toHaveTextContent(/Offline since \d\d:\d\d/);
  expect(screen.getByText(/No connection since \d\d:\d\d\. What you see is from then/)).toBeInTheDocument();
});

test("with requests but without a socket the page polls, and shows what has changed", async () => {
  const gateway = await openAndWait();
  gateway.drop();
  gateway.up = true;
  gateway.socketsFail = true;
  await pass(6_000);
  expect(retry()).toHaveTextContent("Polling every 5 s");
  gateway.tasks = [task({ title: "Pagination" })];
  await pass(6_000);
  expect(screen.getByText("Pagination")).toBeInTheDocument();
});

test("a click on the pill tries at once", async () => {
  const gateway = await openAndWait();
  gateway.drop();
  await pass(20_000);
  gateway.up = true;
  await act(async () => retry()?.click());
  await pass(100);
  expect(screen.getByText("Live")).toBeInTheDocument();
});

test("a running clock stands still while the page is offline", async () => {
  const shown = task({ run: run({ started_at: new Date(Date.now() - 60_000).toISOString() }) });
  const gateway = new FakeGateway(shown);
  openPage(`/tasks/${shown.id}?tab=details`, gateway);
  await pass(2_000);
  gateway.drop();
  await pass(20_000);
  const elapsed = screen.getByTitle("Running for").textContent;
  await pass(30_000);
  expect(screen.getByTitle("Running for").textContent).toBe(elapsed);
});

test("a gateway that stands still is not called live for longer than 12 s", async () => {
  const gateway = await openAndWait();
  await pass(7_000);
  gateway.frozen = true;
  await pass(12_000);
  expect(screen.queryByText("Live")).toBeNull();
  expect(screen.getByText(/No connection since \d\d:\d\d/)).toBeInTheDocument();
});
