import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { leave } from "../src/api/client";
import { browserName } from "../src/lib/browser-name";
import { FakeGateway, TOKEN } from "./support/gateway";
import { openPage } from "./support/page";
import { me, session } from "./support/people";

const left: string[] = [];
leave.to = (address) => void left.push(address);
beforeEach(() => void left.splice(0));

function account(): FakeGateway {
  const gateway = new FakeGateway();
  gateway.me = me("operator", "listTasks", "listMySessions");
  return gateway;
}

test("one's account says who one is, what one may, and where one is logged in", async () => {
  const gateway = account();
  gateway.sessions = [session({ id: "here", current: true }), session()];
  openPage("/account", gateway);
  expect(await screen.findByText("bo")).toBeVisible();
  expect(screen.getByText(/opens, stops, retries/)).toBeVisible();
  expect(screen.queryByRole("link", { name: "People and their roles" })).toBeNull();
  const [here, other] = await screen.findAllByText("Firefox, Linux");
  expect(within(here?.closest("li") as HTMLElement).getByText("this browser")).toBeVisible();
  expect(within(here?.closest("li") as HTMLElement).queryByRole("button")).toBeNull();
  expect(within(other?.closest("li") as HTMLElement).getByText(/203\.0\.113\.9/)).toBeVisible();
});

test("another browser is logged out once that is confirmed, and is gone from the list", async () => {
  const gateway = account();
  gateway.sessions = [session({ id: "here", current: true }), session()];
  const { user } = openPage("/account", gateway);
  const list = (await screen.findByText("this browser")).closest("ul") as HTMLElement;
  await user.click(within(list).getByRole("button", { name: "Log out" }));
  expect(gateway.commands).toEqual([]);
  await user.click(within(screen.getByRole("alertdialog")).getByRole("button", { name: "Log out" }));
  await waitFor(() => expect(gateway.commands.at(-1)?.path).toBe("/api/me/sessions/aa11/end"));
  await waitFor(() => expect(within(list).getAllByRole("listitem")).toHaveLength(1));
});

test("logging out ends the session, forgets drafts, and leads to the login", async () => {
  const { user } = openPage("/account", account());
  sessionStorage.setItem("journeyman.draft.T1", "half a thought");
  await user.click(await screen.findByRole("button", { name: "Log out" }));
  await waitFor(() => expect(left).toEqual(["/login"]));
  expect(sessionStorage).toHaveLength(0);
});

test("who could not be logged out is told so, and stays", async () => {
  const gateway = account();
  gateway.commandsFail = { status: 503, detail: "The log does not answer." };
  const { user } = openPage("/account", gateway);
  await user.click(await screen.findByRole("button", { name: "Log out" }));
  expect(await screen.findByText("You are still logged in: The log does not answer.")).toBeVisible();
  expect(left).toEqual([]);
});

test("a token is made for what was chosen, shown once, and never again", async () => {
  const gateway = account();
  const { user } = openPage("/account", gateway);
  await user.click(await screen.findByRole("button", { name: "New token" }));
  const form = within(screen.getByRole("form", { name: "New token" }));
  await user.type(form.getByLabelText("What it is for"), "ci");
  expect(form.queryByRole("option", { name: "Admin" }), "no more than oneself").toBeNull();
  await user.selectOptions(form.getByLabelText("May do at most"), "Viewer");
  await user.click(form.getByLabelText("tasks"));
  await user.click(form.getByRole("button", { name: "Make token" }));
  expect(await screen.findByText("made-token")).toBeVisible();
  expect(gateway.commands.at(-1)).toMatchObject({
    path: "/api/tokens",
    body: { name: "ci", role: "viewer", days: 30, scopes: ["tasks"] },
  });
  await user.click(screen.getByRole("button", { name: "I have it" }));
  expect(screen.queryByText("made-token")).toBeNull();
});

test("a token says what it may, when it ends and when it was used, with hidden characters by name, and is revoked", async () => {
  const gateway = account();
  gateway.tokens = [{ ...TOKEN, name: "ci\u202e", ends_at: "2020-01-01T00:00:00Z" }];
  const { user } = openPage("/account", gateway);
  const item = within((await screen.findByText("tok0000001")).closest("li") as HTMLElement);
  expect(item.getByText("U+202E")).toBeVisible();
  expect(item.getByText(/^ended /)).toBeVisible();
  expect(item.getByText(/never used/)).toBeVisible();
  await user.click(item.getByRole("button", { name: "Revoke" }));
  await user.click(within(screen.getByRole("alertdialog")).getByRole("button", { name: "Revoke" }));
  await waitFor(() => expect(gateway.commands.at(-1)?.path).toBe("/api/tokens/tok0000001/revoke"));
  expect(await screen.findByText("There are no tokens.")).toBeVisible();
});

test("without a login there is nobody to log out, and that is said", async () => {
  const gateway = account();
  gateway.me = { ...me("admin"), name: "local", via: "no-login" };
  openPage("/account", gateway);
  expect(await screen.findByText(/The login is off/)).toBeVisible();
  expect(screen.queryByRole("button", { name: "Log out" })).toBeNull();
});

test("a gateway that cannot say who one is is asked again", async () => {
  const gateway = account();
  gateway.readsFail = { status: 503, detail: "The log does not answer." };
  const { user } = openPage("/account", gateway);
  expect(await screen.findByText("Your account could not be loaded")).toBeVisible();
  gateway.readsFail = undefined;
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText("bo")).toBeVisible();
});

test.each([
  ["Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"],
  [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/605.1 Version/18 Safari/605.1",
    "Safari, macOS",
  ],
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18 Safari/604.1", "Safari, iOS"],
  ["Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome, Android"],
  ["Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/140.0 Safari/537.36", "Chrome, Linux"],
  ["curl/8.0", "curl/8.0"],
  ["", ""],
])("%s is called %s", (agent, name) => expect(browserName(agent)).toBe(name));
