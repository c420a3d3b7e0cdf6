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

_AT_WORK = frozenset({Status.RUNNING, Status.WAITING_INPUT})


def fold(runs: Runs, fact: Fact) -> Runs:
    """The attempts after one event of a run."""
    match fact.data:
        case run.Claimed() as data:
            return {**runs, **_superseded(runs, fact), data.attempt: _claimed(fact, data)}
        case (
            run.Started(attempt=attempt)
            | run.Checkpointed(attempt=attempt)
            | run.QuestionAsked(attempt=attempt)
            | run.Resumed(attempt=attempt)
            | run.Succeeded(attempt=attempt)
            | run.Failed(attempt=attempt)
            | run.Stopped(attempt=attempt)
        ) if attempt in runs:
            return {**runs, attempt: replace(runs[attempt], **_changes(fact))}
        case _:
            return runs


def _claimed(fact: Fact, data: run.Claimed) -> RunRow:
    return RunRow(
        task_id=fact.actor_id,
        attempt=data.attempt,
        round=data.round,
        status=Status.RUNNING,
        worker=data.worker,
        session=data.session,
        claimed_at=fact.at,
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
        case run.Succeeded() as data:
            return _ended(Status.SUCCEEDED, fact) | {
                "duration_ms": data.duration_ms,
                "summary": data.summary,
                "commit": data.commit,
                "branch": data.branch,
                "checks": _json(data.checks),
                "files": _json(data.files),
                "diff": _json(data.diff),
                "turn": data.turns,
            }
        case run.Failed() as data:
            return _ended(Status.FAILED, fact) | {
                "duration_ms": data.duration_ms,
                "checks": _json(data.checks),
                "error_code": data.code,
                "error_message": data.message,
            }
        case run.Stopped() as data:
            return _ended(Status.STOPPED, fact) | {"duration_ms": data.duration_ms}
        case _:
            return {}


def _ended(status: Status, fact: Fact) -> dict[str, Any]:
    return {"status": status, "finished_at": fact.at, "question": "", "options": "[]"}


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
