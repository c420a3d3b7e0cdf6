"""When a task goes on by itself: the timers that its events set (pure)."""

from __future__ import annotations

from typing import Final

from services.brain.policy import ReactionPolicy
from shared.contracts import task
from shared.contracts.messages import TimedCommand
from shared.event_store.envelope import RecordedEvent

FILTERS: Final = (
    "evt.task.*.paused",
    "evt.task.*.plan-ready",
    "evt.task.*.thing-closed",
    "evt.task.*.going-on",
    "evt.task.*.in-review",
    "evt.task.*.head-seen",
    "evt.task.*.check-ended",
    "evt.task.*.reviewed",
    "evt.task.*.automatic-set",
)

_DEFAULT: Final = ReactionPolicy()


def timers(event: RecordedEvent, policy: ReactionPolicy = _DEFAULT) -> list[TimedCommand]:
    """The commands that an event sets for later."""
    match event.data:
        case task.Paused(until=until):
            return [task.Resume(id=event.actor.id, at=until)]
        case task.ThingClosed(until=until):
            return [task.HeedClosing(id=event.actor.id, at=until)]
        case (
            task.InReview(due=due)
            | task.GoingOn(due=due)
            | task.HeadSeen(due=due)
            | task.CheckEnded(due=due)
            | task.Reviewed(due=due)
            | task.AutomaticSet(due=due)
        ) if due is not None:
            return [task.LookAtPullRequest(id=event.actor.id, at=due, approval=policy.strict)]
        case task.PlanReady(version=version, expires_at=at) if at is not None:
            return [task.ExpireApproval(id=event.actor.id, version=version, at=at)]
        case _:
            return []
