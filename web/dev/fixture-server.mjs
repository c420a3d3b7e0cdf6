// A stand-in for the gateway, for looking at the built dashboard and for its browser checks. Never shipped.
//   npm run build && npm run dev:fixture [-- --port 5199] [--empty] [--lines 50000] [--parked 3]
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { actionsOf, tasks as all, DIFF, timelineOf } from "./fixtures.mjs";
import { chatter, finish, work } from "./output.mjs";
import { CALLS, DOORS, me, PEOPLE, SESSIONS, TOKENS, WEBHOOKS } from "./people-and-doors.mjs";
import { accept } from "./websocket.mjs";

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : (process.argv[at + 1] ?? "");
};
const PORT = Number(option("port", "5199"));
const LINES = Number(option("lines", "0"));
const STATIC = join(import.meta.dirname, "../../services/gateway/static");
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; require-trusted-types-for 'script'";
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

const MAY = Object.values(
  JSON.parse(readFileSync(join(import.meta.dirname, "../openapi.json"), "utf8")).paths,
).flatMap((path) => Object.values(path).map(({ operationId }) => operationId));
const ME = me(MAY);

const tasks = process.argv.includes("--empty") ? [] : all;
let seq = 400;
let outSeq = 1000;
const events = [];
const output = new Map();
const timelines = new Map();
const sockets = new Set();

function record(task, lines, tell = true) {
  const stored = output.get(task.id) ?? [];
  output.set(task.id, stored);
  for (const { actor, line } of lines) {
    const entry = { seq: ++outSeq, actor, line };
    stored.push(entry);
    if (!tell) continue;
    for (const socket of sockets) if (socket.topics.has(`output:${task.id}`)) socket.output(task.id, entry);
  }
}

const ROW =
  "id title status stopping source repo created_at updated_at plan_version round attempt worker cost_microusd tokens branch commit error_code error_message question paused_until evidence outcome has_result ended_in cancelled_how cancelled_by cancelled_reason".split(
    " ",
  );
const rowOf = (task) => ({
  ...Object.fromEntries(ROW.map((name) => [name, task[name]])),
  actions: actionsOf(task),
});

function happen(task, event, changes, data = {}, kind = "task") {
  Object.assign(task, changes, { updated_at: new Date().toISOString(), version: task.version + 1 });
  const message = {
    type: "task.updated",
    seq: ++seq,
    task_id: task.id,
    kind,
    event,
    time: task.updated_at,
    principal: "user:you",
    data,
  };
  events.push(message);
  timeline(task).push({
    seq,
    kind,
    event,
    version: task.version,
    time: task.updated_at,
    principal: "user:you",
    summary: data.message ?? data.reason ?? event,
    data,
  });
  for (const socket of sockets) socket.event(message);
  return { event: message, seq };
}

const timeline = (task) => {
  if (!timelines.has(task.id)) timelines.set(task.id, timelineOf(task));
  return timelines.get(task.id);
};

for (const task of tasks) {
  let at = Date.parse(task.created_at);
  const clock = (ms) => {
    at += ms;
    return at;
  };
  if (task.plans.length > 0 || task.status === "planning")
    record(task, work({ actor: "plan", clock, session: "p-1" }), false);
  if (task.run?.started_at) {
    at = Date.parse(task.run.started_at);
    record(task, work({ actor: "run", clock, broken: task.status === "failed" }), false);
    if (task.status === "completed") record(task, finish({ actor: "run", clock }), false);
    if (task.status === "executing")
      for (let n = 1; n <= LINES / 2; n++)
        record(task, chatter(n, { actor: "run", clock: () => Date.now() }), false);
  }
}

const counts = (list) =>
  list.reduce((sum, task) => Object.assign(sum, { [task.status]: (sum[task.status] ?? 0) + 1 }), {});

