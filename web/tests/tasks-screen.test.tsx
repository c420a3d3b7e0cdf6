import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { FakeGateway } from "./support/gateway";
import { openPage } from "./support/page";
import { allow, task } from "./support/tasks";

const titlesIn = (element: HTMLElement) =>
  within(element)
    .getAllByRole("listitem")
    .map((row) => within(row).getAllByRole("link")[0]?.textContent);

test("an empty list shows how a first task is made", async () => {
  openPage("/", new FakeGateway());
  expect(await screen.findByRole("heading", { name: "No tasks yet" })).toBeInTheDocument();
  expect(screen.getByText(/journeyman task submit/)).toBeInTheDocument();
});

test("tasks are grouped, and what needs a person comes first", async () => {
  openPage(
    "/",
    new FakeGateway(
      task({ title: "Done one", status: "completed" }),
      task({ title: "Running one", status: "executing" }),
      task({ title: "Failed one", status: "failed" }),
      task({ title: "Queued one", status: "received" }),
      task({ title: "Asking one", status: "waiting-input", question: "May I?" }),
    ),
  );
  await screen.findByText("Asking one");
  const groups = screen.getAllByRole("heading", { level: 2 }).map((heading) => heading.textContent);
  expect(groups).toEqual(["Needs you1", "Running1", "Queued1", "Failed1", "Done1"]);
  expect(titlesIn(screen.getByRole("region", { name: /Needs you/ }))).toEqual(["Asking one"]);
});

test("an execution that no worker has taken yet stands among the queued", async () => {
  openPage("/", new FakeGateway(task({ title: "Waiting for a worker", worker: "" })));
  await screen.findByText("Waiting for a worker");
  expect(titlesIn(screen.getByRole("region", { name: /Queued/ }))).toEqual(["Waiting for a worker"]);
});

test("the list says how many tasks wait for a person, in the navigation and in the tab's title", async () => {
  openPage(
    "/",
    new FakeGateway(task({ status: "awaiting-approval" }), task({ status: "waiting-input" }), task()),
  );
  expect(await screen.findByTitle(/2 tasks/)).toHaveTextContent("2");
  expect(document.title).toMatch(/^\(2\) /);
});

test("a filter in the address asks the gateway, and says how many tasks it hides", async () => {
  const gateway = new FakeGateway(
    task({ title: "Broken", status: "failed" }),
    task({ title: "Greeting" }),
    task({ title: "Pagination" }),
  );
  const { user, history } = openPage("/?status=failed", gateway);
  await screen.findByText("Broken");
  expect(screen.queryByText("Greeting")).toBeNull();
  expect(await screen.findByText(/2 tasks hidden by filters/)).toBeInTheDocument();

  await user.click(screen.getByRole("button", { name: "clear" }));
  expect(await screen.findByText("Greeting")).toBeInTheDocument();
  expect(history.location.search).toBe("");
});

test("typing into the search filters the list and stands in the address", async () => {
  const gateway = new FakeGateway(task({ title: "Greeting" }), task({ title: "Pagination" }));
  const { user, history } = openPage("/", gateway);
  await screen.findByText("Pagination");
  await user.type(screen.getByRole("searchbox", { name: "Search tasks" }), "Greet");
  await screen.findByText(/1 task hidden by filters/);
  expect(screen.queryByText("Pagination")).toBeNull();
  expect(history.location.search).toBe("?q=Greet");
});

test("a status is chosen from the menu, which counts the tasks of each", async () => {
  const gateway = new FakeGateway(task({ title: "Broken", status: "failed" }), task({ title: "Greeting" }));
  const { user, history } = openPage("/", gateway);
  await screen.findByText("Greeting");
  await user.click(screen.getByRole("button", { name: /Status/ }));
  await user.click(await screen.findByRole("menuitemradio", { name: /Failed\s*1/ }));
  await screen.findByText(/1 task hidden by filters/);
  expect(history.location.search).toBe("?status=failed");
});

test("filters that nothing matches offer to clear them", async () => {
  const { user } = openPage("/?q=nowhere", new FakeGateway(task({ title: "Greeting" })));
  await user.click(await screen.findByRole("button", { name: "Clear filters" }));
  expect(await screen.findByText("Greeting")).toBeInTheDocument();
});

test("a list that cannot be had says why, in the gateway's words", async () => {
  const gateway = new FakeGateway();
  gateway.readsFail = { status: 429, detail: "Too many requests; try again in a moment." };
  openPage("/", gateway);
  expect(await screen.findByRole("alert")).toHaveTextContent("Too many requests; try again in a moment.");
});

test("a task that an event announces appears without a reload", async () => {
  const gateway = new FakeGateway(task({ title: "Greeting", status: "executing" }));
  openPage("/", gateway);
  await screen.findByRole("heading", { name: /Running/ });
  gateway.change(gateway.tasks[0]?.id ?? "", { status: "failed", actions: allow("retry") });
  expect(await screen.findByRole("heading", { name: /Failed/ })).toBeInTheDocument();
});

test("the keys j and k walk over the tasks", async () => {
  const { user } = openPage("/", new FakeGateway(task({ title: "First" }), task({ title: "Second" })));
  await screen.findByText("First");
  await user.keyboard("jj");
  expect(screen.getByText("Second")).toHaveFocus();
  await user.keyboard("k");
  expect(screen.getByText("First")).toHaveFocus();
});
