import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { leave } from "../src/api/client";
import { openSocket } from "../src/live/socket";
import { LoginScreen, onward } from "../src/screens/login/screen";

const SECRET = "s".repeat(43);
const left: string[] = [];
leave.to = (address) => void left.push(address);

afterEach(() => {
  left.length = 0;
  vi.unstubAllGlobals();
});

/** The gateway that answers all commands so, and knows this person by the browser's cookie; returns what it was told. */
function answering(status: number, body: object, me?: object): string[] {
  const told: string[] = [];
  vi.stubGlobal("fetch", (path: string, init?: RequestInit) => {
    if (path.startsWith("/api/me"))
      return Promise.resolve(
        me
          ? new Response(JSON.stringify(me))
          : new Response(JSON.stringify({ code: "not-logged-in" }), { status: 401 }),
      );
    told.push(`${init?.method ?? "GET"} ${path} ${init?.body ?? ""}`);
    return Promise.resolve(new Response(JSON.stringify(body), { status }));
  });
  return told;
}

test("looking at a link spends nothing, the button logs in and goes on where one came from", async () => {
  const told = answering(200, { name: "bo" });
  render(<LoginScreen hash={`#${SECRET}`} search="?to=%2Ftasks%2FT1%23end" />);
  expect(told).toEqual([]);
  await userEvent.click(screen.getByRole("button", { name: "Log in" }));
  expect(told).toEqual([`POST /api/login {"link":"${SECRET}"}`]);
  expect(left).toEqual(["/tasks/T1#end"]);
});

test("a link that is over says so, and another one can be entered at once", async () => {
  answering(401, { code: "link-over", detail: "This link does not log in." });
  render(<LoginScreen hash={`#${SECRET}`} search="" />);
  await userEvent.click(screen.getByRole("button", { name: "Log in" }));
  expect((await screen.findByRole("alert")).textContent).toMatch(/it was used, is older than an hour/);
  const told = answering(200, {});
  await vi.waitFor(() => expect(screen.getByLabelText("A link that you were given")).toHaveFocus());
  await userEvent.keyboard(`http://h/login#${SECRET}{Enter}`);
  expect(told).toEqual([`POST /api/login {"link":"${SECRET}"}`]);
});

test.each([
  [403, "user-disabled", "bo may not log in.", /An admin can let you in again/],
  [429, "too-many-attempts", "Wait a minute.", /Wait a minute/],
])("a login that is refused with %i says why", async (status, code, detail, wanted) => {
  answering(status, { code, detail });
  render(<LoginScreen hash={`#${SECRET}`} search="" />);
  await userEvent.click(screen.getByRole("button", { name: "Log in" }));
  expect((await screen.findByRole("alert")).textContent).toMatch(wanted);
});

test("a page that was left because the session had ended says so, and goes on once one is logged in in another tab", async () => {
  answering(200, {});
  render(<LoginScreen hash="" search="?to=%2Ftasks%2FT1&ended=1" />);
  expect(screen.getByRole("status").textContent).toMatch(/the session has ended/);
  window.dispatchEvent(new Event("focus"));
  expect(left).toEqual([]);
  answering(200, {}, { name: "bo", role: "viewer", via: "session", scopes: [], ends_at: null, may: [] });
  window.dispatchEvent(new Event("focus"));
  await vi.waitFor(() => expect(left).toEqual(["/tasks/T1"]));
});

test("who is logged in already reads as whom, and stays where they are until they go on", async () => {
  answering(200, {}, { name: "bo", role: "viewer", via: "session", scopes: [], ends_at: null, may: [] });
  render(<LoginScreen hash="" search="" />);
  expect(await screen.findByText("You are logged in as bo.")).toBeVisible();
  expect(left).toEqual([]);
  await userEvent.click(screen.getByRole("button", { name: "Go on" }));
  expect(left).toEqual(["/"]);
});

test.each(["//evil.example", "https://evil.example", "/\\evil.example", "/login?to=/", null])(
  "nobody is led elsewhere by %s",
  (wanted) => expect(onward(wanted)).toBe("/"),
);

test("who is not logged in any more goes where one logs in, but what is being sent stays", async () => {
  // A page that is opened now: nothing has answered it yet.
  vi.resetModules();
  const { getJson, leave, postJson } = await import("../src/api/client");
  leave.to = (address) => void left.push(address);
  answering(401, { code: "not-logged-in", detail: "Nobody is logged in." });
  await expect(postJson("/api/tasks", {})).rejects.toThrow("Nobody is logged in.");
  expect(left).toEqual([]);
  await expect(getJson("/api/tasks")).rejects.toThrow();
  expect(left).toEqual(["/login?to=%2F"]);
  answering(200, {});
  await getJson("/api/tasks");
  answering(401, { code: "not-logged-in" });
  await expect(getJson("/api/tasks")).rejects.toThrow();
  expect(left.at(-1)).toBe("/login?to=%2F&ended=1");
});

test("a socket is opened by a ticket, and by none that was not given", async () => {
  const opened: string[] = [];
  class Opened {
    constructor(url: string) {
      opened.push(url);
    }
  }
  vi.stubGlobal("WebSocket", Opened);
  answering(200, { ticket: "t 1" });
  openSocket();
  await vi.waitFor(() => expect(opened).toEqual([`ws://${location.host}/ws?ticket=t%201`]));
  answering(401, { code: "not-logged-in" });
  const socket = openSocket();
  const closed = vi.fn();
  socket.onclose = closed;
  await vi.waitFor(() => expect(closed).toHaveBeenCalled());
  expect(opened.length).toBe(1);
});
