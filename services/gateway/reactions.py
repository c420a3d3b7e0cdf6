"""What the gateway does about a task's events."""

from __future__ import annotations

from typing import Final

from shared.contracts import reply, task
from shared.contracts.messages import Command
from shared.event_store.envelope import RecordedEvent

FILTERS: Final = (
    "evt.task.*.run-succeeded",
    "evt.task.*.publication-requested",
    "evt.task.*.cancelled",
    "evt.task.*.completed",
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
                    tree=done.tree,
                    cause=cause,
                )
            ]
        case task.PublicationRequested(result=result) as again:
            return [
                reply.Request(
                    id=id,
                    effect=reply.branch_effect(again.attempt, again.publication),
                    repo=again.repo,
                    base_commit=again.base_commit,
                    commit=result.commit,
                    branch=result.branch,
                    bundle=result.bundle,
                    tree=result.tree,
                    cause=cause,
                )
            ]
        case task.Cancelled() | task.Completed():
            return [reply.Withdraw(id=id, cause=cause)]
        case _:
            return []
