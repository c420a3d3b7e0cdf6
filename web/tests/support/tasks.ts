import type {
  ActionName,
  Check,
  PlanVersion,
  Run,
  TaskDetail,
  TimelineItem,
  Usage,
} from "../../src/api/types";

const AT = "2026-11-22T07:14:00Z";
const ACTIONS: readonly ActionName[] = [
  "approve",
  "reject",
  "revise",
  "input",
  "stop",
  "retry",
  "publish",
  "follow-up",
];

export const REFUSED = "Not now, says the gateway.";

/** The answer's `actions`: those named are allowed, the others are refused with `REFUSED`. */
export const allow = (...names: ActionName[]): NonNullable<TaskDetail["actions"]> =>
  Object.fromEntries(
    ACTIONS.map((name) => [
      name,
      names.includes(name)
        ? { allowed: true }
        : { allowed: false, code: "task-wrong-state", reason: REFUSED },
    ]),
  );

let made = 0;

/** A task as the gateway would answer it; what a test is about is said in `over`. */
export function task(over: Partial<TaskDetail> = {}): TaskDetail {
  const n = String(++made).padStart(6, "0");
  return {
    id: `01KAS0Q7M4ZT2V9XBNP0${n}`,
    title: `Task ${n}`,
    status: "executing",
    stopping: false,
    source: { kind: "github", reference: "github:octo/greeter#7", url: "", author: "ada" },
    repo: "octo/greeter",
    requester: "github:ada",
    agent: "executor",
    created_seq: 1,
    created_at: AT,
    updated_at: AT,
    plan_version: over.plans?.at(-1)?.version ?? 0,
    round: 1,
    attempt: 1,
    worker: "executor-1",
    cost_microusd: 0,
    tokens: 0,
    branch: "",
    commit: "",
    error_code: "",
    error_message: "",
    question: "",
    actions: allow(),
    text: "Greet in lower case.",
    approval: "required",
    directive: "plan",
    verdict: "plan",
    risk: "low",
    work_kind: "bug fix",
    triage_reason: "",
    decided_by: "rules",
    answer: "",
    summary: "",
    session_id: "",
    parent: "",
    base_commit: "ba5e".repeat(10),
    plans: [],
    plan_status: "new",
    approved_version: 0,
    paused_until: null,
    evidence: "",
    outcome: "",
    has_result: false,
    ended_in: "",
    cancelled_how: "",
    cancelled_by: "",
    cancelled_reason: "",
    pull_request: 0,
    attention: "",
    merge_commit: "",
    caught_up_with: "",
    merged_by: "",
    reverted_by: "",
    working_since: null,
    result_url: "",
    run: null,
    usage: [],
    version: 1,
    ...over,
  };
}

export const plan = (version: number, markdown: string): PlanVersion => ({
  version,
  digest: `d19e57${version}`.repeat(8),
  base_commit: `ba5e${version}`.repeat(8),
  markdown,
  summary: "",
  at: AT,
  approved_at: null,
  approved_by: null,
});

export const check = (over: Partial<Check>): Check => ({
  command: "make test",
  exit_code: 0,
  duration_ms: 10,
  output_tail: "",
  output_sha256: "",
  failed_before: false,
  verdict: (over.exit_code ?? 0) === 0 ? "passed" : "failed",
  reason: "",
  new_failures: [],
  flaky: [],
  output_head: "",
  failing_lines: [],
  output: null,
  output_size: 0,
  output_cut: false,
  doubted: false,
  ...over,
});

export const run = (over: Partial<Run> = {}): Run => ({
  status: "running",
  round: 1,
  attempt: 1,
  worker: "executor-1",
  session: "",
  cli_version: "",
  model: "",
  turn: 1,
  started_at: AT,
  finished_at: null,
  duration_ms: 0,
  summary: "",
  commit: "",
  branch: "",
  checks: [],
  files: [],
  question: "",
  options: [],
  diff: null,
  error_code: "",
  error_message: "",
  evidence: "",
  outcome: "",
  tree: "",
  checked_commit: "",
  setup: [],
  notes: [],
  observed: "",
  ...over,
});

export const usage = (over: Partial<Usage>): Usage => ({
  agent: "executor",
  model: "claude-opus-5-5",
  input_tokens: 0,
  output_tokens: 0,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
  cost_microusd: 0,
  priced: true,
  ...over,
});

export const event = (seq: number, name: string, over: Partial<TimelineItem> = {}): TimelineItem => ({
  seq,
  kind: "task",
  event: name,
  version: seq,
  time: AT,
  principal: "user:ada",
  summary: "",
  data: {},
  ...over,
});
