"""The peer of a rebuild: the same stream read from its first event to its last, and nothing done with it."""

from __future__ import annotations

from shared.nats.bus import Bus
from shared.nats.feed import Feed
from shared.nats.streams import EVENTS


async def read_all(bus: Bus, last: int) -> int:
    """Read up to the stream sequence ``last``; returns the number of bytes."""
    size = 0
    async with Feed(bus, EVENTS, "evt.>", after=0) as feed:
        async for message in feed:
            size += len(message.data)
            if message.position >= last:
                return size
    raise AssertionError("a feed has no end")
