"""The journal in memory: for pure tests, held to the same contract as the one on NATS."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

from shared.contracts.messages import Event, name_of
from shared.contracts.subjects import Actor, event_subject
from shared.event_store.envelope import MessageMetadata, RecordedEvent, decode_event, encode_event
from shared.event_store.journal import Conflict, Head, checked


class MemoryJournal:
    """All events in one list; its index is the stream position less one."""

    def __init__(self) -> None:
        self.log: list[RecordedEvent] = []
        self._grown = asyncio.Condition()

    async def append(self, actor: Actor, event: Event, *, expected: Head, metadata: MessageMetadata) -> RecordedEvent:
        """See `Journal.append`."""
        own = [each for each in self.log if each.actor == actor]
        if own and own[-1].id == metadata.id and own[-1].causation_id == metadata.causation_id:
            return own[-1]
        position = own[-1].position if own else 0
        if position != expected.position:
            raise Conflict(f"{actor} is at {position}, not at {expected.position}.")
        body = encode_event(actor, event, sequence=expected.sequence + 1, prevhash=expected.hash, metadata=metadata)
        recorded = decode_event(event_subject(actor, name_of(event)), body, len(self.log) + 1)
        async with self._grown:
            self.log.append(recorded)
            self._grown.notify_all()
        return recorded

    async def load(self, actor: Actor, *, after: Head | None = None, up_to: int | None = None) -> list[RecordedEvent]:
        """See `Journal.load`."""
        head = after or Head()
        last = len(self.log) if up_to is None else up_to
        own = (each for each in self.log if each.actor == actor and head.position < each.position <= last)
        return checked(actor, own, head)

    async def pages(
        self, actor: Actor, *, after: Head | None = None, up_to: int | None = None
    ) -> AsyncIterator[list[RecordedEvent]]:
        """See `Journal.pages`."""
        if found := await self.load(actor, after=after, up_to=up_to):
            yield found

    async def follow(self, subject_filter: str, *, after: int) -> AsyncIterator[RecordedEvent]:
        """See `Journal.follow`."""
        fits = _matcher(subject_filter)
        position = after
        while True:
            async with self._grown:
                while len(self.log) <= position:
                    await self._grown.wait()
            for recorded in self.log[position:]:
                position = recorded.position
                if fits.match(event_subject(recorded.actor, recorded.name)):
                    yield recorded

    async def newest(self, actor: Actor) -> int:
        """The position of an actor's newest event, 0 for an actor without events."""
        return max((each.position for each in self.log if each.actor == actor), default=0)

    async def last_position(self) -> int:
        """See `Journal.last_position`."""
        return len(self.log)


def _matcher(subject_filter: str) -> re.Pattern[str]:
    tokens = {"*": r"[^.]+", ">": r".+"}
    return re.compile(
        "^" + r"\.".join(tokens.get(token, re.escape(token)) for token in subject_filter.split(".")) + "$"
    )
