"""Trying again, and publishing what is there: what was paid for is not paid for twice, unless somebody asks for it."""

from __future__ import annotations

from services.brain.actors.stages import next_stage, standing_of, working_base
from shared.contracts.decider import Rejected
from shared.contracts.task import PublicationRequested, Result, Retried, Retry, Stage, Status, Task


def retried(task: Task, command: Retry) -> Retried | PublicationRequested:
    """What trying again means for a task that may be retried.

    Raises `Rejected` ``retry-contradictory``, or ``result-missing`` where there is no result to go on from.
    """
    if command.from_result and command.afresh:
        raise Rejected("retry-contradictory", "Going on from the result and beginning afresh exclude each other.")
    if command.afresh:
        return Retried(stage=next_stage(task))
    if command.from_result:
        if task.result is None:
            raise Rejected("result-missing", "The task has kept no result that it could go on from: retry it afresh.")
        return Retried(stage=Stage.EXECUTING, from_result=True)
    if task.result is not None and standing_of(task).unpublished:
        return publication(task, task.result)
    # A pause ends where it began: also on top of an earlier result.
    goes_on = task.status is Status.PAUSED and task.start is not None
    return Retried(stage=next_stage(task), from_result=goes_on)


def publication(task: Task, result: Result) -> PublicationRequested:
    """The next try at publishing a result that is there."""
    return PublicationRequested(
        attempt=result.attempt,
        publication=task.publication + 1,
        repo=task.repo,
        base_commit=working_base(task),
        result=result,
    )
