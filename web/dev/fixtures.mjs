// Made-up tasks in every state, for looking at the dashboard without a gateway.
import { createHash } from "node:crypto";

const NOW = Date.now();
const iso = (agoMs) => new Date(NOW - agoMs).toISOString();
const S = 1000;
const M = 60 * S;
const H = 60 * M;
const hex = (text, n = 64) => createHash("sha256").update(text).digest("hex").slice(0, n);
const BASE = hex("base", 40);
const REPO = "octo/greeter";

export const PLAN_1 = `# Greeting ignores the configured language

## Goal
\`greet()\` returns English whatever \`GREETER_LANG\` says. After this change it uses the configured language and falls back to English.

## Files to touch
| file | change |
|---|---|
| \`src/greeter/messages.py\` | add the lookup by language |
| \`src/greeter/__init__.py\` | read the setting once |
| \`tests/test_greet.py\` | cover German, French, unknown |

## Steps
1. Move the texts into a table keyed by language.
2. Read \`GREETER_LANG\` at call time.
3. Add the tests below; they fail today.

\`\`\`python
def test_greets_in_the_configured_language(monkeypatch):
    monkeypatch.setenv("GREETER_LANG", "de")
    assert greet("Ada") == "Hallo, Ada!"
\`\`\`

## How it is verified
- \`pytest -q\` passes, including three new tests
- \`ruff check\` stays clean

## Risk
Low. The public signature does not change; the only new behaviour is behind a setting that is empty by default.
`;
export const PLAN_2 = PLAN_1.replace(
  "Read `GREETER_LANG` at call time.",
  "Read `GREETER_LANG` once at import, and keep `set_language()` for tests.",
).replace("Low. The public", "Low. Unknown languages fall back to English and log one warning. The public");

const plan = (version, markdown, ago, approvedBy = null) => ({
  version,
  digest: hex(markdown),
  base_commit: BASE,
  markdown,
  summary: "Use the configured language",
  at: iso(ago),
  approved_at: approvedBy ? iso(ago - 2 * M) : null,
  approved_by: approvedBy,
});

const usage = (agent, model, input, output, read, write, cost, priced = true) => ({
  agent,
  model,
  input_tokens: input,
  output_tokens: output,
  cache_read_tokens: read,
  cache_write_tokens: write,
  cost_microusd: cost,
  priced,
});

const ACTIONS = ["approve", "reject", "revise", "input", "stop", "retry", "publish", "follow-up"];
const ALLOWED = {
  "awaiting-approval": ["approve", "reject", "revise", "stop"],
  executing: ["input", "stop"],
  "waiting-input": ["input", "stop"],
  paused: ["stop", "retry"],
  failed: ["retry", "follow-up"],
  cancelled: ["retry", "follow-up"],
  declined: ["retry", "follow-up"],
  completed: ["follow-up"],
};

/** What the real projector would say may be done. */
export const actionsOf = ({ status, stopping, has_result, outcome }) =>
  Object.fromEntries(
    ACTIONS.map((name) => {
      const more = { publish: has_result && status === "failed", retry: outcome === "nothing-to-change" };
      const allowed =
        ((ALLOWED[status] ?? ["stop"]).includes(name) || more[name] === true) &&
        !(stopping && name !== "stop");
      return [
        name,
        allowed ? { allowed } : { allowed, code: "task-wrong-state", reason: `Not while it is ${status}.` },
      ];
    }),
  );

