import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Refresher } from "../src/api/refresher";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a burst of events makes one fetch", async () => {
  const refresher = new Refresher(100);
  const fetch = vi.fn(async () => refresher.floor("list"));
  for (let seq = 1; seq <= 50; seq++) refresher.want("list", seq, fetch);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(fetch).toHaveBeenCalledTimes(1);
});

test("an answer that is older than the event is fetched again", async () => {
  const refresher = new Refresher(100);
  const answers = [3, 4, 7];
  const fetch = vi.fn(async () => answers.shift() ?? 7);
  refresher.want("list", 7, fetch);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(fetch).toHaveBeenCalledTimes(3);
});

test("an event that arrives during a fetch is not missed", async () => {
  const refresher = new Refresher(100);
  const fetch = vi.fn(async () => {
    const seen = refresher.floor("list");
    if (seen === 1) refresher.want("list", 2, fetch);
    return seen;
  });
  refresher.want("list", 1, fetch);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(fetch).toHaveBeenCalledTimes(2);
});

test("views that stay behind are shown as they are, not asked for ever", async () => {
  const refresher = new Refresher(100, 3);
  const fetch = vi.fn(async () => 1);
  refresher.want("list", 9, fetch);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(fetch).toHaveBeenCalledTimes(4);
  expect(refresher.floor("list")).toBe(0);
});
