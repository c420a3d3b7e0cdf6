import { describe, expect, test } from "vitest";
import { withParams } from "../src/api/client";
import type { Status, TaskDetail, TaskRow } from "../src/api/types";
import { t } from "../src/i18n";
import { enTask } from "../src/i18n/en-task";
import { buttonOf, isAllowed } from "../src/lib/actions";
import { hiddenBy, parseFilters, sourceKinds } from "../src/lib/filters";
import { ago, compact, duration, moment, money, sourceName } from "../src/lib/format";
import { grouped, groupOf, total } from "../src/lib/status";
import { longStatusText, shortStatusText } from "../src/lib/status-text";
import { parseView } from "../src/screens/task/view";
import { findAll, patternOf } from "../src/transcript/search";

const row = (status: Status, over: Partial<TaskRow> = {}): TaskRow =>
  ({ id: status, status, worker: "", ...over }) as TaskRow;

describe("money", () => {
  test.each([
    [0, "$0.00"],
    [50, "<$0.0001"],
    [1_650, "$0.0016"],
    [131_400, "$0.13"],
    [1_234_567_890, "$1,234.57"],
  ])("%i micro-dollars read %s", (microusd, words) => {
    expect(money(microusd)).toBe(words);
  });

  test("a guessed price says so", () => {
    expect(money(131_400, false)).toContain("≈");
  });
});

test.each([
  [840, "840 ms"],
  [3_249, "3.2 s"],
  [42_000, "42 s"],
  [245_000, "4m 05s"],
  [7_800_000, "2h 10m"],
  [273_600_000, "3d 4h"],
])("%i ms read %s", (ms, words) => {
  expect(duration(ms)).toBe(words);
});

test.each([
  [10_000, "just now"],
  [240_000, "4m ago"],
  [3 * 3_600_000, "3h ago"],
  [2 * 86_400_000, "2d ago"],
])("%i ms back is %s", (age, words) => {
  const now = Date.parse("2026-11-22T12:00:00Z");
  expect(ago(now - age, now)).toBe(words);
});

test("large counts are short", () => {
  expect([950, 12_345, 4_100_000].map(compact)).toEqual(["950", "12.3k", "4.1M"]);
});

describe("filters", () => {
  test("come out of the URL, and nonsense does not", () => {
    expect(parseFilters({ status: "failed", source: "GitHub", q: " flaky " })).toEqual({
      status: "failed",
      source: "github",
      q: "flaky",
    });
    expect(parseFilters({ status: "nope", q: "", source: ["x"] })).toEqual({
      status: undefined,
      source: undefined,
      q: undefined,
    });
  });

  test("offer the kinds of source that there are, and keep the chosen one", () => {
    expect(sourceKinds(["acme", "api"], undefined)).toEqual(["acme", "api"]);
    expect(sourceKinds(["acme", "api"], "api")).toEqual(["acme", "api"]);
    expect(sourceKinds([], "acme")).toEqual(["acme"]);
  });

  test("a search for a number stays a search", () => {
    expect(parseFilters({ q: 42 }).q).toBe("42");
  });

  test("say how much they hide, and nothing they do not know", () => {
    expect(hiddenBy({ q: "x" }, 212, 10, true)).toBe(202);
    expect(hiddenBy({ q: "x" }, 212, 10, false)).toBeNull();
    expect(hiddenBy({}, 212, 10, true)).toBe(0);
  });

  test("a task's address gives its tab and plan version", () => {
    expect(parseView({ tab: "timeline", plan: "2" })).toEqual({ tab: "timeline", plan: 2 });
    expect(parseView({ tab: "nope", plan: -1 })).toEqual({ tab: undefined, plan: undefined });
  });

  test("parameters that are not set are not sent", () => {
    expect(withParams("/api/tasks", { q: "a b", status: undefined, cursor: "", min_seq: 0 })).toBe(
      "/api/tasks?q=a+b",
    );
  });
});

describe("groups", () => {
  test("put what needs a person first and leave out what is empty", () => {
    const tasks = [
      row("completed"),
      row("planning"),
      row("waiting-input"),
      row("awaiting-approval"),
      row("failed"),
      row("in-review"),
    ];
    expect(grouped(tasks).map(({ group }) => group)).toEqual([
      "needs-you",
      "in-review",
      "running",
      "failed",
      "done",
    ]);
    expect(grouped(tasks)[0]?.tasks.map((task) => task.status)).toEqual([
      "waiting-input",
      "awaiting-approval",
    ]);
  });

  test("an execution that nobody took is queued", () => {
    expect(groupOf(row("executing"))).toBe("queued");
    expect(groupOf(row("executing", { worker: "e1" }))).toBe("running");
  });

  test("a review that does not get on without a person needs one", () => {
    expect(groupOf(row("in-review"))).toBe("in-review");
    expect(groupOf(row("in-review", { attention: "Checks fail." }))).toBe("needs-you");
  });

  test("totals add up what is counted", () => {
    expect(total({ completed: 3, failed: 2 })).toBe(5);
    expect(total({ completed: 3, failed: 2 }, ["failed"])).toBe(2);
  });
});

