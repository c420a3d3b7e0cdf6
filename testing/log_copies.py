"""Two logs that must be the same: one that grows, and an empty server for its copy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from shared.contracts.subjects import Actor
from shared.contracts.task import Retried
from shared.event_store.envelope import MessageMetadata
from shared.event_store.journal import Head, head_of
from shared.nats.bus import Bus
from shared.nats.feed import Feed
from shared.nats.journal import NatsJournal
from shared.nats.streams import EVENTS, StreamLimits, provision
from testing.nats import Nats
from testing.slow_timings import connect_patiently
from testing.stream_limits import SMALL

ACTORS: Final = [Actor("task", f"A{number}") for number in range(4)]
Log = list[tuple[int, str, bytes, str]]
"""Position, subject, body and message id."""


async def grow(bus: Bus, events: int, heads: dict[Actor, Head], text: str = "x") -> None:
    """Append events, one actor after the other."""
    journal = NatsJournal(bus)
    for _ in range(events):
        actor = min(ACTORS, key=lambda each: heads.get(each, Head()).sequence)
        head = heads.get(actor, Head())
        id = f"{actor.id}-{head.sequence}"
        metadata = MessageMetadata(
            id=id, source="test", time=datetime.now(UTC), principal="user:ada", causation_id=f"c-{id}"
        )
        heads[actor] = head_of(await journal.append(actor, Retried(stage=text), expected=head, metadata=metadata))


async def contents(bus: Bus) -> Log:
    """Position, subject, body and message id of everything in the log."""
    last = (await bus.js.stream_info(EVENTS)).state.last_seq
    found: Log = []
    if not last:
        return found
    async with Feed(bus, EVENTS, "evt.>", after=0) as feed:
        async for message in feed:
            id = (message.headers or {}).get("Nats-Msg-Id", "")
            found.append((message.position, message.subject, message.data, id))
            if message.position == last:
                break
    return found


@asynccontextmanager
async def another_nats(directory: Path, limits: StreamLimits = SMALL) -> AsyncIterator[tuple[Nats, Bus]]:
    """An empty, provisioned server."""
    nats = Nats(directory)
    await nats.start()
    bus = await connect_patiently(nats.url, name="test")
    try:
        await provision(bus, limits)
        yield nats, bus
    finally:
        await bus.close()
        await nats.stop()
