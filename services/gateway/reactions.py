"""What the gateway does about a task's events."""

from __future__ import annotations

from typing import Final

from shared.contracts import reply, task
from shared.contracts.messages import Command
from shared.event_store.envelope import RecordedEvent

FILTERS: Final = (
    "evt.task.*.run-succeeded",
    "evt.task.*.cancelled",
)


def react(event: RecordedEvent) -> list[Command]:
    """The commands for the task's reply."""
    id, cause = event.actor.id, event.sequence
    match event.data:
        case task.RunSucceeded() as done:
            return [
                reply.Request(
                    id=id,
                    effect=reply.branch_effect(done.attempt),
                    repo=done.repo,
                    base_commit=done.base_commit,
                    commit=done.commit,
                    branch=done.branch,
                    bundle=done.bundle,
                    cause=cause,
                )
            ]
        case task.Cancelled():
            return [reply.Withdraw(id=id, cause=cause)]
        case _:
            return []
