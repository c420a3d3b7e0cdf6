"""What the planner does about a task's events."""

from __future__ import annotations

from typing import Final

from shared.contracts import plan, task
from shared.contracts.messages import Command
from shared.event_store.envelope import RecordedEvent

FILTERS: Final = (
    "evt.task.*.planning-requested",
    "evt.task.*.revision-requested",
    "evt.task.*.stop-requested",
)


def react(event: RecordedEvent) -> list[Command]:
    """The commands for the task's plan."""
    id, cause = event.actor.id, event.sequence
    match event.data:
        case task.PlanningRequested(repo=repo, base_commit=commit, title=title, text=text):
            return [plan.Draft(id=id, repo=repo, base_commit=commit, title=title, text=text, cause=cause)]
        case task.RevisionRequested(feedback=feedback):
            return [plan.Revise(id=id, feedback=feedback, cause=cause)]
        case task.StopRequested(stage=task.Stage.PLANNING):
            return [plan.Stop(id=id, cause=cause)]
        case _:
            return []
