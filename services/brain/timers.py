"""When a task goes on by itself: the timers that its events set (pure)."""

from __future__ import annotations

from typing import Final

from shared.contracts import task
from shared.contracts.messages import TimedCommand
from shared.event_store.envelope import RecordedEvent

FILTERS: Final = ("evt.task.*.paused", "evt.task.*.plan-ready", "evt.task.*.thing-closed")


def timers(event: RecordedEvent) -> list[TimedCommand]:
    """The commands that an event sets for later."""
    match event.data:
        case task.Paused(until=until):
            return [task.Resume(id=event.actor.id, at=until)]
        case task.ThingClosed(until=until):
            return [task.HeedClosing(id=event.actor.id, at=until)]
        case task.PlanReady(version=version, expires_at=at) if at is not None:
            return [task.ExpireApproval(id=event.actor.id, version=version, at=at)]
        case _:
            return []
