"""JetStream's pull protocol: asking a consumer for messages, and understanding what the server says between them.

`Feed`, `StandingPull` and the projector's source read by it. Each keeps its own queue and its own way to go on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import Final

import msgspec
import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, ReplayPolicy

from shared.nats.bus import Bus
from shared.ops.timings import NatsTimings

INACTIVE_S: Final = 60.0
"""After so long without a pull the server removes an ephemeral consumer."""
RETRY_S: Final = 0.25

log = structlog.get_logger(__name__)


class Said(Enum):
    """What came over the subscription of a pull."""

    MESSAGE = auto()
    HEARTBEAT = auto()
    PULL_ENDED = auto()
    """The pull's time is over or its batch is full: ask again."""
    CONSUMER_LOST = auto()
    """The consumer is gone, or the server says what this protocol does not know: make the consumer anew."""


class Pull:
    """The standing pull of one consumer. Counts how many messages are ``wanted``: asked for and not yet here.

    ``max_bytes`` bounds one pull in bytes, 0 does not; ``expires_s`` is how long the server keeps it, by default
    the timings' ``pull_expires_s``.
    """

    def __init__(
        self,
        nc: Client,
        stream: str,
        consumer: str,
        inbox: str,
        timings: NatsTimings,
        *,
        max_bytes: int = 0,
        expires_s: float | None = None,
    ) -> None:
        self.wanted = 0
        self._nc = nc
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._inbox = inbox
        self._terms = {
            **({"max_bytes": max_bytes} if max_bytes else {}),
            "expires": int((timings.pull_expires_s if expires_s is None else expires_s) * 1e9),
            "idle_heartbeat": int(timings.heartbeat_s * 1e9),
        }

    async def ask(self, more: int) -> None:
        """Ask for ``more`` messages. Raises nats-py's errors."""
        self.wanted += more
        await self._nc.publish(self._subject, msgspec.json.encode({"batch": more, **self._terms}), reply=self._inbox)

    def took(self, count: int = 1) -> None:
        """So many of the messages came."""
        self.wanted -= count

    def read(self, message: Msg) -> Said:
        """What a message is. The end of a pull takes back what that pull still wanted."""
        if message.reply and "$JS.ACK" in message.reply:
            return Said.MESSAGE
        headers = message.headers or {}
        match headers.get("Status"):
            case "100":
                return Said.HEARTBEAT
            case "404" | "408" | "409" if "Consumer" not in headers.get("Description", ""):
                self.wanted -= int(headers.get("Nats-Pending-Messages", self.wanted))
                return Said.PULL_ENDED
            case _:
                return Said.CONSUMER_LOST


def silence_s(timings: NatsTimings) -> float:
    """Seconds without a message and without a heartbeat after which a pull is in doubt.

    NATS refuses a pull that does not last for two heartbeats, so this is also the shortest pull.
    """
    return timings.heartbeat_s * 2.5


async def next_of(queue: asyncio.Queue[Msg | None], within_s: float | None) -> Msg | None:
    """The next message, or None when the consumer is in doubt: somebody put None, or nothing came within that time."""
    if queue.qsize():
        # A timer for each message would cost more than the message itself.
        return queue.get_nowait()
    try:
        # Not wait_for: in Python 3.11 it swallows a cancellation that comes with the message.
        async with asyncio.timeout(within_s):
            return await queue.get()
    except TimeoutError:
        return None


async def until_done(attempt: Callable[[], Awaitable[None]], what: str, stop: asyncio.Event | None = None) -> None:
    """Try again until NATS lets ``attempt`` succeed or ``stop`` is set; other errors are raised."""
    stop = stop or asyncio.Event()
    while not stop.is_set():
        try:
            await attempt()
            return
        except (TimeoutError, OSError, nats.errors.Error) as error:
            log.debug("cannot read yet", what=what, error=str(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RETRY_S):
                    await stop.wait()


def reading_after(position: int, filters: list[str] | None = None) -> ConsumerConfig:
    """An ephemeral consumer that sends what is stored behind ``position``, in order, and wants no acknowledgement."""
    return ConsumerConfig(
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=position + 1,
        ack_policy=AckPolicy.NONE,
        replay_policy=ReplayPolicy.INSTANT,
        filter_subjects=filters,
        inactive_threshold=INACTIVE_S,
        mem_storage=True,
        num_replicas=1,
        max_waiting=16,
    )


async def end_reading(bus: Bus, stream: str, consumer: str, subscription: Subscription | None) -> None:
    """End a subscription and remove its ephemeral consumer, as far as NATS can be reached."""
    with contextlib.suppress(TimeoutError, nats.errors.Error):
        if subscription is not None:
            await subscription.unsubscribe()
        if consumer and bus.connected:
            await bus.js.delete_consumer(stream, consumer)
