import { afterEach, expect, test, vi } from "vitest";
import { createTask } from "../src/api/queries";
import { Attempt } from "../src/lib/attempt";

afterEach(() => void vi.unstubAllGlobals());

test("a form that is sent again has the same key, a changed one and one after it was done have another", () => {
  const attempt = new Attempt();
  const first = attempt.keyOf({ text: "Mend it" });
  expect(first).toMatch(/^[0-9a-f]{32}$/);
  expect(attempt.keyOf({ text: "Mend it" })).toBe(first);
  const changed = attempt.keyOf({ text: "Mend this" });
  expect(changed).not.toBe(first);
  attempt.done();
  expect(attempt.keyOf({ text: "Mend this" })).not.toBe(changed);
});

test("a new task is sent with its key", async () => {
  const fetch = vi.fn(async (_path: string, _init: RequestInit) => Response.json({ id: "T1", seq: 7 }));
  vi.stubGlobal("fetch", fetch);
  expect(await createTask({ text: "Mend it" }, "the-key")).toEqual({ id: "T1", seq: 7 });
  expect(fetch.mock.calls[0]?.[1].headers).toMatchObject({
    "Idempotency-Key": "the-key",
    "X-Journeyman": "1",
  });
});
