"""The journal: the log as actors see it. Two implementations are held to the same tests: NATS and memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Protocol

import msgspec

from shared.contracts.messages import Event
from shared.contracts.subjects import Actor
from shared.event_store.envelope import MessageMetadata, RecordedEvent


class Conflict(Exception):
    """Another append of the same actor came first: load, decide, append again."""


class LogDamaged(Exception):
    """An actor's events have a gap or a wrong hash. Nothing is folded over it; the text names the first bad one."""


class LogFull(Exception):
    """The log has reached its size limit: nothing was stored."""


class LogUnavailable(Exception):
    """The log did not answer in time: whether the append was stored is not known, so send the same one again."""


class Head(msgspec.Struct, frozen=True):
    """An actor's newest event: stream position, own version, hash. All empty for an actor without events."""

    position: int = 0
    sequence: int = 0
    hash: str = ""


def head_of(recorded: RecordedEvent) -> Head:
    """The head after an event."""
    return Head(recorded.position, recorded.sequence, recorded.hash)


class Journal(Protocol):
    """Guarded appends and checked loads. Only the expected head fences; everything else is liveness."""

    async def append(self, actor: Actor, event: Event, *, expected: Head, metadata: MessageMetadata) -> RecordedEvent:
        """Append one event behind ``expected``.

        Appending the same ``stamp.id`` for the same ``stamp.causation_id`` again returns the first append.
        Raises `Conflict`, `LogFull`, `LogUnavailable`.
        """
        ...

    async def load(self, actor: Actor, *, after: Head | None = None, up_to: int | None = None) -> list[RecordedEvent]:
        """An actor's events behind ``after``, up to a stream position. Raises `LogDamaged`, `UnknownEvent`."""
        ...

    def pages(
        self, actor: Actor, *, after: Head | None = None, up_to: int | None = None
    ) -> AsyncIterator[list[RecordedEvent]]:
        """What `load` gives, in parts, so that a long actor need not be in memory whole. No part is empty."""
        ...

    def follow(self, subject_filter: str, *, after: int) -> AsyncIterator[RecordedEvent]:
        """Every event that fits the filter behind a stream position, in order, once, and then the live ones."""
        ...

    async def last_position(self) -> int:
        """The stream position of the newest event of all, 0 when there is none."""
        ...


def checked(actor: Actor, events: Iterable[RecordedEvent], after: Head) -> list[RecordedEvent]:
    """The events, when each one's version and previous hash continue from ``after``; raises `LogDamaged`."""
    head = after
    found: list[RecordedEvent] = []
    for event in events:
        if event.sequence != head.sequence + 1:
            raise LogDamaged(
                f"The log of {actor} is damaged at stream sequence {event.position}: "
                f"version {event.sequence} follows version {head.sequence}. Restore the log from its archive."
            )
        if event.previous_hash != head.hash:
            raise LogDamaged(
                f"The log of {actor} is damaged at stream sequence {event.position}: version {event.sequence} does not "
                f"carry the hash of version {head.sequence}. Restore the log from its archive."
            )
        found.append(event)
        head = Head(event.position, event.sequence, event.hash)
    return found
