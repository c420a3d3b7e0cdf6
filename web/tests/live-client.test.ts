import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { OutputLine } from "../src/api/types";
import { LiveClient, reconnectDelay, type Socket } from "../src/live/client";

interface Logged {
  seq: number;
  task_id: string;
}

/** The server's side of the contract: a log, sockets that subscribe with `after`, and a network that drops. */
class FakeGateway {
  readonly events: Logged[] = [];
  readonly output: Logged[] = [];
  readonly subscriptions: { topics: string[]; after?: number }[] = [];
  up = true;
  /** Sends every event twice, as a gateway may when two topics of one socket match it. */
  twice = false;
  /** Its sockets stand and say nothing any more, as those of a process that is stopped. */
  frozen = false;
  private open: FakeSocket[] = [];

  connect = (): Socket => {
    const socket = new FakeSocket(this);
    setTimeout(() => (this.up ? this.frozen || this.accept(socket) : socket.onclose?.()), 10);
    return socket;
  };

  private accept(socket: FakeSocket): void {
    if (socket.closed) return;
    this.open.push(socket);
    socket.onopen?.();
  }

  hear(socket: FakeSocket, text: string): void {
    const message = JSON.parse(text) as { type: string; topics: string[]; after?: number };
    if (message.type === "ping" && !this.frozen) queueMicrotask(() => socket.tell({ type: "pong", seq: 0 }));
    if (message.type !== "subscribe") return;
    this.subscriptions.push({
      topics: message.topics,
      ...(message.after !== undefined && { after: message.after }),
    });
    const outputs = message.topics.every((topic) => topic.startsWith("output:"));
    for (const topic of message.topics) socket.topics.add(topic);
    const log = outputs ? this.output : this.events;
    if (outputs || message.after !== undefined)
      for (const entry of log) if (entry.seq > (message.after ?? 0)) this.deliver(socket, entry, outputs);
    socket.tell({ type: "subscribed", topics: message.topics, seq: log.at(-1)?.seq ?? 0 });
  }

  private deliver(socket: FakeSocket, { seq, task_id }: Logged, output: boolean): void {
    if (output) socket.tell({ type: "task.output", seq, task_id, actor: "run", chunk: { n: seq } });
    else {
      const event = {
        type: "task.updated",
        seq,
        task_id,
        kind: "task",
        event: "x",
        time: "",
        principal: "",
        data: {},
      };
      socket.tell(event);
      if (this.twice) socket.tell(event);
    }
  }

  tell(message: object): void {
    for (const socket of this.open) socket.tell(message);
  }

  append(task_id = "T"): void {
    const entry = { seq: (this.events.at(-1)?.seq ?? 0) + 1, task_id };
    this.events.push(entry);
    for (const socket of this.open) if (socket.topics.has("tasks")) this.deliver(socket, entry, false);
  }

  write(task_id = "T"): void {
    const entry = { seq: (this.output.at(-1)?.seq ?? 0) + 3, task_id };
    this.output.push(entry);
    for (const socket of this.open)
      if (socket.topics.has(`output:${task_id}`)) this.deliver(socket, entry, true);
  }

  drop(): void {
    const dropped = this.open;
    this.open = [];
    for (const socket of dropped) socket.onclose?.();
  }
}

class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly topics = new Set<string>();
  closed = false;

  constructor(private readonly gateway: FakeGateway) {}

  send(text: string): void {
    this.gateway.hear(this, text);
  }

  tell(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  close(): void {
    this.closed = true;
  }
}

