"""An actor that only counts, for tests of length, and a journal that counts what is read."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from shared.contracts import task
from shared.contracts.decider import Decider
from shared.contracts.subjects import Actor, event_subject
from shared.event_store.envelope import MessageMetadata, RecordedEvent, encode_event, hash_of, utc_now
from shared.event_store.journal import Head
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from testing.eventually import eventually


class Count(msgspec.Struct, frozen=True):
    count: int = 0


def counted(number: int) -> task.InputGiven:
    return task.InputGiven(message=str(number))


def _decide(state: Count, command: task.GiveInput) -> task.InputGiven:
    return task.InputGiven(message=command.message)


def _evolve(state: Count, event: object) -> Count:
    return Count(state.count + 1)


COUNTER = Decider("task", Count(), _decide, _evolve)


async def grow(bus: Bus, actor: Actor, length: int) -> None:
    """Append ``length`` events without waiting for each one: the chain is made here."""
    previous = ""
    for number in range(1, length + 1):
        metadata = MessageMetadata(
            id=f"e{number}", source="t", time=utc_now(), principal="t", causation_id=f"c{number}"
        )
        body = encode_event(actor, counted(number), sequence=number, prevhash=previous, metadata=metadata)
        previous = hash_of(body)
        await bus.nc.publish(event_subject(actor, "input-given"), body)
        if number % 1000 == 0:
            await _until_stored(bus, number)
    await _until_stored(bus, length)


async def _until_stored(bus: Bus, length: int) -> None:
    await eventually(lambda: _stored(bus, length))


async def _stored(bus: Bus, length: int) -> bool:
    return await NatsJournal(bus).last_position() >= length


class CountingJournal(NatsJournal):
    """Counts the events that are read, and remembers how many came at once."""

    def __init__(self, bus: Bus) -> None:
        super().__init__(bus)
        self.read = 0
        self.largest = 0

    async def pages(
        self, actor: Actor, *, after: Head | None = None, up_to: int | None = None
    ) -> AsyncIterator[list[RecordedEvent]]:
        """See `Journal.pages`."""
        async for page in super().pages(actor, after=after, up_to=up_to):
            self.read += len(page)
            self.largest = max(self.largest, len(page))
            yield page
