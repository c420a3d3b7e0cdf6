"""Events as they would stand in the log, for pure parts that only read them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import msgspec

from shared.contracts.kinds import kind_of
from shared.contracts.messages import Event, name_of
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent

TASK_ID: Final = "01JX7Z0000000000000000TASK"
NO_BODY: Final = msgspec.Raw(b"null")
A_DAY: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def recorded(
    event: Event, *, id: str = TASK_ID, sequence: int = 1, position: int = 1, principal: str = "service:test"
) -> RecordedEvent:
    """The event of one actor (its kind is its class's) at that own version and stream position."""
    return RecordedEvent(
        actor=Actor(kind_of(event), id),
        name=name_of(event),
        data=event,
        position=position,
        sequence=sequence,
        id=f"event-{position}",
        time=A_DAY,
        causation_id="",
        correlation_id=id,
        principal=principal,
        traceparent="",
        previous_hash="",
        hash="",
        raw=b"",
    )
