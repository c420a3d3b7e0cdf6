import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { FakeGateway, TOKEN } from "./support/gateway";
import { openPage } from "./support/page";
import { me, person, session } from "./support/people";

function peopleAt(...people: FakeGateway["people"]): FakeGateway {
  const gateway = new FakeGateway();
  gateway.me = { ...me("admin", "listTasks", "listUsers", "inviteUser"), name: "ada" };
  gateway.people = people;
  return gateway;
}

const itemOf = async (name: string) =>
  within((await screen.findByRole("heading", { name: new RegExp(`^${name}`) })).closest("li") as HTMLElement);

test("an admin has the page of people in the navigation", async () => {
  openPage("/", peopleAt(person()));
  expect(await screen.findByRole("link", { name: "People" })).toBeInTheDocument();
});

test("nobody else has it", async () => {
  const gateway = new FakeGateway();
  gateway.me = me("approver", "listTasks");
  openPage("/", gateway);
  await screen.findByRole("link", { name: /Your account: bo/ });
  expect(screen.queryByRole("link", { name: "People" })).toBeNull();
});

test("somebody is invited, and the link is shown until somebody has it", async () => {
  const gateway = peopleAt(person({ name: "ada", role: "admin" }));
  const { user } = openPage("/people", gateway);
  expect(await screen.findByText(/Nobody but you/)).toBeVisible();
  const form = within(screen.getByRole("form", { name: "Invite" }));
  await user.type(form.getByLabelText("Name"), "bo");
  await user.selectOptions(form.getByLabelText("Role"), "Approver");
  await user.click(form.getByRole("button", { name: "Invite" }));
  expect(await screen.findByText("http://gateway.test/login#made-link")).toBeVisible();
  expect(gateway.commands.at(-1)).toMatchObject({
    path: "/api/users",
    body: { name: "bo", role: "approver" },
  });
  await user.click(screen.getByRole("button", { name: "I have it" }));
  expect(screen.queryByText(/made-link/)).toBeNull();
});

test("a name that is there already is refused in the gateway's words, and stays in the form", async () => {
  const gateway = peopleAt(person());
  gateway.commandsFail = { status: 409, detail: "There is somebody called bo." };
  const { user } = openPage("/people", gateway);
  await user.type(await screen.findByLabelText("Name"), "bo{Enter}");
  expect(await screen.findByText("There is somebody called bo.")).toBeVisible();
  expect(screen.getByLabelText("Name")).toHaveValue("bo");
});

test("a role is chosen out of a menu, and a link is made anew", async () => {
  const gateway = peopleAt(person());
  const { user } = openPage("/people", gateway);
  const bo = await itemOf("bo");
  await user.click(bo.getByRole("button", { name: /^Role/ }));
  await user.click(await screen.findByRole("menuitemradio", { name: "Admin" }));
  await waitFor(() =>
    expect(gateway.commands.at(-1)).toMatchObject({ path: "/api/users/bo/role", body: { role: "admin" } }),
  );
  await user.click(bo.getByRole("button", { name: "New link" }));
  expect(await screen.findByRole("status", { name: "The link for bo" })).toBeVisible();
});

test("somebody is let in no more once that is confirmed, and can be let in again", async () => {
  const gateway = peopleAt(person(), person({ name: "cy", enabled: false, actions: ["role", "enable"] }));
  const { user } = openPage("/people", gateway);
  const bo = await itemOf("bo");
  await user.click(bo.getByRole("button", { name: "Disable" }));
  expect(gateway.commands).toEqual([]);
  await user.click(within(screen.getByRole("alertdialog")).getByRole("button", { name: "Disable" }));
  await waitFor(() => expect(gateway.commands.at(-1)?.path).toBe("/api/users/bo/disable"));
  const cy = await itemOf("cy");
  expect(cy.getByText("may not come in")).toBeVisible();
  expect(cy.queryByRole("button", { name: "New link" })).toBeNull();
  await user.click(cy.getByRole("button", { name: "Enable" }));
  await waitFor(() => expect(gateway.commands.at(-1)?.path).toBe("/api/users/cy/enable"));
});

test("the last admin stays one, and the page says why", async () => {
  const gateway = peopleAt(person({ name: "ada", role: "admin" }));
  gateway.commandsFail = { status: 409, detail: "ada is the only admin: make somebody else one first." };
  const { user } = openPage("/people", gateway);
  const ada = await itemOf("ada");
  await user.click(ada.getByRole("button", { name: "Disable" }));
  await user.click(within(screen.getByRole("alertdialog")).getByRole("button", { name: "Disable" }));
  expect(await ada.findByRole("alert")).toHaveTextContent("the only admin");
});

test("a person's sessions and tokens are seen and ended there", async () => {
  const gateway = peopleAt(person());
  gateway.sessions = [session()];
  gateway.tokens = [TOKEN];
  const { user } = openPage("/people", gateway);
  const bo = await itemOf("bo");
  await user.click(bo.getByText("Sessions and tokens"));
  await user.click(await bo.findByRole("button", { name: "Log out" }));
  await user.click(within(screen.getByRole("alertdialog")).getByRole("button", { name: "Log out" }));
  await waitFor(() => expect(gateway.commands.at(-1)?.path).toBe("/api/users/bo/sessions/aa11/end"));
  await user.click(await bo.findByRole("button", { name: "Revoke" }));
  await user.click(within(screen.getByRole("alertdialog")).getByRole("button", { name: "Revoke" }));
  await waitFor(() => expect(gateway.commands.at(-1)?.path).toBe("/api/tokens/tok0000001/revoke"));
  const asked = gateway.reads
    .filter(({ pathname }) => pathname === "/api/tokens")
    .map(({ search }) => search);
  expect(new Set(asked)).toEqual(new Set(["?person=bo"]));
});

test.each([
  [403, "This takes the role admin, and you are viewer.", "Only admins see who may come in", false],
  [404, "There is nothing at this address.", "The people could not be loaded", true],
])("people that cannot be told (%i) are said to be so", async (status, detail, title, again) => {
  const gateway = peopleAt(person());
  gateway.readsFail = { status, detail };
  openPage("/people", gateway);
  expect(await screen.findByText(title)).toBeVisible();
  expect(screen.getByText(detail)).toBeVisible();
  expect(screen.queryByRole("button", { name: "Try again" }) !== null).toBe(again);
  expect(screen.queryByRole("form", { name: "Invite" })).toBeNull();
});
