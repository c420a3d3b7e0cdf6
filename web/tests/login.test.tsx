import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { getJson, leave, postJson } from "../src/api/client";
import { openSocket } from "../src/live/socket";
import { LoginScreen, onward } from "../src/screens/login/screen";

const SECRET = "s".repeat(43);
const left: string[] = [];
leave.to = (address) => void left.push(address);

afterEach(() => {
  left.length = 0;
  vi.unstubAllGlobals();
});

/** The gateway that answers everything so; returns what it was asked. */
function answering(status: number, body: object): string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (path: string, init?: RequestInit) => {
    asked.push(`${init?.method ?? "GET"} ${path} ${init?.body ?? ""}`);
    return Promise.resolve(new Response(JSON.stringify(body), { status }));
  });
  return asked;
}

test("looking at a link spends nothing, the button logs in and goes on where one came from", async () => {
  const asked = answering(200, { name: "bo" });
  render(<LoginScreen hash={`#${SECRET}`} search="?to=%2Ftasks%2FT1" />);
  expect(asked).toEqual([]);
  await userEvent.click(screen.getByRole("button", { name: "Log in" }));
  expect(asked).toEqual([`POST /api/login {"link":"${SECRET}"}`]);
  expect(left).toEqual(["/tasks/T1"]);
});

test("a link that is over says so, and another one can be entered", async () => {
  answering(401, { code: "link-over", detail: "This link does not log in." });
  render(<LoginScreen hash={`#${SECRET}`} search="" />);
  await userEvent.click(screen.getByRole("button", { name: "Log in" }));
  expect((await screen.findByRole("alert")).textContent).toBe("This link does not log in.");
  const asked = answering(200, {});
  await userEvent.type(screen.getByLabelText("A link that you were given"), `http://h/login#${SECRET}`);
  await userEvent.click(screen.getByRole("button", { name: "Log in" }));
  expect(asked).toEqual([`POST /api/login {"link":"${SECRET}"}`]);
});

test.each(["//evil.example", "https://evil.example", "/\\evil.example", "/login?to=/", null])(
  "nobody is led elsewhere by %s",
  (wanted) => expect(onward(wanted)).toBe("/"),
);

test("who is not logged in any more goes where one logs in, but what is being sent stays", async () => {
  answering(401, { code: "not-logged-in", detail: "Nobody is logged in." });
  await expect(postJson("/api/tasks", {})).rejects.toThrow("Nobody is logged in.");
  expect(left).toEqual([]);
  await expect(getJson("/api/tasks")).rejects.toThrow();
  expect(left).toEqual(["/login?to=%2F"]);
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
