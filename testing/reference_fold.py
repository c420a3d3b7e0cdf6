"""What the read models must say: a log folded in plain Python over its JSON, without a line of the projector's code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from shared.contracts.ids import derived_task_id

Row = dict[str, Any]
Change = Callable[[Row, Row], Row]
"""What an event's data changes in a row."""

AGENT_OF: Final = {"task": "brain", "plan": "planner", "run": "executor"}
OF_A_TASK: Final = (*AGENT_OF, "reply")
ENDED: Final[Row] = {"attention": "", "stopping": False, "question": "", "working_since": None, "paused_until": None}
UNMADE: Final[Row] = dict.fromkeys(("commit", "branch", "result_url"), "")
RIGHT: Final[Row] = dict.fromkeys(
    ("error_code", "error_message", "ended_in", "cancelled_how", "cancelled_by", "cancelled_reason"), ""
)
CLEARED: Final[Row] = UNMADE | RIGHT | {"evidence": "", "outcome": ""}
STAGE_AT: Final = {
    "received": "triage", "planning": "planning", "executing": "executing", "waiting-input": "executing",
    "reviewing": "reviewing", "publishing": "publishing", "in-review": "review",
}  # fmt: skip
BEGUN: Final[Row] = dict.fromkeys(
    ("base_commit", "verdict", "risk", "work_kind", "triage_reason", "decided_by", "answer", "summary", "plan_status",
     "run_status", "question", "worker", "merge_commit", "merged_by", "reverted_by",
     "caught_up_with", *CLEARED), ""
) | ENDED | {"has_result": False} | dict.fromkeys(
    ("pull_request", "plan_version", "approved_version", "round", "attempt", "cost_microusd", "tokens"), 0
)  # fmt: skip
"""A task of which nothing is known yet but that it was submitted."""


def _utc(time: str) -> datetime:
    """The moment of an ISO 8601 text, in UTC and without saying so."""
    return datetime.fromisoformat(time).astimezone(UTC).replace(tzinfo=None)


def _again(row: Row, data: Row) -> Row:
    stages = {
        "triage": ("received", "brain"), "planning": ("triaged", "planner"), "reviewing": ("triaged", "reviewer")
    }  # fmt: skip
    status, agent = stages.get(data["stage"], ("triaged", "executor"))
    return {**ENDED, **CLEARED, "status": status, "agent": agent}


def _retried(row: Row, data: Row) -> Row:
    on_the_way = {"status": "publishing"} if data.get("review") else {}
    return _again(row, data) | ({} if data.get("from_result") else {"has_result": False}) | on_the_way


def _followed_up(row: Row, data: Row) -> Row:
    kept = {name: row[name] for name in UNMADE} if row["status"] in ("completed", "in-review") else {}
    return {
        **_again(row, data), **kept, "merge_commit": "", "merged_by": "", "reverted_by": "",
        "has_result": False, "approved_version": 0, "directive": data["directive"],
        "verdict": data["verdict"] or "", "base_commit": data["base_commit"],
    }  # fmt: skip


def _failed(row: Row, data: Row) -> Row:
    return {**_wrong("failed")(row, data), "ended_in": data["stage"], **_kept(data)}


def _kept(data: Row) -> Row:
    kept = data.get("result")
    return {"has_result": True, "evidence": kept["evidence"], "summary": kept["summary"]} if kept else {}


def _left_in(status: str, data: Row) -> str:
    return "" if status == "in-review" and data.get("pull_request") else STAGE_AT.get(status, "")


def _cancelled(how: str, row: Row, data: Row) -> Row:
    return {"cancelled_how": how, "cancelled_by": row["principal"], "cancelled_reason": data.get("reason", "")}


def _completed(row: Row, data: Row) -> Row:
    merge = data.get("merge")
    merged = {**RIGHT, "merge_commit": merge["commit"], "merged_by": merge["by"]} if merge else {}
    return {
        **ENDED, **merged, "status": "completed", "summary": data["summary"] or row["summary"],
        "commit": data["commit"], "branch": data["branch"], "result_url": data["url"], "has_result": False,
        "evidence": data.get("evidence") or "",
        "outcome": data.get("outcome") or ("changed" if data["commit"] else "nothing-to-change"),
    }  # fmt: skip