let serial = 0;
function task(over) {
  const id = `01KAS${(++serial).toString().padStart(3, "0")}Q7M4ZT2V9XBNP${hex(over.title ?? "", 5)
    .toUpperCase()
    .replace(/[ILOU]/g, "7")}`;
  const all = over.usage ?? [];
  return {
    id,
    title: "",
    status: "received",
    stopping: false,
    source: {
      kind: "github",
      reference: `${REPO}#${10 + serial}`,
      url: `https://github.com/${REPO}/issues/${10 + serial}`,
      author: "ada",
    },
    repo: REPO,
    created_at: iso(30 * M),
    updated_at: iso(5 * M),
    plan_version: over.plans?.at(-1)?.version ?? 0,
    round: over.run?.round ?? 0,
    attempt: over.run?.attempt ?? 0,
    worker: over.run?.worker ?? "",
    cost_microusd: all.reduce((sum, each) => sum + each.cost_microusd, 0),
    tokens: all.reduce(
      (sum, each) => sum + each.input_tokens + each.output_tokens + each.cache_read_tokens,
      0,
    ),
    branch: "",
    commit: "",
    error_code: "",
    error_message: "",
    question: "",
    evidence: "",
    outcome: "",
    has_result: false,
    ended_in: "",
    cancelled_how: "",
    cancelled_by: "",
    cancelled_reason: "",
    text: "@agent plan\n\nWith `GREETER_LANG=de` the greeting is still English:\n\n```\n$ GREETER_LANG=de greet Ada\nHello, Ada!\n```\n\nExpected `Hallo, Ada!`.",
    approval: "required",
    directive: "plan",
    verdict: "plan",
    risk: "low",
    work_kind: "bug fix",
    triage_reason: "The issue names the wrong output and the expected one.",
    decided_by: "rules",
    answer: "",
    summary: "",
    session_id: "",
    parent: "",
    base_commit: BASE,
    plans: [],
    plan_status: "new",
    run: null,
    usage: [],
    version: 6,
    ...over,
  };
}

const run = (over) => ({
  status: "running",
  round: 1,
  attempt: 1,
  worker: "executor-1@studio",
  session: "5d0c",
  cli_version: "2.1.330",
  model: "claude-opus-5-5",
  turn: 3,
  started_at: iso(2 * M + 12 * S),
  finished_at: null,
  duration_ms: null,
  summary: "",
  commit: "",
  branch: "",
  setup: [],
  checks: [],
  notes: [],
  files: [],
  question: "",
  options: [],
  evidence: "",
  observed: "",
  checked_commit: "",
  ...over,
});

const PLANNER = usage("planner", "claude-opus-5-5", 8412, 1930, 61200, 9020, 131_400);
const EXECUTOR = usage("executor", "claude-opus-5-5", 21033, 6120, 402_300, 31_800, 612_900);
const TRIAGE = usage("brain", "claude-haiku-4-5", 1200, 90, 0, 0, 1650);

const check = (over) => ({
  exit_code: 0,
  duration_ms: 340,
  verdict: (over.exit_code ?? 0) === 0 ? "passed" : "failed",
  failed_before: false,
  reason: "",
  new_failures: [],
  flaky: [],
  failing_lines: [],
  output_head: "",
  output_tail: "",
  output_size: 0,
  output_cut: false,
  output: null,
  ...over,
});
const CHECKS = [
  check({ command: "ruff check .", output_tail: "\u001b[32mAll checks passed!\u001b[0m" }),
  check({
    command: "pytest -q",
    duration_ms: 2140,
    output_tail:
      "\u001b[32m........................................................\u001b[0m\u001b[32m [100%]\u001b[0m\n\u001b[32m\u001b[32m\u001b[1m56 passed\u001b[0m\u001b[32m in 1.81s\u001b[0m",
  }),
];
const SETUP = [
  check({ command: "uv sync --frozen", duration_ms: 1900, output_tail: "Installed 21 packages" }),
];
const RED_BEFORE = check({
  command: "mypy --strict src",
  exit_code: 1,
  duration_ms: 5200,
  verdict: "failed-before",
  reason: "It fails at the base commit with the same output.",
  failing_lines: ["src/greeter/legacy.py:12: error: Function is missing a type annotation"],
  output_tail:
    "src/greeter/legacy.py:12: error: Function is missing a type annotation\nFound 1 error in 1 file (checked 9 source files)",
});
const NO_TOOL = check({
  command: "mvn -q verify",
  exit_code: 127,
  duration_ms: 20,
  verdict: "could-not-run",
  reason: "There is no program mvn on this machine: install it, or name other checks.",
  output_tail: "sh: 1: mvn: not found",
});