describe("a button", () => {
  const actions = { stop: { allowed: true }, retry: { allowed: false, code: "c", reason: "Not now." } };

  test("is as the answer says, and disabled with the reason", () => {
    expect(buttonOf({ actions }, "stop")).toEqual({ disabled: false });
    expect(buttonOf({ actions }, "retry")).toEqual({ disabled: true, title: "Not now." });
  });

  test("is offered where an older projector says nothing about it", () => {
    expect(isAllowed({ actions }, "input")).toBe(true);
    expect(isAllowed({}, "stop")).toBe(true);
  });
});

describe("search", () => {
  test("counts every occurrence, not every line", () => {
    expect(findAll(["a a", "b", "A"], patternOf({ text: "a", regex: false }))).toEqual([
      { index: 0, nth: 0 },
      { index: 0, nth: 1 },
      { index: 2, nth: 0 },
    ]);
  });

  test("takes plain text literally and an expression as one", () => {
    expect(findAll(["a.c", "abc"], patternOf({ text: "a.c", regex: false }))).toHaveLength(1);
    expect(findAll(["a.c", "abc"], patternOf({ text: "a.c", regex: true }))).toHaveLength(2);
  });

  test("an unfinished expression and an empty match find nothing", () => {
    expect(patternOf({ text: "(", regex: true })).toBeNull();
    expect(findAll(["abc"], patternOf({ text: "x*", regex: true }))).toEqual([]);
  });
});

describe("a paused task", () => {
  const now = Date.now();
  const until = new Date(now);
  until.setHours(14, 5, 0, 0);
  const paused = row("paused", { paused_until: until.toISOString(), error_message: "The model is busy." });

  test("says when it goes on, and that it can be retried now", () => {
    expect(longStatusText(paused as TaskDetail)).toBe("Goes on at 14:05, or retry now. The model is busy.");
    expect(shortStatusText(paused)).toBe("Goes on at 14:05: The model is busy.");
  });

  test("says why it waits where an older gateway does not tell until when", () => {
    expect(longStatusText({ ...paused, paused_until: undefined } as unknown as TaskDetail)).toBe(
      "The model is busy.",
    );
  });

  test("says the day too when it goes on another day", () => {
    const noon = Date.parse("2026-11-22T12:00:00");
    expect(moment(noon, noon)).toBe("12:00");
    expect(moment(noon, noon - 86_400_000)).toBe("Nov 22, 12:00");
  });
});

test("a state that this build has no word for is shown by its own name", () => {
  expect(t("status.hibernating" as Parameters<typeof t>[0])).toBe("hibernating");
});

test("a source is named without its sender", () => {
  expect(sourceName({ kind: "github", reference: "github:octo/app#7" })).toBe("octo/app#7");
  expect(sourceName({ kind: "cli", reference: "" })).toBe("cli");
  const issue = { kind: "github", reference: "github:1001#7", url: "https://github.com/octo/app/issues/7" };
  expect(sourceName(issue)).toBe("octo/app#7");
  expect(sourceName({ ...issue, url: "no address" })).toBe("1001#7");
  const jira = {
    kind: "jira",
    reference: "jira:acme.example#10012",
    url: "https://acme.example/browse/APP-91",
  };
  expect(sourceName(jira)).toBe("APP-91");
});

test("words agree with their number", () => {
  expect([0, 1, 2].map((n) => t("filters.hidden", { n }))).toEqual([
    "0 tasks hidden by filters —",
    "1 task hidden by filters —",
    "2 tasks hidden by filters —",
  ]);
});

test("no module of the dashboard lists senders: a task's source has the kind that the log gives it", () => {
  const modules = import.meta.glob<string>("../src/**/*.{ts,tsx}", {
    query: "?raw",
    import: "default",
    eager: true,
  });
  const naming = Object.keys(modules).filter((path) => /["'`]github["'`]/.test(modules[path] ?? ""));
  expect(Object.keys(modules).length).toBeGreaterThan(50);
  expect(naming).toEqual([]);
});

test("the words of a task's page are used by what that page loads, and by nothing that comes before it", () => {
  const modules = import.meta.glob<string>("../src/**/*.{ts,tsx}", {
    query: "?raw",
    import: "default",
    eager: true,
  });
  const words = Object.keys(enTask);
  const early = Object.keys(modules).filter((path) => !/src\/(screens\/task|transcript|i18n)\//.test(path));
  const using = early.filter((path) => words.some((word) => modules[path]?.includes(`"${word}"`)));
  expect(early.length).toBeGreaterThan(50);
  expect(using).toEqual([]);
});
