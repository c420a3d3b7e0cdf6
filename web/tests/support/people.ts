import type { Me, Operation, Person, Session } from "../../src/api/types";

/** Who looks at the page; the person has logged in by a link. */
export const me = (role: Me["role"], ...may: Operation[]): Me => ({
  name: "bo",
  role,
  via: "session",
  scopes: [],
  ends_at: null,
  may,
});

export const person = (over: Partial<Person> = {}): Person => ({
  name: "bo",
  role: "operator",
  enabled: true,
  tokens: 0,
  sessions: 1,
  seen_at: "2026-01-02T03:04:05Z",
  actions: ["role", "disable", "link"],
  ...over,
});

export const session = (over: Partial<Session> = {}): Session => ({
  id: "aa11",
  made_at: "2026-01-02T03:04:05Z",
  seen_at: "2026-01-02T03:04:05Z",
  ends_at: "2026-01-05T03:04:05Z",
  agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
  address: "203.0.113.9",
  current: false,
  ...over,
});