const FILES = [
  { path: "src/greeter/__init__.py", added: 6, removed: 3 },
  { path: "src/greeter/messages.py", added: 14, removed: 0 },
  { path: "tests/test_greet.py", added: 17, removed: 1 },
];
const COMMIT = hex("commit", 40);

export const DIFF = `diff --git a/src/greeter/__init__.py b/src/greeter/__init__.py
index 2f1a9c4..8be0d51 100644
--- a/src/greeter/__init__.py
+++ b/src/greeter/__init__.py
@@ -1,9 +1,12 @@
 """Greets people."""
 
+import os
+
+from greeter.messages import text_for
+
 
 def greet(name: str) -> str:
-    """Greet one person."""
-    if not name:
-        raise ValueError("nobody to greet")
-    return f"Hello, {name}!"
+    """Greet one person in the configured language (GREETER_LANG, English by default)."""
+    if not name:
+        raise ValueError("nobody to greet")
+    return text_for(os.environ.get("GREETER_LANG", "en")).format(name=name)
diff --git a/src/greeter/messages.py b/src/greeter/messages.py
new file mode 100644
index 0000000..c1d3a90
--- /dev/null
+++ b/src/greeter/messages.py
@@ -0,0 +1,14 @@
+"""The greeting in each language."""
+
+import logging
+
+TEXTS = {"en": "Hello, {name}!", "de": "Hallo, {name}!", "fr": "Bonjour, {name} !"}
+log = logging.getLogger(__name__)
+
+
+def text_for(language: str) -> str:
+    """The text in \`language\`; English, and one warning, when there is none."""
+    if language in TEXTS:
+        return TEXTS[language]
+    log.warning("no greeting in %r, using English", language)
+    return TEXTS["en"]
diff --git a/tests/test_greet.py b/tests/test_greet.py
index 91b1f00..b31cfe2 100644
--- a/tests/test_greet.py
+++ b/tests/test_greet.py
@@ -1,9 +1,25 @@
-from greeter import greet
+import pytest
+
+from greeter import greet
 
 
 def test_greets():
     assert greet("Ada") == "Hello, Ada!"
+
+
+@pytest.mark.parametrize(
+    ("language", "expected"),
+    [("de", "Hallo, Ada!"), ("fr", "Bonjour, Ada !"), ("en", "Hello, Ada!")],
+)
+def test_greets_in_the_configured_language(monkeypatch, language, expected):
+    monkeypatch.setenv("GREETER_LANG", language)
+    assert greet("Ada") == expected
+
+
+def test_falls_back_to_english(monkeypatch):
+    monkeypatch.setenv("GREETER_LANG", "tlh")
+    assert greet("Ada") == "Hello, Ada!"
`;

