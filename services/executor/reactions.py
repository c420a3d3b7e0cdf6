"""What the executor does about a task's events."""

from __future__ import annotations

from typing import Final

from shared.contracts import run, task
from shared.contracts.messages import Command
from shared.event_store.envelope import RecordedEvent

FILTERS: Final = (
    "evt.task.*.execution-requested",
    "evt.task.*.input-given",
    "evt.task.*.stop-requested",
)


def react(event: RecordedEvent) -> list[Command]:
    """The commands for the task's run."""
    id, cause = event.actor.id, event.sequence
    match event.data:
        case task.ExecutionRequested() as wanted:
            return [
                run.Request(
                    id=id,
                    round=wanted.round,
                    repo=wanted.repo,
                    base_commit=wanted.base_commit,
                    title=wanted.title,
                    text=wanted.text,
                    plan=wanted.plan,
                    start=wanted.start,
                    budget_microusd=wanted.budget_microusd,
                    agent=wanted.agent,
                    cause=cause,
                )
            ]
        case task.InputGiven(message=message):
            return [run.GiveInput(id=id, message=message, cause=cause)]
        case task.StopRequested(stage=task.Stage.EXECUTING, reason=reason):
            return [run.Stop(id=id, reason=reason, cause=cause)]
        case _:
            return []