def _wrong(status: str) -> Change:
    return lambda row, data: {
        **ENDED, "status": status, "error_code": data["code"], "error_message": data["message"]
    }  # fmt: skip


TASK: Final[dict[str, Change]] = {
    "task.triage-requested": lambda row, data: {"status": "received", "agent": "brain"},
    "task.triaged": lambda row, data: {
        "status": "triaged", "triage_reason": data["reason"], "title": data["title"] or row["title"],
        "repo": data["repo"] or row["repo"],
        **{name: data[name] for name in ("verdict", "decided_by", "work_kind", "risk", "base_commit")},
    },
    "task.answered": lambda row, data: {
        "status": "completed", "verdict": "answer", "answer": data["answer"], "decided_by": data["decided_by"],
        "outcome": "answered",
    },
    "task.declined": lambda row, data: {
        "status": "declined", "verdict": "decline", "triage_reason": data["reason"], "decided_by": data["decided_by"]
    },
    "task.review-requested": lambda row, data: {"status": "reviewing", "agent": "reviewer"},
    "task.review-written": lambda row, data: {"status": "publishing", "summary": data["summary"]},
    "task.planning-requested": lambda row, data: {"status": "planning", "agent": "planner"},
    "task.revision-requested": lambda row, data: {"status": "planning", "agent": "planner"},
    "task.plan-ready": lambda row, data: {
        "status": "awaiting-approval", "plan_version": data["version"], "base_commit": data["base_commit"]
    },
    "task.approved": lambda row, data: {"approved_version": data["plan"]["version"]},
    "task.execution-requested": lambda row, data: {
        "status": "executing", "agent": "executor", "round": data["round"], "base_commit": data["base_commit"]
    },
    "task.question-asked": lambda row, data: {"status": "waiting-input", "question": data["question"]},
    "task.work-resumed": lambda row, data: {"status": "executing", "question": ""},
    "task.run-succeeded": lambda row, data: {
        "status": "publishing", "question": "", **{name: data[name] for name in ("commit", "branch", "summary")},
        "evidence": data.get("evidence") or "", "has_result": data["bundle"] is not None,
    },
    "task.publication-requested": lambda row, data: {
        **ENDED, **RIGHT, "status": "publishing",
        **{name: data["result"][name] for name in ("commit", "branch", "summary", "evidence")},
    },
    "task.stop-requested": lambda row, data: {"stopping": True, **_cancelled("stopped", row, data)},
    "task.completed": _completed,
    "task.in-review": lambda row, data: {
        **ENDED, **RIGHT, "status": "in-review", "summary": data["summary"] or row["summary"],
        "commit": data["commit"], "branch": data["branch"], "result_url": data["url"], "has_result": False,
        "pull_request": data["pull_request"], "evidence": data["evidence"] or "", "outcome": data["outcome"] or "",
        "attention": data.get("attention", ""),
        "caught_up_with": row["caught_up_with"] if data["unchanged"] or data["by"] or data["origin"] else "",
    },
    "task.head-seen": lambda row, data: {
        **({"attention": ""} if data["moved"] else {}),
        **({"caught_up_with": data["base"]} if data.get("base") else {}),
    },
    "task.edited": lambda row, data: {"title": data["title"] or row["title"]}
    if data["counts"] and not data["part"]
    else {},
    "task.person-needed": lambda row, data: {"attention": data["reason"]},
    **dict.fromkeys(("task.automatic-set", "task.checks-passed", "task.going-on"), lambda row, data: {"attention": ""}),
    "task.reverted": lambda row, data: {"reverted_by": data["by"] or "somebody"},
    "task.failed": _failed,
    "task.paused": lambda row, data: {**_wrong("paused")(row, data), "paused_until": _utc(data["until"])},
    "task.rejected": lambda row, data: {**ENDED, "status": "cancelled", **_cancelled("rejected", row, data)},
    "task.cancelled": lambda row, data: {
        **ENDED, "status": "cancelled", "ended_in": _left_in(row["status"], data),
        **({} if row["stopping"] else _cancelled("stopped", row, data)),
        **_kept(data),
    },
    "task.approval-expired": lambda row, data: {**ENDED, "status": "cancelled", **_cancelled("expired", row, {})},
    "task.retried": _retried,
    "task.followed-up": _followed_up,
    "task.resumed": _again,
    "plan.drafting-started": lambda row, data: {"plan_status": "drafting"},
    "plan.claimed": lambda row, data: {"plan_status": "drafting", "worker": data["worker"], "working_since": row["at"]},
    "plan.proposed": lambda row, data: {"plan_status": "proposed", "working_since": None},
    "plan.failed": lambda row, data: {"plan_status": "failed", "working_since": None},
    "plan.stopped": lambda row, data: {"plan_status": "stopped", "working_since": None},
    "run.requested": lambda row, data: {"run_status": "queued"},
    "run.claimed": lambda row, data: {
        "run_status": "running", "attempt": data["attempt"], "worker": data["worker"], "working_since": row["at"],
        "question": "",
    },
    "run.question-asked": lambda row, data: {"run_status": "waiting-input"},
    "run.resumed": lambda row, data: {"run_status": "running"},
    "run.succeeded": lambda row, data: {"run_status": "succeeded", "working_since": None},
    "run.failed": lambda row, data: {"run_status": "failed", "working_since": None},
    "run.stopped": lambda row, data: {"run_status": "stopped", "working_since": None},
}  # fmt: skip
"""What each event of a task, a plan and a run changes in the task's row; ``row["at"]`` is when it happened,
``row["principal"]`` who had it happen.
"""


