"""The rows of a task's run: one for each attempt."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from services.projector.projection.facts import Fact
from services.projector.projection.rows import RunRow
from shared.contracts import run
from shared.contracts.run import Status

Runs = dict[int, RunRow]
"""A task's attempts by number."""

SUPERSEDED = "superseded"
"""The status of an attempt that another one took over before it had ended."""

_RESULT = ("turn", "summary", "commit", "tree", "files", "diff", "notes")
"""The columns of what a committed result has."""
_AT_WORK = frozenset({Status.RUNNING, Status.WAITING_INPUT})


def fold(runs: Runs, fact: Fact) -> Runs:
    """The attempts after one event of a run."""
    match fact.data:
        case run.Claimed() as data:
            return {**runs, **_superseded(runs, fact), data.attempt: _claimed(runs, fact, data)}
        case (
            run.Started(attempt=attempt)
            | run.Checkpointed(attempt=attempt)
            | run.QuestionAsked(attempt=attempt)
            | run.Resumed(attempt=attempt)
            | run.Committed(attempt=attempt)
            | run.Reopened(attempt=attempt)
            | run.Succeeded(attempt=attempt)
            | run.Failed(attempt=attempt)
            | run.Stopped(attempt=attempt)
        ) if attempt in runs:
            return {**runs, attempt: replace(runs[attempt], **_changes(fact))}
        case _:
            return runs


def _claimed(runs: Runs, fact: Fact, data: run.Claimed) -> RunRow:
    """A new attempt; work of its round that is committed already is judged by it, and by no agent done again."""
    made: dict[str, Any] = {}
    if (before := runs.get(data.attempt - 1)) and before.tree and before.round == data.round:
        made = {name: getattr(before, name) for name in _RESULT}
    return RunRow(
        task_id=fact.actor_id,
        attempt=data.attempt,
        round=data.round,
        status=Status.RUNNING,
        worker=data.worker,
        session=data.session,
        claimed_at=fact.at,
        **made,
    )


def _superseded(runs: Runs, fact: Fact) -> Runs:
    return {
        attempt: replace(row, status=SUPERSEDED, finished_at=fact.at, question="", options="[]")
        for attempt, row in runs.items()
        if row.status in _AT_WORK
    }


def _changes(fact: Fact) -> dict[str, Any]:
    match fact.data:
        case run.Started() as data:
            return {"cli_version": data.cli_version, "model": data.model, "started_at": fact.at}
        case run.Checkpointed() as data:
            return {"turn": data.turn, **({"commit": data.commit} if data.commit else {})}
        case run.QuestionAsked() as data:
            return {"status": Status.WAITING_INPUT, "question": data.question, "options": _json(data.options)}
        case run.Resumed():
            return {"status": Status.RUNNING, "question": "", "options": "[]"}
        case run.Committed() as data:
            return _made(data) | {"notes": _json(data.notes)}
        case run.Reopened() as data:
            return {"checks": _json(data.checks), "tree": ""}
        case run.Succeeded() as data:
            return (
                _ended(Status.SUCCEEDED, fact)
                | _made(data)
                | _proven(data)
                | {"branch": data.branch, "checked_commit": data.checked_commit, "outcome": data.outcome or ""}
            )
        case run.Failed(result=None) as data:
            return _ended(Status.FAILED, fact) | _proven(data) | _error(data)
        case run.Failed(result=run.KeptResult() as kept) as data:
            return (
                _ended(Status.FAILED, fact)
                | _made(kept)
                | _proven(data)
                | _error(data)
                | {"branch": kept.branch, "checked_commit": kept.checked_commit}
            )
        case run.Stopped() as data:
            return _ended(Status.STOPPED, fact) | {"duration_ms": data.duration_ms}
        case _:
            return {}


def _made(data: run.Committed | run.Succeeded | run.KeptResult) -> dict[str, Any]:
    """What was made, whatever became of it."""
    return {
        "turn": data.turns,
        "summary": data.summary,
        "commit": data.commit,
        "tree": data.tree,
        "files": _json(data.files),
        "diff": _json(data.diff),
    }


def _proven(data: run.Succeeded | run.Failed) -> dict[str, Any]:
    """What was observed of it."""
    return {
        "duration_ms": data.duration_ms,
        "checks": _json(data.checks),
        "setup": _json(data.setup),
        "notes": _json(data.notes),
        "evidence": data.evidence or "",
    }


def _error(data: run.Failed) -> dict[str, Any]:
    return {"error_code": data.code, "error_message": data.message}


def _ended(status: Status, fact: Fact) -> dict[str, Any]:
    return {"status": status, "finished_at": fact.at, "question": "", "options": "[]"}


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
