"""Reading stored messages directly: for gaps and transcripts, without a consumer for each reader."""

from __future__ import annotations

from typing import Final, NamedTuple

from jetstreamext import NoMessagesError, get_batch

from shared.nats.bus import Bus

BATCH: Final = 500
BATCH_BYTES: Final = 4 << 20


class Stored(NamedTuple):
    """One stored message: subject, stream sequence, body."""

    subject: str
    seq: int
    body: bytes


class Batch(NamedTuple):
    """Messages in order; ``last`` says that nothing that fits is stored behind them."""

    messages: list[Stored]
    last: bool


async def read_behind(bus: Bus, stream: str, subject: str, after: int, *, limit: int = BATCH) -> Batch:
    """At most ``limit`` messages that fit ``subject`` behind sequence ``after``, by batch direct get.

    Raises `TimeoutError` or the connection's errors.
    """
    messages: list[Stored] = []
    pending = "0"
    try:
        async for message in get_batch(
            bus.js, stream, batch=limit, seq=after + 1, subject=subject, max_bytes=BATCH_BYTES
        ):
            messages.append(Stored(message.subject or "", message.seq or 0, message.data or b""))
            pending = (message.headers or {}).get("Nats-Num-Pending", "0")
    except NoMessagesError:
        return Batch(messages, True)
    return Batch(messages, pending == "0")


async def last_sequence(bus: Bus, stream: str) -> int:
    """The newest sequence of a stream, 0 when it is empty."""
    return int((await bus.js.stream_info(stream)).state.last_seq)
