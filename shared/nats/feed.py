"""Reading a stream from a position on: in order, each message once, without end, across reconnects.

A replacement for nats-py's ordered consumer, which loses messages on local overflow and stalls after a server
restart (measured; see the project's docs/architecture.md).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from types import TracebackType
from typing import Final, NamedTuple, Self

import msgspec
import nats.errors
import nats.js.errors
import structlog
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, ReplayPolicy

from shared.journal import LogDamaged
from shared.nats.bus import Bus

log = structlog.get_logger(__name__)

HEARTBEAT_S: Final = 1.0
EXPIRES_S: Final = 30.0
INACTIVE_S: Final = 60.0
MOST_HEARTBEATS: Final = 3
"""A server that has messages to give does not send so many of them in a row."""


class FeedMessage(NamedTuple):
    """One stored message: its subject, stream sequence, headers and body, and when it was stored (UTC).

    ``pending`` counts those still behind it.
    """

    subject: str
    position: int
    data: bytes
    headers: dict[str, str] | None
    pending: int
    time: datetime


def unreadable(first: int, last: int) -> str:
    """The sentence for events that were stored and are not there any more."""
    return f"The events {first} to {last} cannot be read any more: the log is damaged. Restore it from its archive."


class Feed:
    """An ephemeral consumer with a standing pull. After any doubt (missed heartbeat, reconnect, a gap in the
    consumer's own count) it makes a new consumer behind the last message it has handed out.

    ``batch`` bounds what is buffered here; the bounds' ``max_read_bytes`` bounds it in bytes. With ``last``, the
    position of the log's newest message, it raises `LogDamaged` when the server is there but cannot give the messages
    up to it.
    """

    def __init__(
        self,
        bus: Bus,
        stream: str,
        filters: str | list[str],
        *,
        after: int,
        batch: int = 500,
        last: int = 0,
    ) -> None:
        self._bus = bus
        self._stream = stream
        self._filters = [filters] if isinstance(filters, str) else filters
        self._position = after
        self._batch = batch
        self._max_bytes = bus.bounds.max_read_bytes
        self._last = last
        self._silence = 0
        self._queue: asyncio.Queue[Msg | None] = asyncio.Queue()
        self._subscription: Subscription | None = None
        self._consumer = ""
        self._delivered = 0
        self._wanted = 0
        self._forget_reconnects: Callable[[], None] = lambda: None

    async def __aenter__(self) -> Self:
        self._forget_reconnects = self._bus.on_reconnect(lambda: self._queue.put_nowait(None))
        try:
            await self._begin()
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leave()

    @property
    def position(self) -> int:
        """The stream sequence of the last message handed out."""
        return self._position

    async def __aiter__(self) -> AsyncIterator[FeedMessage]:
        while True:
            message = await self._next()
            if message is None:
                await self._begin_again()
                continue
            metadata = message.metadata
            if metadata.sequence.consumer != self._delivered + 1:
                await self._begin_again()
                continue
            self._delivered += 1
            self._silence = 0
            self._wanted -= 1
            self._position = metadata.sequence.stream
            if self._wanted <= self._batch // 2:
                await self._pull()
            yield FeedMessage(
                message.subject,
                metadata.sequence.stream,
                message.data,
                message.headers,
                metadata.num_pending,
                metadata.timestamp,
            )

    async def _next(self) -> Msg | None:
        """The next message of the current consumer, or None when the consumer must be made anew."""
        while True:
            try:
                # A timer for each message would cost more than the message itself.
                message = self._queue.get_nowait() if self._queue.qsize() else await self._wait()
            except TimeoutError:
                return None
            if message is None:
                return None
            if message.data or not message.headers:
                return message
            match message.headers.get("Status"):
                case None:
                    return message
                case "100":
                    self._silence += 1
                    if self._position < self._last and self._silence >= MOST_HEARTBEATS:
                        raise LogDamaged(unreadable(self._position + 1, self._last))
                    continue
                case "404" | "408" | "409" if "Consumer" not in message.headers.get("Description", ""):
                    # A pull has ended: its time is over or its batch is full.
                    self._wanted -= int(message.headers.get("Nats-Pending-Messages", self._wanted))
                    await self._pull()
                case _:
                    return None

    async def _wait(self) -> Msg | None:
        # Not wait_for: in Python 3.11 it swallows a cancellation that comes with the message.
        async with asyncio.timeout(HEARTBEAT_S * 2.5):
            return await self._queue.get()

    async def _leave(self) -> None:
        self._forget_reconnects()
        await self._end()

    async def _begin_again(self) -> None:
        while True:
            await self._end()
            try:
                await self._begin()
                return
            except (TimeoutError, OSError, nats.errors.Error) as error:
                log.debug("feed cannot begin yet", stream=self._stream, error=str(error))
                await asyncio.sleep(0.25)

    async def _begin(self) -> None:
        queue: asyncio.Queue[Msg | None] = asyncio.Queue()
        self._queue = queue
        self._delivered = self._wanted = 0

        async def take(message: Msg) -> None:
            queue.put_nowait(message)

        self._subscription = await self._bus.nc.subscribe(
            self._bus.nc.new_inbox(), cb=take, pending_msgs_limit=-1, pending_bytes_limit=-1
        )
        info = await self._bus.js.add_consumer(
            self._stream,
            ConsumerConfig(
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=self._position + 1,
                ack_policy=AckPolicy.NONE,
                replay_policy=ReplayPolicy.INSTANT,
                filter_subjects=self._filters,
                inactive_threshold=INACTIVE_S,
                mem_storage=True,
                num_replicas=1,
                max_waiting=16,
            ),
        )
        self._consumer = info.name
        await self._pull()

    async def _pull(self) -> None:
        assert self._subscription is not None
        more = self._batch - self._wanted
        if more <= 0:
            return
        self._wanted += more
        request = {
            "batch": more,
            "max_bytes": self._max_bytes,
            "expires": int(EXPIRES_S * 1e9),
            "idle_heartbeat": int(HEARTBEAT_S * 1e9),
        }
        await self._bus.nc.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._consumer}",
            msgspec.json.encode(request),
            reply=self._subscription.subject,
        )

    async def _end(self) -> None:
        subscription, self._subscription = self._subscription, None
        consumer, self._consumer = self._consumer, ""
        with contextlib.suppress(TimeoutError, nats.errors.Error):
            if subscription is not None:
                await subscription.unsubscribe()
            if consumer and self._bus.connected:
                await self._bus.js.delete_consumer(self._stream, consumer)