export const tasks = [
  task({
    title: "Greeting ignores the configured language",
    status: "awaiting-approval",
    updated_at: iso(3 * M),
    plans: [plan(1, PLAN_1, 14 * M), plan(2, PLAN_2, 3 * M)],
    plan_status: "proposed",
    usage: [TRIAGE, PLANNER],
  }),
  task({
    title:
      "Speed up the nightly import: it takes four hours since the March data set and the on-call person has to restart it by hand every other day",
    status: "waiting-input",
    updated_at: iso(8 * M),
    plans: [plan(1, PLAN_1, 34 * M, "user:ada")],
    plan_status: "proposed",
    question:
      "The import table has no index on `batch_id`. Adding one locks the table for about two minutes. May I?",
    run: run({
      status: "waiting-input",
      question:
        "The import table has no index on `batch_id`. Adding one locks the table for about two minutes. May I?",
      options: ["Yes, add it", "Add it concurrently", "No, find another way"],
    }),
    usage: [PLANNER, EXECUTOR],
  }),
  task({
    title: "Add --json to the list command",
    status: "executing",
    updated_at: iso(4 * S),
    plans: [plan(1, PLAN_1, 12 * M, "user:ada")],
    plan_status: "proposed",
    run: run({}),
    usage: [PLANNER, usage("executor", "claude-opus-5-5", 9033, 2120, 102_300, 11_800, 212_900)],
  }),
  task({
    title: "Retry uploads that time out",
    status: "planning",
    updated_at: iso(20 * S),
    source: { kind: "cli", reference: "cli", url: "", author: "grace" },
    plan_status: "drafting",
    usage: [TRIAGE],
  }),
  task({
    title: "Document the configuration file",
    status: "executing",
    source: { kind: "api", reference: "api", url: "", author: "ci" },
    run: run({ status: "queued", worker: "", started_at: null, turn: 0 }),
    usage: [PLANNER],
    updated_at: iso(40 * S),
  }),
  task({
    title: "Flaky test: test_reconnects_after_drop",
    status: "received",
    updated_at: iso(2 * S),
    verdict: "",
    triage_reason: "",
    base_commit: "",
  }),
  task({
    title: "Translate the error messages",
    status: "paused",
    updated_at: iso(2 * M),
    error_code: "agent-overloaded",
    error_message: "The model is overloaded.",
    paused_until: iso(-25 * M),
    plans: [plan(1, PLAN_1, 20 * M, "user:ada")],
    plan_status: "proposed",
    usage: [PLANNER],
  }),
  task({
    title: "Upgrade the HTTP client to version 2",
    status: "failed",
    updated_at: iso(2 * H),
    error_code: "checks-failed",
    evidence: "failing",
    has_result: true,
    ended_in: "executing",
    summary: "The client is at version 2; all tests pass.",
    error_message:
      "pytest -q exited with 1: two tests expect the old timeout exception. Retry with a hint, or approve a plan that changes them.",
    plans: [plan(1, PLAN_1, 4 * H, "user:ada")],
    plan_status: "proposed",
    run: run({
      status: "failed",
      finished_at: iso(2 * H),
      duration_ms: 412_000,
      checks: [
        CHECKS[0],
        check({
          command: "pytest -q",
          exit_code: 1,
          duration_ms: 3120,
          reason: "2 tests fail that pass at the base commit.",
          new_failures: ["tests/test_client.py::test_times_out", "tests/test_client.py::test_retries_once"],
          flaky: ["tests/test_pool.py::test_reuses_a_connection"],
          failing_lines: [
            "E       client.ReadTimeout: timed out after 5.0 s",
            "tests/test_client.py:41: ReadTimeout",
          ],
          output_head:
            "============================= test session starts ==============================\ncollected 10 items\n",
          output_size: 81_234,
          output: { name: "o", sha256: hex("o"), size: 9_000 },
          output_tail:
            "\u001b[31mF\u001b[0m\u001b[32m.\u001b[0m\u001b[31mF\u001b[0m\u001b[32m.......\u001b[0m\n=================================== FAILURES ===================================\n\u001b[31m\u001b[1m_____________________________ test_times_out _____________________________\u001b[0m\n\n    def test_times_out():\n>       with pytest.raises(OldTimeout):\n\u001b[1m\u001b[31mE       client.ReadTimeout: timed out after 5.0 s\u001b[0m\n\ntests/test_client.py:41: ReadTimeout\n\u001b[31m\u001b[1m2 failed\u001b[0m, \u001b[32m8 passed\u001b[0m in 2.71s",
        }),
        RED_BEFORE,
      ],
      setup: SETUP,
      commit: COMMIT,
      checked_commit: hex("checked", 40),
      evidence: "failing",
      observed: "Failing: the work breaks pytest -q (2 tests fail that pass at the base commit).",
      summary: "The client is at version 2; all tests pass.",
      notes: [
        {
          kind: "judge-changed",
          sentence: "tests/test_client.py: an assertion is gone",
          paths: ["tests/test_client.py"],
        },
        {
          kind: "held-back",
          sentence: "Not committed, because it is a cache: src/__pycache__",
          paths: ["src/__pycache__"],
        },
      ],
      files: FILES,
    }),
    usage: [PLANNER, EXECUTOR, usage("executor", "local-model", 1200, 300, 0, 0, 5200, false)],
  }),
  task({
    title: "Fix the off-by-one in pagination",
    status: "completed",
    evidence: "verified",
    outcome: "changed",
    updated_at: iso(26 * H),
    created_at: iso(27 * H),
    branch: "journeyman/fix-pagination-01KAS",
    commit: COMMIT,
    summary:
      "`page()` now counts from 1, as the API always said. Three tests cover the first, last and empty page.",
    plans: [plan(1, PLAN_1, 27 * H, "user:ada")],
    plan_status: "proposed",
    run: run({
      status: "succeeded",
      finished_at: iso(26 * H),
      duration_ms: 192_000,
      setup: SETUP,
      checks: CHECKS,
      checked_commit: hex("checked", 40),
      evidence: "verified",
      observed: "Verified: 2 checks passed, in a clean checkout of the result.",
      files: FILES,
      commit: COMMIT,
      branch: "journeyman/fix-pagination-01KAS",
      turn: 9,
    }),
    usage: [TRIAGE, PLANNER, EXECUTOR],
  }),
  task({
    title: "Annotate the public functions",
    status: "completed",
    evidence: "no-new-failures",
    outcome: "changed",
    branch: "journeyman/annotate-01KAS",
    commit: COMMIT,
    updated_at: iso(28 * H),
    summary: "Every public function has its types.",
    run: run({
      status: "succeeded",
      finished_at: iso(28 * H),
      duration_ms: 92_000,
      checks: [...CHECKS, RED_BEFORE],
      checked_commit: hex("checked", 40),
      evidence: "no-new-failures",
      observed: "No new failures: 2 checks passed, 1 check failed before too, in the same way.",
      summary: "Every public function has its types.",
      files: FILES,
      commit: COMMIT,
    }),
    usage: [EXECUTOR],
  }),
  task({
    title: "Give the exporter a progress bar",
    status: "completed",
    evidence: "unverified",
    outcome: "changed",
    branch: "journeyman/progress-01KAS",
    commit: COMMIT,
    updated_at: iso(30 * H),
    summary: "The bar moves.",
    run: run({
      status: "succeeded",
      finished_at: iso(30 * H),
      duration_ms: 61_000,
      checks: [NO_TOOL],
      checked_commit: hex("checked", 40),
      evidence: "unverified",
      observed: `Not verified: 1 check could not run. mvn -q verify (${NO_TOOL.reason.slice(0, -1)}).`,
      summary: "The bar moves.",
      files: FILES,
      commit: COMMIT,
    }),
    usage: [EXECUTOR],
  }),
  task({
    title: "Greet in lower case",
    status: "completed",
    outcome: "nothing-to-change",
    updated_at: iso(31 * H),
    summary: "Greetings are in lower case since 2.1; `test_greets_in_lower_case` covers it.",
    run: run({
      status: "succeeded",
      finished_at: iso(31 * H),
      duration_ms: 21_000,
      observed: "Not observed: nobody but the agent says so.",
    }),
    usage: [EXECUTOR],
  }),
  task({
    title: "Port the importer to the new API",
    status: "failed",
    ended_in: "executing",
    error_code: "agent-budget",
    error_message: "The agent reached the most it may cost ($0.50): raise the budget and retry the task.",
    updated_at: iso(31 * H),
    usage: [EXECUTOR],
  }),
  task({
    title: "Publish the changelog",
    status: "failed",
    evidence: "verified",
    has_result: true,
    ended_in: "publishing",
    error_code: "push-refused",
    error_message: "The server refused the branch: remote: You are not allowed to push to this repository.",
    updated_at: iso(32 * H),
    summary: "The changelog has an entry.",
    run: run({
      status: "succeeded",
      finished_at: iso(32 * H),
      duration_ms: 21_000,
      checks: CHECKS,
      evidence: "verified",
      observed: "Verified: 2 checks passed, in a clean checkout of the result.",
      commit: COMMIT,
      files: FILES,
    }),
    usage: [EXECUTOR],
  }),
  task({
    title: "Which Python versions do we support?",
    status: "completed",
    outcome: "answered",
    updated_at: iso(3 * 24 * H),
    verdict: "answer",
    source: { kind: "chat", reference: "chat", url: "", author: "grace" },
    answer:
      'Python **3.11 to 3.13**: `requires-python = ">=3.11"` in `pyproject.toml`, and CI runs 3.11, 3.12 and 3.13.',
    usage: [TRIAGE],
  }),
  task({
    title: "Rewrite everything in another language",
    status: "declined",
    updated_at: iso(5 * 24 * H),
    triage_reason: "No outcome that could be checked is named.",
    source: { kind: "github", reference: `${REPO}#3`, url: "", author: "mallory" },
  }),
  task({
    title: "Remove the legacy exporter",
    status: "cancelled",
    cancelled_how: "stopped",
    cancelled_by: "user:ada",
    cancelled_reason: "Somebody else does it.",
    updated_at: iso(9 * 24 * H),
    plans: [plan(1, PLAN_1, 9 * 24 * H)],
    usage: [PLANNER],
  }),
];

