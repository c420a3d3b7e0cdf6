import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Repo } from "../src/api/types";
import { FakeGateway } from "./support/gateway";
import { openPage } from "./support/page";
import { task } from "./support/tasks";

async function openDialog(gateway = new FakeGateway(task({ title: "Greeting" }))) {
  const page = openPage("/", gateway);
  await page.user.click(await screen.findByRole("button", { name: "New task" }));
  const dialog = within(await screen.findByRole("dialog", { name: "New task" }));
  return { ...page, gateway, dialog };
}

test("a task without a text cannot be created", async () => {
  const { user, dialog, gateway } = await openDialog();
  expect(dialog.getByRole("button", { name: "Create task" })).toBeDisabled();
  await user.type(dialog.getByRole("textbox", { name: "What should be done?" }), "   ");
  expect(dialog.getByRole("button", { name: "Create task" })).toBeDisabled();
  await user.keyboard("{Control>}{Enter}{/Control}");
  expect(gateway.commands).toEqual([]);
});

test("a new task is sent trimmed and without what was left empty, and is opened", async () => {
  const { user, dialog, gateway, history } = await openDialog();
  await user.type(dialog.getByRole("textbox", { name: "What should be done?" }), " Greet in lower case ");
  await user.click(dialog.getByRole("button", { name: "Create task" }));
  await screen.findByRole("heading", { level: 1, name: "Greeting" });
  expect(gateway.commands).toMatchObject([{ path: "/api/tasks" }]);
  expect(gateway.commands[0]?.body).toEqual({ text: "Greet in lower case" });
  expect(history.location.pathname).toBe(`/tasks/${gateway.tasks[0]?.id}`);
});

test("title, repository and the way to begin are sent when they are given", async () => {
  const { user, dialog, gateway } = await openDialog();
  await user.type(dialog.getByRole("textbox", { name: "What should be done?" }), "Greet");
  await user.type(dialog.getByRole("textbox", { name: /Title/ }), "Lower case");
  await user.type(dialog.getByRole("combobox", { name: /Repository/ }), "octo/greeter");
  await user.click(dialog.getByRole("radio", { name: /Plan first/ }));
  await user.keyboard("{Control>}{Enter}{/Control}");
  await waitFor(() => expect(gateway.commands).toHaveLength(1));
  expect(gateway.commands[0]?.body).toEqual({
    text: "Greet",
    title: "Lower case",
    repo: "octo/greeter",
    directive: "plan",
  });
});

test("a gateway that does not name the configured repositories offers those of the tasks in the list", async () => {
  const gateway = new FakeGateway(
    task({ repo: "octo/b" }),
    task({ repo: "octo/a" }),
    task({ repo: "octo/b" }),
  );
  openPage("/", gateway);
  const { user } = openPage("/", gateway);
  await screen.findAllByRole("listitem");
  await user.click(screen.getAllByRole("button", { name: "New task" })[0] as HTMLElement);
  await screen.findByRole("dialog", { name: "New task" });
  const offered = [...document.querySelectorAll("datalist option")].map((option) =>
    option.getAttribute("value"),
  );
  expect(offered).toEqual(["octo/a", "octo/b"]);
});

test("what the gateway refuses is said in its own words, and the draft stays", async () => {
  const { user, dialog, gateway } = await openDialog();
  gateway.commandsFail = { status: 422, detail: "There is no repository octo/nowhere." };
  await user.type(dialog.getByRole("textbox", { name: "What should be done?" }), "Greet in lower case");
  await user.click(dialog.getByRole("button", { name: "Create task" }));
  expect(await dialog.findByRole("alert")).toHaveTextContent("There is no repository octo/nowhere.");
  expect(dialog.getByRole("textbox", { name: "What should be done?" })).toHaveValue("Greet in lower case");
});

test("a gateway that cannot be reached is said, and the draft stays", async () => {
  const { user, dialog, gateway } = await openDialog();
  await user.type(dialog.getByRole("textbox", { name: "What should be done?" }), "Greet");
  gateway.up = false;
  await user.click(dialog.getByRole("button", { name: "Create task" }));
  expect(await dialog.findByRole("alert")).toHaveTextContent("The gateway cannot be reached.");
});