function get(url) {
  const { pathname, searchParams: q } = url;
  const [, , resource, id, part] = pathname.split("/");
  const task = tasks.find((each) => each.id === id);
  if (resource === "me") return id ? { items: SESSIONS } : ME;
  if (resource === "users") return { items: id ? SESSIONS.slice(1) : PEOPLE };
  if (resource === "tokens") return { items: TOKENS };
  if (resource === "webhooks") return { items: WEBHOOKS };
  if (resource === "doors") return { items: id ? CALLS : DOORS, incomplete: "" };
  if (resource === "status")
    return {
      seq,
      position: seq,
      tasks: counts(tasks),
      cost_today_microusd: 1_284_300,
      tokens_today: 912_000,
      running: [],
      lag_events: 0,
      projector_problem: "",
      machine: "studio",
      version: "0.1.0",
      demo: true,
      agents_ready: true,
      agents_problem: "",
      approval: "required",
      queues: [],
      services: [],
      parked: Number(option("parked", "0")),
      webhooks: [{ sender: "github", ready: true, secret_file: "" }],
    };
  if (resource === "repos")
    return {
      items: [
        { name: "octo/greeter", base: "main", setup: "detected", checks: "detected", agent: "executor" },
      ],
      config_path: "/srv/journeyman/journeyman.toml",
      mention: "@agent",
    };
  if (resource === "tasks" && !id) {
    const found = tasks
      .filter((each) => !q.get("status") || each.status === q.get("status"))
      .filter((each) => !q.get("requester") || q.get("requester") === `user:${each.source.author}`)
      .filter((each) => !q.get("source") || each.source.kind === q.get("source"))
      .filter((each) => !q.get("q") || each.title.toLowerCase().includes(q.get("q").toLowerCase()));
    const sources = [...new Set(tasks.map((each) => each.source.kind))].sort();
    return { seq, items: found.map(rowOf), next_cursor: null, counts: counts(tasks), sources };
  }
  if (!task) return null;
  if (!part) return { seq, task: { ...task, actions: actionsOf(task) } };
  if (part === "timeline")
    return {
      seq,
      items: timeline(task).filter((item) => item.seq > Number(q.get("after") ?? 0)),
      next_cursor: null,
    };
  if (part === "transcript") {
    const limit = Number(q.get("limit") ?? 2000);
    const behind = (output.get(id) ?? []).filter((entry) => entry.seq > Number(q.get("after") ?? 0));
    const items = behind.slice(0, limit);
    return { seq: outSeq, items, next_after: behind.length > limit ? items.at(-1).seq : null };
  }
  return null;
}

function post(pathname, body) {
  if (pathname === "/api/login") return { problem: "link-over", detail: "This link does not log in." };
  if (pathname === "/api/ticket") return { ticket: "made-up" };
  if (pathname === "/api/test-event")
    return { status: 200, delivery: "", task_id: "", reason: "the made-up gateway stores no deliveries" };
  const [, , resource, id, verb] = pathname.split("/");
  if (resource !== "tasks") return null;
  if (!id) {
    const task = {
      ...tasks.at(-1),
      ...body,
      id: `01KAS999Q7M4ZT2V9XB${Date.now().toString(36).toUpperCase()}`,
      title: body.title ?? body.text.split("\n")[0],
      status: "received",
      source: { kind: "api", reference: "api", url: "", author: "you" },
      created_at: new Date().toISOString(),
      plans: [],
      usage: [],
      run: null,
      cost_microusd: 0,
      plan_version: 0,
    };
    tasks.unshift(task);
    return { id: task.id, ...happen(task, "submitted", {}) };
  }
  const task = tasks.find((each) => each.id === id);
  switch (verb) {
    case "approve": {
      const plan = task.plans.at(-1);
      if (task.status !== "awaiting-approval" || body.digest !== plan.digest)
        return {
          problem: "approval-stale",
          detail:
            "Plan v1 is not the plan that waits for approval; read the newest version and approve that.",
        };
      Object.assign(plan, { approved_at: new Date().toISOString(), approved_by: "user:you" });
      return happen(task, "approved", { status: "executing", worker: "" }, body);
    }
    case "reject":
      return body.feedback
        ? happen(task, "revision-requested", { status: "planning", plan_status: "drafting" }, body)
        : happen(task, "rejected", { status: "cancelled" }, body);
    case "stop":
      setTimeout(() => happen(task, "cancelled", { status: "cancelled", stopping: false }), 1500);
      return happen(
        task,
        "stop-requested",
        {
          stopping: true,
          cancelled_how: "stopped",
          cancelled_by: "user:you",
          cancelled_reason: body.reason ?? "",
        },
        body,
      );
    case "retry":
      return happen(task, "retried", { status: "executing", error_code: "", error_message: "", worker: "" });
    case "input":
      return happen(
        task,
        "input-given",
        task.status === "waiting-input" ? { status: "executing", question: "" } : {},
        body,
      );
  }
  return null;
}