def _over(status: str) -> Change:
    return lambda row, data: {
        "status": status, "finished_at": row["at"], "duration_ms": data["duration_ms"], "question": "", "options": "[]"
    }  # fmt: skip


MADE: Final = ("turn", "summary", "commit", "tree", "files", "diff", "notes")


def _made(data: Row) -> Row:
    said = {name: data[name] for name in ("summary", "commit", "tree")}
    return {**said, "turn": data["turns"], **{name: _json(data[name]) for name in ("files", "diff")}}


def _proven(data: Row) -> Row:
    lists = {name: _json(data.get(name, ())) for name in ("checks", "setup", "notes")}
    return {**lists, "evidence": data.get("evidence") or ""}


def _failed_run(row: Row, data: Row) -> Row:
    kept = data.get("result")
    made = {**_made(kept), "branch": kept["branch"], "checked_commit": kept["checked_commit"]} if kept else {}
    said = {"error_code": data["code"], "error_message": data["message"]}
    return {**_over("failed")(row, data), **_proven(data), **said, **made}


RUN: Final[dict[str, Change]] = {
    "started": lambda row, data: {
        "cli_version": data["cli_version"], "model": data["model"], "started_at": row["at"]
    },
    "checkpointed": lambda row, data: {"turn": data["turn"], "commit": data["commit"] or row["commit"]},
    "question-asked": lambda row, data: {
        "status": "waiting-input", "question": data["question"], "options": _json(data["options"])
    },
    "resumed": lambda row, data: {"status": "running", "question": "", "options": "[]"},
    "committed": lambda row, data: {**_made(data), "notes": _json(data["notes"])},
    "reopened": lambda row, data: {"checks": _json(data["checks"]), "tree": ""},
    "succeeded": lambda row, data: {
        **_over("succeeded")(row, data), **_made(data), **_proven(data), "outcome": data.get("outcome") or "",
        **{name: data[name] for name in ("branch", "checked_commit")},
    },
    "failed": _failed_run,
    "stopped": _over("stopped"),
}  # fmt: skip
"""What each event of a run changes in its attempt's row."""


