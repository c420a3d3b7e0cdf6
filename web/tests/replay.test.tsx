import { act, screen, waitFor } from "@testing-library/react";
import { beforeAll, expect, test, vi } from "vitest";
import { REPLAY } from "../src/api/replay";
import { FakeGateway } from "./support/gateway";
import { openPage } from "./support/page";
import { allow, plan, run, task } from "./support/tasks";

// The page reads its session once, when it is loaded: so it stands in the address before the imports above are run.
vi.hoisted(() => history.replaceState(null, "", "/?replay=s-1"));

const MOMENT = {
  type: "replay.moment",
  seq: 1_200,
  last: 4_800,
  time: "2026-11-20T10:00:00Z",
  speed: 8,
  state: "playing",
};

async function open(gateway: FakeGateway, path = "/") {
  const page = openPage(path, gateway);
  await waitFor(() => expect(gateway.topics).toContain("replay:s-1"));
  return page;
}

beforeAll(() => expect(REPLAY).toBe("s-1"));

test("the banner says that it is a replay, where it is, and how to leave it", async () => {
  const gateway = new FakeGateway();
  await open(gateway);
  expect(await screen.findByText("Joining the replay…")).toBeInTheDocument();
  act(() => gateway.tell(MOMENT));
  const banner = await screen.findByRole("region", { name: "Replay" });
  expect(banner).toHaveTextContent("Replay: nothing here is live");
  expect(banner).toHaveTextContent("#1,200 of 4,800");
  expect(banner).toHaveTextContent("8×");
  expect(screen.getByRole("link", { name: "Back to the live view" })).toHaveAttribute("href", "/");
});

test("the page of one task leads back to that task as it is now", async () => {
  const shown = task();
  await open(new FakeGateway(shown), `/tasks/${shown.id}?tab=cost`);
  const leave = await screen.findByRole("link", { name: "Back to the live view" });
  expect(leave).toHaveAttribute("href", `/tasks/${shown.id}`);
});

test("a replay that has ended, and one that never was, say so", async () => {
  const gateway = new FakeGateway();
  await open(gateway);
  act(() => gateway.tell({ type: "error", code: "replay-over", message: "" }));
  expect(await screen.findByText("There is no such replay, or it is over")).toBeInTheDocument();
  act(() => gateway.tell(MOMENT));
  act(() => gateway.tell({ type: "error", code: "replay-over", message: "" }));
  expect(await screen.findByText("The replay is over: this was its last moment")).toBeInTheDocument();
});

test("every request names the session, and the socket has no other topic", async () => {
  const shown = task({ title: "Greeting" });
  const gateway = new FakeGateway(shown);
  await open(gateway, `/tasks/${shown.id}?tab=output`);
  await screen.findByRole("heading", { level: 1, name: "Greeting" });
  await waitFor(() => expect(gateway.reads.some((url) => url.pathname.endsWith("/transcript"))).toBe(true));
  for (const url of gateway.reads) expect(url.searchParams.get("replay"), url.pathname).toBe("s-1");
  expect(new Set(gateway.topics)).toEqual(new Set(["replay:s-1"]));
});

test("no task can be created in a replay, by the button or by the key", async () => {
  const { user } = await open(new FakeGateway());
  expect(screen.getByRole("button", { name: "New task" })).toBeDisabled();
  await user.keyboard("c");
  expect(screen.queryByRole("dialog", { name: "New task" })).toBeNull();
});

test("no task can be stopped or tried again in a replay, even where the answer allows it", async () => {
  const shown = task({ actions: allow("stop", "retry") });
  await open(new FakeGateway(shown), `/tasks/${shown.id}?tab=cost`);
  expect(await screen.findByRole("button", { name: "Stop" })).toBeDisabled();
  expect(screen.getByRole("button", { name: "Retry" })).toBeDisabled();
});

test("no plan can be decided on in a replay", async () => {
  const shown = task({
    status: "awaiting-approval",
    plans: [plan(1, "A plan")],
    actions: allow("approve", "revise", "reject"),
  });
  await open(new FakeGateway(shown), `/tasks/${shown.id}?tab=plan`);
  expect(await screen.findByRole("button", { name: "Approve plan v1" })).toBeDisabled();
  expect(screen.getByRole("button", { name: "Request changes" })).toBeDisabled();
  expect(screen.getByRole("button", { name: "Reject" })).toBeDisabled();
});

test("nothing can be said to an agent in a replay", async () => {
  const shown = task({ actions: allow("input"), run: run() });
  await open(new FakeGateway(shown), `/tasks/${shown.id}?tab=output`);
  expect(await screen.findByRole("textbox", { name: "Message to the agent" })).toBeDisabled();
});

test("the replay's moment is the page's clock", async () => {
  const gateway = new FakeGateway(task({ updated_at: "2026-11-20T09:50:00Z" }));
  await open(gateway);
  act(() => gateway.tell(MOMENT));
  expect(await screen.findAllByText("10m ago")).not.toHaveLength(0);
});

test("the tab's title says that it is a replay", async () => {
  await open(new FakeGateway());
  await waitFor(() => expect(document.title).toMatch(/^Replay: /));
});
