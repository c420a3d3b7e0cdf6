"""The peer of the dashboard's socket: the same events straight out of the log, through the feed every service uses."""

from __future__ import annotations

import time

from shared.nats.bus import Bus
from shared.nats.feed import Feed
from shared.nats.streams import EVENTS


async def watch(bus: Bus, after: int, arrived: dict[int, float]) -> None:
    """Note the time at which each event arrives, by stream sequence, until cancelled."""
    async with Feed(bus, EVENTS, "evt.>", after=after) as feed:
        async for message in feed:
            arrived[message.position] = time.perf_counter()
