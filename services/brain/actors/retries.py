"""Trying again, and publishing what is there: what was paid for is not paid for twice, unless somebody asks for it."""

from __future__ import annotations

from msgspec.structs import replace

from services.brain.actors.pull_requests import has_open_pull_request, reviewed_further
from services.brain.actors.stages import next_stage, standing_of, working_base
from shared.contracts.decider import Rejected
from shared.contracts.sentences.words import dollars
from shared.contracts.task import InReview, PublicationRequested, Result, Retried, Retry, Stage, Status, Task


def retried(task: Task, command: Retry) -> Retried | PublicationRequested | InReview:
    """What trying again means for a task that may be retried, and what it may cost.

    Raises `Rejected` ``retry-contradictory``, ``result-missing`` where there is no result to go on from,
    ``budget-negative``, ``budget-unused``, or ``budget-too-small`` for work that would end where it ended before.
    """
    again = _again(task, command)
    match again:
        case Retried(stage=Stage.EXECUTING):
            _refuse_too_small(task, command.budget_microusd)
            return replace(again, budget_microusd=command.budget_microusd)
        case _ if command.budget_microusd:
            raise Rejected(
                "budget-unused",
                "A budget is for the work, and that is not what comes next: retry without one. A plan gets its budget "
                "with its approval.",
            )
        case _:
            return again


def _refuse_too_small(task: Task, budget: int) -> None:
    """Nothing is spent on a round that cannot end otherwise than the one before it."""
    if budget < 0:
        raise Rejected("budget-negative", "A budget cannot be negative: give micro-dollars, or 0 to leave it.")
    if standing_of(task).needs_budget and budget <= task.reached_microusd:
        reached = f" of {dollars(task.reached_microusd)}" if task.reached_microusd else ""
        raise Rejected(
            "budget-too-small",
            f"The work reached its budget{reached} and would again: retry it with a larger one (in dollars on the "
            "dashboard and by `--budget`, `budget_microusd` in the API).",
        )


def _again(task: Task, command: Retry) -> Retried | PublicationRequested | InReview:
    if command.from_result and command.afresh:
        raise Rejected("retry-contradictory", "Going on from the result and beginning afresh exclude each other.")
    if command.afresh:
        return Retried(stage=next_stage(task), origin=command.origin)
    if command.from_result:
        if task.result is None:
            raise Rejected("result-missing", "The task has kept no result that it could go on from: retry it afresh.")
        return Retried(stage=Stage.EXECUTING, from_result=True, origin=command.origin)
    if standing_of(task).was_in_review and has_open_pull_request(task):
        return reviewed_further(task, origin=command.origin)
    if task.result is not None and standing_of(task).unpublished:
        return publication(task, task.result)
    if standing_of(task).unshown:
        return Retried(stage=Stage.REVIEWING, review=task.triage_attempt, origin=command.origin)
    # A pause ends where it began: also on top of an earlier result.
    goes_on = task.status is Status.PAUSED and task.start is not None
    return Retried(stage=next_stage(task), from_result=goes_on, origin=command.origin)


def publication(task: Task, result: Result) -> PublicationRequested:
    """The next try at publishing a result that is there."""
    return PublicationRequested(
        attempt=result.attempt,
        publication=task.publication + 1,
        repo=task.repo,
        base_commit=working_base(task),
        result=result,
    )
