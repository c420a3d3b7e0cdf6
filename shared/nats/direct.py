"""Batch direct get (ADR-31): many stored messages for one request, and never a part of them without a word.

The package jetstreamext ends such a read silently when the server goes away in the middle of it; half an actor, or
none, would then be taken for all of it.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final, NamedTuple

import msgspec
import nats.errors
from nats.aio.msg import Msg

from shared.nats.bus import Bus

STORED: Final = "Journeyman-Stored"
"""Header of a message that came back from an archive: when it was stored first (RFC 3339, UTC)."""


class Direct(NamedTuple):
    """One stored message: subject, stream sequence and body; ``time`` is when it was stored first (RFC 3339, UTC).

    ``restored`` says that it came back from an archive.
    """

    subject: str
    position: int
    data: bytes
    time: str = ""
    restored: bool = False

    @property
    def stored(self) -> datetime:
        """When it was stored (UTC)."""
        return datetime.fromisoformat(self.time)


class Batch(NamedTuple):
    """Messages in order, and how many that fit are still behind them."""

    messages: list[Direct]
    pending: int


async def get_batch(bus: Bus, stream: str, subject: str, *, start: int, limit: int) -> Batch:
    """The messages under ``subject`` from a stream sequence on: at most ``limit``, and about ``max_read_bytes``.

    Raises `TimeoutError` when the server falls silent before the end, and nats-py's `NoRespondersError`.
    """
    arrived: asyncio.Queue[Msg] = asyncio.Queue()  # the server sends no more than was asked for

    async def take(message: Msg) -> None:
        arrived.put_nowait(message)

    nc = bus.nc
    inbox = nc.new_inbox()
    subscription = await nc.subscribe(inbox, cb=take, pending_msgs_limit=-1, pending_bytes_limit=-1)
    try:
        request = {"batch": limit, "max_bytes": bus.limits.max_read_bytes, "seq": start, "next_by_subj": subject}
        await nc.publish(f"$JS.API.DIRECT.GET.{stream}", msgspec.json.encode(request), reply=inbox)
        found: list[Direct] = []
        while True:
            # A timer for each message would cost more than the message itself.
            message = arrived.get_nowait() if arrived.qsize() else await _next(arrived, bus.timings.read_silence_s)
            headers = message.headers or {}
            match headers.get("Status"):
                case None:
                    found.append(
                        Direct(
                            headers["Nats-Subject"],
                            int(headers["Nats-Sequence"]),
                            message.data,
                            headers.get(STORED, headers["Nats-Time-Stamp"]),
                            STORED in headers,
                        )
                    )
                case "204":
                    return Batch(found, int(headers.get("Nats-Num-Pending", 0)))
                case "404":
                    return Batch(found, 0)
                case "503":
                    raise nats.errors.NoRespondersError
                case status:
                    raise nats.errors.Error(f"direct get: {status} {headers.get('Description', '')}".rstrip())
    finally:
        if not nc.is_closed:
            await subscription.unsubscribe()


async def _next(arrived: asyncio.Queue[Msg], within_s: float) -> Msg:
    async with asyncio.timeout(within_s):
        return await arrived.get()
