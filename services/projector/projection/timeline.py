"""The row of the timeline: every event has exactly one."""

from __future__ import annotations

from services.projector.projection.facts import Fact
from services.projector.projection.rows import TimelineRow, UnreadRow
from shared.contracts import delivery, session
from shared.contracts.kinds import TASK_SCOPED
from shared.contracts.task_of import task_of as task_of_signal


def row(fact: Fact) -> TimelineRow:
    """The row of one event."""
    return TimelineRow(
        seq=fact.seq,
        task_id=task_of(fact),
        kind=fact.kind,
        actor_id=fact.actor_id,
        event=fact.name,
        version=fact.version,
        # All times are in UTC. DuckDB takes one that does not say so in half the time, and here there is one an event.
        time=None if fact.time is None else fact.time.replace(tzinfo=None),
        principal=fact.principal,
        data=fact.raw,
    )


def unread_row(fact: Fact) -> UnreadRow:
    """The row of an event that has a problem."""
    return UnreadRow(seq=fact.seq, subject=fact.subject, reason=fact.problem)


def task_of(fact: Fact) -> str:
    """The task that an event concerns, or an empty text."""
    if fact.kind in TASK_SCOPED:
        return fact.actor_id
    match fact.data:
        case delivery.Accepted(signal=signal) | delivery.Replayed(signal=signal) | delivery.Authorised(signal=signal):
            return task_of_signal(signal)
        case delivery.Refused(signal=delivery.Signal() as signal):
            return task_of_signal(signal)
        case session.Said(task_id=task_id) | session.AnswerRecorded(task_id=task_id):
            return task_id
        case _:
            return ""