class Fold:
    """The rows of a log that grows; it must be sound and hold only events of this version."""

    def __init__(self) -> None:
        self.seq = 0
        self._hash = ""
        self._tasks: dict[str, Row] = {}
        self._plans: dict[tuple[str, int], Row] = {}
        self._runs: dict[tuple[str, int], Row] = {}
        self._rows: dict[str, list[tuple[Any, ...]]] = {
            table: [] for table in ("usage", "timeline", "unread", "deliveries", "session_lines")
        }

    def take(self, subject: str, body: bytes) -> None:
        """The next event of the log."""
        self.seq += 1
        self._hash = hashlib.sha256(body).hexdigest()
        _, kind, id, name = subject.split(".")
        envelope = json.loads(body)
        data, principal = envelope["data"], envelope.get("principal", "")
        at = _utc(envelope["time"])
        if kind in AGENT_OF:
            self._of_task(f"{kind}.{name}", id, data, at, principal, envelope["sequence"])
        if f"{kind}.{name}" == "plan.proposed":
            self._propose(id, data, at)
        if f"{kind}.{name}" == "task.approved" and (plan := self._plans.get((id, data["plan"]["version"]))):
            plan |= {"approved_at": at, "approved_by": principal}
        if kind == "run":
            self._of_run(name, id, data, at)
        task_id = id if kind in OF_A_TASK else data.get("task_id", "")
        if kind == "delivery" and "signal" in data:
            task_id = derived_task_id(data["signal"]["opened_at_ms"], data["signal"]["thread"])
        if kind == "delivery" and name == "accepted":
            texts = (data["webhook"], data["event"], data["action"], data["delivery"])
            signal = data["signal"]
            self._add("deliveries", id, *texts, signal["thread"], signal["author"], task_id, at)
        if kind == "session":
            self._of_session(name, id, data, principal, at)
        self._add("timeline", task_id, kind, id, name, envelope["sequence"], at, principal, _json(data))

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every table's rows in the order of their keys, columns in the order of the schema."""
        folds: dict[str, Mapping[Any, Row]] = {"tasks": self._tasks, "plans": self._plans, "runs": self._runs}
        return {
            "checkpoint": [("EVENTS", self.seq, self._hash)],
            **{table: sorted(tuple(row.values()) for row in rows.values()) for table, rows in folds.items()},
            **self._rows,
        }

    def _add(self, table: str, *values: Any) -> None:
        self._rows[table].append((self.seq, *values))

    def _of_task(self, event: str, id: str, data: Row, at: datetime, principal: str, version: int) -> None:
        if event == "task.submitted":
            self._tasks[id] = _submitted(id, self.seq, data, at, principal, version)
        elif known := self._tasks.get(id):
            known |= {"updated_seq": self.seq, "updated_at": at}
            if event.startswith("task."):
                known["version"] = version
            if event in TASK:
                known |= TASK[event]({**known, "at": at, "principal": principal}, data)
        row = self._tasks.get(id, {})
        charged = (row.get("requester", ""), row.get("session_id", ""), row.get("repo", ""))
        for tokens, cost in self._spent(id, data, at, AGENT_OF[event.partition(".")[0]], charged):
            if row:
                row |= {"cost_microusd": row["cost_microusd"] + cost, "tokens": row["tokens"] + tokens}

    def _spent(
        self, task_id: str, data: Row, at: datetime, agent: str, charged: tuple[str, str, str]
    ) -> list[tuple[int, int]]:
        """Add what an event reports as spent; tokens and micro-dollars of each model."""
        spent = []
        for item, usage in enumerate(data.get("usage", ())):
            tokens = [usage.get(f"{sort}_tokens", 0) for sort in ("input", "output", "cache_read", "cache_write")]
            cost = usage.get("cost_microusd", 0)
            whose = (item, task_id, at.date(), agent, usage["model"], *charged)
            self._add("usage", *whose, *tokens, cost, usage.get("priced", True))
            spent.append((sum(tokens), cost))
        return spent

    def _of_session(self, name: str, id: str, data: Row, principal: str, at: datetime) -> None:
        self._spent("", data, at, "brain", (data.get("asked_by", ""), id, ""))
        if name in ("claimed", "spend-recorded"):
            return
        proposal = data.get("proposal", {})
        said = next((of[field] for of in (data, proposal) for field in ("text", "message", "title") if field in of), "")
        task_id, message_id = data.get("task_id", proposal.get("task_id", "")), data.get("message_id", "")
        author = data.get("author", "")
        self._add("session_lines", id, name, author, principal, said, task_id, message_id, _json(data), at)

    def _propose(self, id: str, data: Row, at: datetime) -> None:
        copied = ("version", "digest", "base_commit", "markdown", "summary", "attempt", "duration_ms")
        self._plans[id, data["version"]] = {
            "task_id": id, **{name: data[name] for name in copied},
            "proposed_at": at, "approved_at": None, "approved_by": None,
        }  # fmt: skip

    def _of_run(self, name: str, id: str, data: Row, at: datetime) -> None:
        if name == "claimed":
            for (owner, _), row in self._runs.items():
                if owner == id and row["status"] in ("running", "waiting-input"):
                    row |= {"status": "superseded", "finished_at": at, "question": "", "options": "[]"}
            before = self._runs.get((id, data["attempt"] - 1), {})
            # What is committed is judged by the next attempt, which does not do it again.
            kept = MADE if before.get("tree") and before["round"] == data["round"] else ()
            self._runs[id, data["attempt"]] = _claimed(id, data, at) | {name: before[name] for name in kept}
        elif name in RUN and (known := self._runs.get((id, data["attempt"]))):
            known |= RUN[name]({**known, "at": at}, data)


