// Made-up people, webhooks and doors for the fixture server.
const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const PHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1";

export const me = (may) => ({
  name: "you",
  role: "admin",
  via: "session",
  scopes: [],
  ends_at: ago(-4_000),
  may,
});

const session = (id, agent, minutes, current) => ({
  id,
  agent,
  address: "192.0.2.7",
  made_at: ago(minutes * 20),
  seen_at: ago(minutes),
  ends_at: ago(-4_000),
  current,
});

export const SESSIONS = [session("a1", FIREFOX, 0, true), session("b2", PHONE, 90, false)];

const token = (id, name, role, scopes, ends_at, used_at) => ({ id, name, role, scopes, ends_at, used_at });

export const TOKENS = [
  token("w5fha39g8e", "ci", "operator", ["tasks"], ago(-40_000), ago(3)),
  token("6f891fntcd", "the old laptop", "admin", [], ago(900), null),
];

const person = (name, role, over = {}) => ({
  name,
  role,
  enabled: true,
  tokens: 0,
  sessions: 0,
  seen_at: null,
  actions: ["role", "disable", "link"],
  ...over,
});

export const PEOPLE = [
  person("bo", "operator", { sessions: 1, seen_at: ago(12) }),
  person("carla", "approver", { enabled: false, actions: ["role", "enable"] }),
  person("dmitri-with-a-rather-long-name-x", "viewer"),
  person("you", "admin", { sessions: 2, tokens: 2, seen_at: ago(0) }),
];

const call = (outcome, status, reason, over = {}) => ({
  at: ago(7),
  outcome,
  status,
  code: "",
  reason,
  delivery: "",
  event: "issues",
  client: "192.0.2.9",
  headers: ["x-signature"],
  body: '{"build": {"name": "nightly"}}',
  body_bytes: 30,
  ...over,
});

export const CALLS = [
  call("refused", 401, "The signature does not fit.", { code: "signature-invalid" }),
  call("accepted", 202, "", { delivery: "d1" }),
];

const door = (name, title, health, over = {}) => ({
  name,
  title,
  custom: false,
  health,
  problem: "",
  last_success: ago(7),
  last_accepted: null,
  last_ignored: null,
  last_refused: null,
  accepted_today: 3,
  duplicates_today: 1,
  ignored_today: 2,
  refused_today: 0,
  refusals_today: {},
  ...over,
});

export const DOORS = [
  door("github", "GitHub", "well"),
  door("jira", "Jira", "not-set-up", { problem: "There is no secret.", last_success: null }),
  door("builds", "Nightly builds", "refusing", {
    custom: true,
    last_refused: CALLS[0],
    refused_today: 4,
    refusals_today: { "signature-invalid": 4 },
  }),
];

export const WEBHOOKS = [
  {
    name: "builds",
    enabled: true,
    made_by: "user:ada",
    definition: { verification: { scheme: "hmac" }, description: "Nightly builds that fail" },
    fingerprint: "0123456789abcdef",
    overlap_until: null,
    url: "http://127.0.0.1:5199/webhooks/builds",
    call: "curl -i http://127.0.0.1:5199/webhooks/builds -d '{}'",
  },
];
