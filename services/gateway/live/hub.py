"""The hub: one feed of a stream for the whole process, and the gap of a returning client by direct reads."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import Final

import msgspec
import structlog
from prometheus_client import Histogram

from services.gateway.live.render import Shown
from shared.envelope import BadEnvelope
from shared.nats.bus import Bus
from shared.nats.feed import Feed
from shared.nats.reading import StoredMessage, last_sequence, read_behind
from shared.subjects import BadAddress

AT_ONCE: Final = 4
"""Gaps that are filled at one time; the others wait their turn."""

LAG: Final = Histogram(
    "journeyman_live_lag_seconds",
    "From a message's time in the log to its hand-over to the sockets",
    ["stream"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)

Show = Callable[[str, bytes, int], Shown | None]

log = structlog.get_logger(__name__)


class Subscription:
    """What one socket wants of one stream.

    Everything up to ``floor`` has been sent, or was not wanted. ``take`` must not block.
    """

    def __init__(self, take: Callable[[Shown], None]) -> None:
        self.keys: frozenset[str] = frozenset()
        self.floor = 0
        self._take = take

    def offer(self, shown: Shown) -> None:
        """A live message for one of the keys."""
        if shown.seq > self.floor:
            self.floor = shown.seq
            self._take(shown)