def _whole_text(data: Row) -> str:
    """A thing's text and what was said about it when the task was opened."""
    text, request, author = data["text"], data.get("request", ""), data["source"]["author"]
    asked = f"{author} asks for this:" if author else "This is asked for:"
    if not request.strip():
        return str(text)
    return f"{text}\n\n---\n\n{asked}\n\n{request}" if text.strip() else str(request)


def _submitted(id: str, seq: int, data: Row, at: datetime, principal: str, version: int) -> Row:
    source = data["source"]
    unnamed = not principal or principal.startswith("service:")
    known: Row = {
        "id": id, "created_seq": seq, "created_at": at, "updated_seq": seq, "updated_at": at, "version": version,
        "status": "received", "title": data["title"], "text": _whole_text(data),
        **{f"source_{name}": source[name] for name in ("kind", "reference", "url", "author")},
        "requester": f"{source['kind']}:{source['author']}" if source["author"] and unnamed else principal,
        **{name: data[name] for name in ("repo", "directive", "approval", "session_id", "parent")},
        "agent": "brain",
    }  # fmt: skip
    return {name: (BEGUN | known)[name] for name in TASK_COLUMNS}


def _claimed(id: str, data: Row, at: datetime) -> Row:
    return {
        "task_id": id, "attempt": data["attempt"], "round": data["round"], "status": "running",
        "worker": data["worker"], "session": data["session"], "cli_version": "", "model": "", "turn": 0,
        "claimed_at": at, "started_at": None, "finished_at": None, "duration_ms": 0, "summary": "", "commit": "",
        "branch": "", "checks": "[]", "files": "[]", "diff": "null", "evidence": "", "outcome": "", "tree": "",
        "checked_commit": "", "setup": "[]", "notes": "[]", "question": "", "options": "[]",
        "error_code": "", "error_message": "",
    }  # fmt: skip


TASK_COLUMNS: Final = (
    "id", "created_seq", "created_at", "updated_seq", "updated_at", "version", "status", "stopping", "title", "text",
    "source_kind", "source_reference", "source_url", "source_author", "requester", "repo", "base_commit", "directive",
    "approval", "session_id", "parent", "agent", "worker", "working_since", "verdict", "risk", "work_kind",
    "triage_reason", "decided_by", "answer", "summary", "plan_status", "plan_version", "approved_version", "run_status",
    "round", "attempt", "question", "commit", "branch", "result_url", "pull_request", "merge_commit", "merged_by",
    "reverted_by", "attention", "caught_up_with", "error_code", "error_message", "paused_until",
    "evidence", "outcome", "has_result", "ended_in", "cancelled_how", "cancelled_by", "cancelled_reason",
    "cost_microusd", "tokens",
)  # fmt: skip


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
