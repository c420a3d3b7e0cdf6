"""Where a task stands between its steps."""

from __future__ import annotations

from typing import Final

from shared.contracts.evidence import Outcome
from shared.contracts.rules import Standing
from shared.contracts.task import Stage, Status, Task, Verdict

ACTS: Final = frozenset({Verdict.PLAN, Verdict.IMPLEMENT})
"""The verdicts that lead to changes."""

_STAGE_AT: Final = {
    Status.RECEIVED: Stage.TRIAGE,
    Status.PLANNING: Stage.PLANNING,
    Status.EXECUTING: Stage.EXECUTING,
    Status.WAITING_INPUT: Stage.EXECUTING,
    Status.REVIEWING: Stage.REVIEWING,
    Status.PUBLISHING: Stage.PUBLISHING,
}


def working_stage(task: Task) -> Stage | None:
    """The stage whose work is under way, or None between two stages and after the end."""
    return _STAGE_AT.get(task.status)


def next_stage(task: Task) -> Stage:
    """The stage a task goes on with, from what was decided about it so far. What was approved stays approved."""
    if task.approved is not None:
        return Stage.EXECUTING
    match task.verdict:
        case Verdict.IMPLEMENT:
            return Stage.EXECUTING
        case Verdict.PLAN:
            return Stage.PLANNING
        case Verdict.REVIEW:
            return Stage.REVIEWING
        case _:
            return Stage.TRIAGE


def due_stage(task: Task) -> Stage | None:
    """The stage that may be asked for now, or None where the task waits for something else."""
    match task.status:
        case Status.RECEIVED if not task.triaging:
            return Stage.TRIAGE
        case Status.TRIAGED:
            return next_stage(task)
        case Status.AWAITING_APPROVAL if task.approved is not None:
            return Stage.EXECUTING
        case _:
            return None


def working_base(task: Task) -> str:
    """The commit that the work starts from: the approved one, else the one triage found."""
    return task.approved.base_commit if task.approved else task.base_commit


def standing_of(task: Task) -> Standing:
    """What the rules about people's commands depend on."""
    return Standing(
        status=task.status,
        stopping=task.stopping,
        approved=task.approved is not None,
        result=task.result is not None,
        ended_in=task.ended_in,
        nothing_changed=task.outcome is Outcome.NOTHING_TO_CHANGE,
        error_code=task.error_code,
        reviews=task.review is not None,
    )