function serveFile(pathname, response) {
  const wanted = join(STATIC, normalize(pathname));
  const file =
    wanted.startsWith(STATIC) && existsSync(wanted) && statSync(wanted).isFile()
      ? wanted
      : join(STATIC, "index.html");
  response.writeHead(200, {
    "Content-Type": TYPES[extname(file)] ?? "application/octet-stream",
    "Content-Security-Policy": CSP,
  });
  createReadStream(file).pipe(response);
}

const json = (response, status, body) => {
  response.writeHead(status, {
    "Content-Type": status < 400 ? "application/json" : "application/problem+json",
  });
  response.end(JSON.stringify(body));
};

let refuseSockets = false;
const server = createServer((request, response) => {
  const url = new URL(request.url, `http://127.0.0.1:${PORT}`);
  if (url.pathname === "/dev/drop") {
    refuseSockets = url.searchParams.get("stay") === "1";
    for (const socket of [...sockets]) socket.close();
    return json(response, 200, {});
  }
  if (url.pathname === "/dev/allow") {
    refuseSockets = false;
    return json(response, 200, {});
  }
  if (!url.pathname.startsWith("/api/")) return serveFile(url.pathname, response);
  if (request.method === "GET") {
    if (url.pathname.endsWith("/diff")) {
      response.writeHead(200, { "Content-Type": "text/x-diff" });
      return response.end(DIFF);
    }
    const found = get(url);
    return found
      ? json(response, 200, found)
      : json(response, 404, { status: 404, code: "not-found", detail: "There is no such thing." });
  }
  let text = "";
  request.on("data", (chunk) => {
    text += chunk;
  });
  request.on("end", () => {
    if (request.headers["x-journeyman"] !== "1")
      return json(response, 403, {
        status: 403,
        code: "csrf",
        detail: "The X-Journeyman header is missing.",
      });
    let done = null;
    try {
      done = post(url.pathname, JSON.parse(text || "{}"));
    } catch (error) {
      // One request that it cannot take must not end the server for all others.
      return json(response, 500, { status: 500, code: "fixture", detail: String(error) });
    }
    if (!done) return json(response, 404, { status: 404, code: "not-found" });
    if (done.problem) return json(response, 409, { status: 409, code: done.problem, detail: done.detail });
    json(response, done.id ? 201 : 200, done);
  });
});

server.on("upgrade", (request, socket) => {
  if (refuseSockets) return socket.destroy();
  const topics = new Set();
  const say = (message) => connection.send(JSON.stringify(message));
  const client = {
    topics,
    close: () => connection.close(),
    event: (message) => (topics.has("tasks") || topics.has(`task:${message.task_id}`)) && say(message),
    output: (id, entry) =>
      say({ type: "task.output", seq: entry.seq, task_id: id, actor: entry.actor, chunk: entry.line }),
  };
  const connection = accept(
    request,
    socket,
    (text) => {
      const message = JSON.parse(text);
      if (message.type === "ping") return say({ type: "pong", seq });
      if (message.type === "unsubscribe") for (const topic of message.topics) topics.delete(topic);
      if (message.type !== "subscribe") return;
      for (const topic of message.topics) {
        topics.add(topic);
        if (!topic.startsWith("output:")) continue;
        const id = topic.slice(7);
        for (const entry of output.get(id) ?? [])
          if (entry.seq > (message.after ?? 0)) client.output(id, entry);
        return say({ type: "subscribed", topics: message.topics, seq: outSeq });
      }
      if (message.after !== undefined)
        for (const event of events) if (event.seq > message.after) client.event(event);
      say({ type: "subscribed", topics: message.topics, seq });
    },
    () => sockets.delete(client),
  );
  sockets.add(client);
});

let step = 0;
setInterval(() => {
  step++;
  for (const task of tasks)
    if (task.status === "executing" && task.run?.started_at)
      record(task, chatter(step, { actor: "run", clock: () => Date.now() }));
}, 1000);

server.listen(PORT, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/`));
