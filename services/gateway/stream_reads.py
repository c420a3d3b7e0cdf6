"""Reading what is stored, for gaps and transcripts: directly, without a consumer for each reader."""

from __future__ import annotations

from typing import Final

from shared.nats.bus import Bus
from shared.nats.direct import Batch, get_batch

BATCH: Final = 500
"""Messages of one direct read."""
TRIES: Final = 3


async def read_batch(bus: Bus, stream: str, subject: str, *, start: int, limit: int = BATCH) -> Batch:
    """What `get_batch` gives, and raises when the server stays silent: asked once, it may only stand still."""
    for _ in range(TRIES - 1):
        try:
            return await get_batch(bus, stream, subject, start=start, limit=limit)
        except TimeoutError:
            continue
    return await get_batch(bus, stream, subject, start=start, limit=limit)


async def last_sequence(bus: Bus, stream: str) -> int:
    """The newest sequence of a stream, 0 when nothing was ever stored. Raises the connection's errors."""
    return int((await bus.js.stream_info(stream)).state.last_seq)