/** A small seeded generator (mulberry32), so that a failing run can be repeated. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

let gateway: FakeGateway;
let client: LiveClient;
let seen: number[];

beforeEach(() => {
  vi.useFakeTimers();
  gateway = new FakeGateway();
  client = new LiveClient({ connect: gateway.connect, random: () => 0.5 });
  seen = [];
  client.onEvent((event) => seen.push(event.seq));
});

afterEach(() => {
  client.stop();
  vi.useRealTimers();
});

const connected = () => vi.advanceTimersByTimeAsync(20);

describe("the live client", () => {
  test("hears nothing but its session in a replay, and where that is", async () => {
    client = new LiveClient({ connect: gateway.connect, random: () => 0.5, replay: "r1" });
    client.onEvent((event) => seen.push(event.seq));
    client.start();
    client.watchTask("T");
    client.watchOutput("T", 0, () => seen.push(-1));
    await connected();
    gateway.append();
    const moment = { seq: 3, last: 9, time: null, speed: 2, state: "playing" };
    gateway.tell({ type: "replay.moment", ...moment });
    expect(client.getMoment()).toMatchObject(moment);
    gateway.drop();
    await vi.advanceTimersByTimeAsync(1_000);
    gateway.tell({ type: "error", code: "replay-over", message: "" });
    expect(client.getMoment()).toMatchObject({ ...moment, state: "over" });
    expect(gateway.subscriptions).toEqual([{ topics: ["replay:r1"] }, { topics: ["replay:r1"] }]);
    expect(seen).toEqual([]);
  });

  test("re-subscribes after a drop with the highest sequence it has seen", async () => {
    client.start();
    await connected();
    gateway.append();
    gateway.append();
    gateway.drop();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(gateway.subscriptions).toEqual([{ topics: ["tasks"] }, { topics: ["tasks"], after: 2 }]);
  });

  test("gets what happened during a drop, once and in order", async () => {
    client.start();
    await connected();
    gateway.append();
    gateway.drop();
    gateway.append();
    gateway.append();
    await vi.advanceTimersByTimeAsync(1_000);
    gateway.append();
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  test("passes an event on once that the gateway sends twice", async () => {
    gateway.twice = true;
    client.start();
    await connected();
    gateway.append();
    gateway.append();
    expect(seen).toEqual([1, 2]);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "loses and repeats nothing over random drops (seed %i)",
    async (seed) => {
      const random = seeded(seed);
      const lines: number[] = [];
      client.start();
      client.watchOutput("T", 0, (line: OutputLine) => lines.push(line.seq));
      await connected();
      gateway.append();
      for (let step = 0; step < 300; step++) {
        const dice = random();
        if (dice < 0.4) gateway.append();
        else if (dice < 0.75) gateway.write();
        else if (dice < 0.8) gateway.drop();
        else if (dice < 0.85) gateway.up = !gateway.up;
        else await vi.advanceTimersByTimeAsync(random() * 2_000);
      }
      gateway.up = true;
      await vi.advanceTimersByTimeAsync(40_000);
      expect(seen).toEqual(gateway.events.map((event) => event.seq));
      expect(lines).toEqual(gateway.output.map((line) => line.seq));
    },
  );

  test("goes on with the output from where the transcript ended", async () => {
    const lines: number[] = [];
    gateway.write();
    gateway.write();
    client.start();
    await connected();
    client.watchOutput("T", 3, (line) => lines.push(line.seq));
    gateway.write();
    expect(lines).toEqual([6, 9]);
    expect(gateway.subscriptions.at(-1)).toEqual({ topics: ["output:T"], after: 3 });
  });

  test("keeps output and event sequences apart", async () => {
    client.start();
    await connected();
    client.watchOutput("T", 0, () => {});
    for (let n = 0; n < 5; n++) gateway.write();
    gateway.append();
    gateway.drop();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(gateway.subscriptions.slice(-2)).toEqual([
      { topics: ["tasks"], after: 1 },
      { topics: ["output:T"], after: 15 },
    ]);
  });

  test("subscribes a task's page together with the list, so that one answer speaks for both", async () => {
    client.start();
    await connected();
    gateway.append();
    const unwatch = client.watchTask("T");
    expect(gateway.subscriptions.at(-1)).toEqual({ topics: ["tasks", "task:T"], after: 1 });
    unwatch();
    gateway.drop();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(gateway.subscriptions.at(-1)).toEqual({ topics: ["tasks"], after: 1 });
  });

  test("says live only while it is", async () => {
    const phases: string[] = [];
    client.onLink(() => phases.push(client.getLink().phase));
    client.start();
    await connected();
    gateway.up = false;
    gateway.drop();
    const down = client.getLink();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(phases[0]).toBe("live");
    expect(client.getLink()).toMatchObject({ phase: "down", since: down.phase === "down" ? down.since : -1 });
  });

  test("gives up on a connection that has gone silent", async () => {
    client.start();
    await connected();
    await vi.advanceTimersByTimeAsync(3_300);
    gateway.frozen = true;
    const frozen = Date.now();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(client.getLink().phase, "one ping without an answer proves nothing").toBe("live");
    await vi.advanceTimersByTimeAsync(7_000);
    const link = client.getLink();
    expect(link.phase, "12 s after the last word").not.toBe("live");
    expect("since" in link && link.since, "it says since when nothing is known").toBeLessThanOrEqual(frozen);
    gateway.frozen = false;
    await vi.advanceTimersByTimeAsync(12_000);
    expect(gateway.subscriptions.length).toBeGreaterThan(1);
  });

  test("stays with a connection that only answers pings, also where timers run once a minute", async () => {
    client.start();
    await connected();
    await vi.advanceTimersByTimeAsync(70_000);
    for (let minutes = 0; minutes < 3; minutes++) {
      vi.setSystemTime(Date.now() + 60_000);
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(gateway.subscriptions).toHaveLength(1);
  });

  test("asks at once whether the connection still stands when the tab is looked at again", async () => {
    client.start();
    await connected();
    gateway.frozen = true;
    client.wake();
    await vi.advanceTimersByTimeAsync(6_900);
    expect(client.getLink().phase).not.toBe("live");
  });

  test("starts anew when the log behind the gateway is another one", async () => {
    client.start();
    await connected();
    for (let n = 0; n < 9; n++) gateway.append();
    gateway.drop();
    gateway.events.length = 0;
    await vi.advanceTimersByTimeAsync(1_000);
    seen.length = 0;
    gateway.append();
    expect(seen).toEqual([1]);
  });
});

test("the reconnect delay grows to a limit and is never zero", () => {
  expect(reconnectDelay(0, 0)).toBe(250);
  expect(reconnectDelay(0, 0.999)).toBeLessThan(500);
  expect(reconnectDelay(30, 0.999)).toBeLessThanOrEqual(15_000);
  expect(reconnectDelay(30, 0)).toBe(7_500);
});