export function timelineOf(each) {
  const start = Date.parse(each.created_at);
  const events = [
    ["task", "submitted", "github:ada", `${each.title}`, { title: each.title, repo: REPO }],
    ["task", "triage-requested", "service:brain", "Triage asked for", { attempt: 1 }],
    [
      "task",
      "triaged",
      "service:brain",
      `plan, by rules: ${each.triage_reason}`,
      { verdict: "plan", decided_by: "rules", risk: "low" },
    ],
    ["task", "planning-requested", "service:brain", "Plan asked for", { base_commit: BASE }],
    ["plan", "drafting-started", "service:brain", "Draft 1", { draft: 1, base_commit: BASE }],
    [
      "plan",
      "claimed",
      "service:planner",
      "planner-1@studio took draft 1",
      { draft: 1, attempt: 1, worker: "planner-1@studio" },
    ],
    [
      "plan",
      "proposed",
      "service:planner",
      "Plan v1: use the configured language",
      { version: 1, digest: hex(PLAN_1) },
    ],
    [
      "task",
      "plan-ready",
      "service:planner",
      "Plan v1 waits for approval",
      { version: 1, digest: hex(PLAN_1), base_commit: BASE },
    ],
  ];
  if (each.run) {
    events.push(
      [
        "task",
        "approved",
        "user:ada",
        "Plan v1 approved",
        { plan: { version: 1, digest: hex(PLAN_1), base_commit: BASE } },
      ],
      ["task", "execution-requested", "service:brain", "Round 1", { round: 1 }],
      ["run", "requested", "service:brain", "Round 1 waits for an executor", { round: 1 }],
      ["run", "claimed", "service:executor", "executor-1@studio took round 1", { round: 1, attempt: 1 }],
      ["run", "started", "agent:executor", "Claude Code 2.1.330, claude-opus-5-5", { attempt: 1 }],
    );
    if (each.status === "completed")
      events.push(
        ["run", "succeeded", "service:executor", "3 files, all 2 checks passed", { commit: COMMIT }],
        ["task", "run-succeeded", "service:executor", "The work is done", { commit: COMMIT }],
        ["reply", "posted", "service:gateway", `Branch ${each.branch}`, { branch: each.branch }],
        ["task", "completed", "service:gateway", each.summary, { commit: COMMIT }],
      );
    if (each.status === "failed")
      events.push(
        ["run", "failed", "service:executor", each.error_message, { code: each.error_code }],
        [
          "task",
          "failed",
          "service:brain",
          each.error_message,
          { stage: "executing", code: each.error_code },
        ],
      );
  }
  let at = start;
  return events.map(([kind, event, principal, summary, data], index) => {
    at += event === "approved" ? 4 * M + 7 * S : 400 + index * 130;
    return {
      seq: 200 + index * 3,
      kind,
      event,
      version: index + 1,
      time: new Date(at).toISOString(),
      principal,
      summary,
      data,
    };
  });
}