test("a draft outlives the dialog, and is gone once the task is created", async () => {
  const { user, dialog } = await openDialog();
  await user.type(dialog.getByRole("textbox", { name: "What should be done?" }), "Half a thought");
  await user.click(dialog.getByRole("button", { name: "Close" }));
  await waitFor(() => expect(screen.queryByRole("dialog", { name: "New task" })).toBeNull());

  await user.keyboard("c");
  const again = within(await screen.findByRole("dialog", { name: "New task" }));
  expect(again.getByRole("textbox", { name: "What should be done?" })).toHaveValue("Half a thought");
  await user.click(again.getByRole("button", { name: "Create task" }));
  await screen.findByRole("heading", { level: 1, name: "Greeting" });
  expect(sessionStorage).toHaveLength(0);
});

const configured = (...names: string[]): Repo[] =>
  names.map((name) => ({ name, base: "main", setup: "none", checks: "detected", agent: "executor" }));

async function openWith(repos: Repo[]) {
  const gateway = new FakeGateway(task({ title: "Greeting" }));
  gateway.repos = repos;
  const page = await openDialog(gateway);
  await page.user.type(page.dialog.getByRole("textbox", { name: "What should be done?" }), "Greet");
  return page;
}

test("of several configured repositories one has to be chosen, and no other can be", async () => {
  const { user, dialog, gateway } = await openWith(configured("octo/a", "octo/b"));
  const choice = await dialog.findByRole("combobox", { name: "Repository" });
  expect(
    within(choice)
      .getAllByRole("option")
      .map((each) => each.textContent),
  ).toEqual(["Choose one", "octo/a", "octo/b"]);
  expect(dialog.getByRole("button", { name: "Create task" })).toBeDisabled();
  await user.selectOptions(choice, "octo/b");
  expect(dialog.getByText("main · no set-up · checks found in it")).toBeInTheDocument();
  await user.click(dialog.getByRole("button", { name: "Create task" }));
  await waitFor(() => expect(gateway.commands).toHaveLength(1));
  expect(gateway.commands[0]?.body).toEqual({ text: "Greet", repo: "octo/b" });
});

test("the only configured repository is chosen already", async () => {
  const { user, dialog, gateway } = await openWith(configured("octo/a"));
  expect(await dialog.findByRole("combobox", { name: "Repository" })).toHaveValue("octo/a");
  await user.click(dialog.getByRole("button", { name: "Create task" }));
  await waitFor(() => expect(gateway.commands[0]?.body).toEqual({ text: "Greet", repo: "octo/a" }));
});

test("without a configured repository no task can be created, and the mend is shown", async () => {
  const { user, dialog, gateway } = await openWith([]);
  expect(await dialog.findByRole("alert")).toHaveTextContent("cat >> /srv/jm/journeyman.toml");
  expect(dialog.getByRole("button", { name: "Create task" })).toBeDisabled();
  await user.keyboard("{Control>}{Enter}{/Control}");
  expect(gateway.commands).toEqual([]);
});

test("the sentence about the approval follows the chosen way to begin", async () => {
  const { user, dialog } = await openDialog();
  expect(dialog.getByText(/^Triage decides how to begin/)).toBeInTheDocument();
  await user.click(dialog.getByRole("radio", { name: /Plan first/ }));
  expect(dialog.getByText("You approve the plan before any code is written.")).toBeInTheDocument();
  await user.click(dialog.getByRole("radio", { name: /Implement/ }));
  expect(dialog.queryByText(/You approve/)).toBeNull();
  expect(dialog.getByText(/begins to write code at once/)).toBeInTheDocument();
});

test("where plans approve themselves, nobody is told that they approve", async () => {
  const gateway = new FakeGateway(task());
  gateway.system = { approval: "auto" };
  const { user, dialog } = await openDialog(gateway);
  await user.click(dialog.getByRole("radio", { name: /Plan first/ }));
  expect(dialog.getByText(/approves itself/)).toBeInTheDocument();
});
