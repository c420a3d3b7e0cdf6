import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import type { SystemStatus } from "../src/api/types";
import { FakeGateway } from "./support/gateway";
import { openPage } from "./support/page";
import { me } from "./support/people";
import { allow, task } from "./support/tasks";

const titlesIn = (element: HTMLElement) =>
  within(element)
    .getAllByRole("listitem")
    .map((row) => within(row).getAllByRole("link")[0]?.textContent);

/** A system without any task, and whatever else it has. */
function empty(system: Partial<SystemStatus> = {}, repos: string[] = ["octo/greeter"]) {
  const gateway = new FakeGateway();
  gateway.system = system;
  gateway.repos = repos.map((name) => ({
    name,
    base: "main",
    setup: "none",
    checks: "detected",
    agent: "executor",
  }));
  return { ...openPage("/", gateway), gateway };
}

test("an empty list shows how a first task is made, with a repository that there is", async () => {
  empty();
  expect(await screen.findByRole("heading", { name: "No tasks yet" })).toBeInTheDocument();
  expect(
    await screen.findByText(/journeyman task submit .* --repo octo\/greeter --wait/),
  ).toBeInTheDocument();
  const curl = await screen.findByText(/curl -i/);
  expect(curl).toHaveTextContent('"full_name":"octo/greeter"');
  expect(curl).toHaveTextContent('secret="$JOURNEYMAN_GITHUB_WEBHOOK_SECRET"');
  expect(screen.queryByRole("region", { name: "What is missing" })).toBeNull();
});

test("the webhook's command takes the secret from the file where the demo keeps it", async () => {
  empty({ webhooks: [{ sender: "github", ready: true, secret_file: "/tmp/my demo/webhook-secret" }] });
  expect(await screen.findByText(/curl -i/)).toHaveTextContent("secret=$(cat '/tmp/my demo/webhook-secret')");
});

test("what a new system lacks is named with its mend, and no command is shown that could not work", async () => {
  empty(
    {
      agents_ready: false,
      agents_problem: "No model key: set ANTHROPIC_API_KEY in .env and restart.",
      webhooks: [{ sender: "github", ready: false, secret_file: "" }],
    },
    [],
  );
  const missing = within(await screen.findByRole("region", { name: "What is missing" }));
  expect(await missing.findByText(/cat >> \/srv\/jm\/journeyman.toml/)).toBeInTheDocument();
  expect(missing.getByText(/echo 'ANTHROPIC_API_KEY=/)).toBeInTheDocument();
  expect(missing.getByText(/JOURNEYMAN_GITHUB_WEBHOOK_SECRET=\$\(openssl rand/)).toBeInTheDocument();
  expect(screen.queryByText(/curl -i|journeyman task submit/)).toBeNull();
  expect(screen.queryByRole("button", { name: "Send a test event" })).toBeNull();
});

test("a test event is sent with one click, and what became of it stays on the screen", async () => {
  const { user, gateway } = empty();
  const made = task({ title: "Test event", status: "declined", triage_reason: "Nothing to do." });
  gateway.delivered = { status: 202, delivery: "d".repeat(32), task_id: made.id, reason: "" };
  await user.click(await screen.findByRole("button", { name: "Send a test event" }));
  expect(gateway.commands).toMatchObject([{ path: "/api/test-event", body: { repo: "octo/greeter" } }]);
  expect(await screen.findByText(/Signature right, stored \(202\)/)).toBeInTheDocument();
  gateway.tasks = [made];
  gateway.change(made.id, {});
  const told = within(await screen.findByRole("status", { name: "What became of it" }));
  expect(await told.findByRole("link", { name: "Test event" })).toHaveAttribute("href", `/tasks/${made.id}`);
  expect(told.getByText(/Declined: Nothing to do\./)).toBeInTheDocument();
});

test("a test event that is not taken says why", async () => {
  const { user, gateway } = empty();
  gateway.delivered = { status: 401, delivery: "", task_id: "", reason: "The signature does not fit." };
  await user.click(await screen.findByRole("button", { name: "Send a test event" }));
  expect(await screen.findByText(/Not taken \(401\): The signature does not fit\./)).toBeInTheDocument();
});

test("a task that somebody stopped says in the list who, and why", async () => {
  openPage(
    "/",
    new FakeGateway(
      task({
        status: "cancelled",
        cancelled_how: "stopped",
        cancelled_by: "user:ada",
        cancelled_reason: "Not in Rust, please",
      }),
    ),
  );
  expect(await screen.findByText("Stopped by ada: Not in Rust, please")).toBeInTheDocument();
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
  expect(screen.getByRole("link", { name: "Second" })).toHaveFocus();
  await user.keyboard("k");
  expect(screen.getByRole("link", { name: "First" })).toHaveFocus();
});

test("my own tasks are those that I asked for, in an address that shows everybody theirs", async () => {
  const gateway = new FakeGateway(task({ title: "of bo", requester: "user:bo" }), task({ title: "of ada" }));
  gateway.me = me("viewer", "listTasks");
  const { user, history } = openPage("/", gateway);
  await user.click(await screen.findByRole("button", { name: "Asked by Any" }));
  await user.click(await screen.findByRole("menuitemradio", { name: "me" }));
  await waitFor(() => expect(screen.queryByText("of ada")).toBeNull());
  expect(screen.getByText("of bo")).toBeVisible();
  expect(history.location.search).toBe("?requester=me");
  expect(gateway.reads.at(-1)?.searchParams.get("requester")).toBe("user:bo");
});

test("the tasks of somebody else are found by their name, also of somebody outside", async () => {
  const gateway = new FakeGateway(task({ title: "of ada" }), task({ title: "of bo", requester: "user:bo" }));
  openPage("/?requester=github%3Aada", gateway);
  expect(await screen.findByText("of ada")).toBeVisible();
  expect(screen.queryByText("of bo")).toBeNull();
  expect(screen.getByRole("button", { name: "Asked by github:ada" })).toBeVisible();
});

test("where it cannot be known who looks, no task is theirs", async () => {
  openPage("/?requester=me", new FakeGateway(task({ title: "of ada" })));
  expect(await screen.findByText("No task matches the filters")).toBeVisible();
});
