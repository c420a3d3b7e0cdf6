"""Reading what is stored, for gaps and transcripts: directly, without a consumer for each reader."""

from __future__ import annotations

from typing import Final

from shared.nats.bus import Bus

BATCH: Final = 500
"""Messages of one direct read."""


async def last_sequence(bus: Bus, stream: str) -> int:
    """The newest sequence of a stream, 0 when nothing was ever stored. Raises the connection's errors."""
    return int((await bus.js.stream_info(stream)).state.last_seq)
