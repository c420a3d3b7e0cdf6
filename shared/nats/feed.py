"""Reading a stream from a position on: in order, each message once, without end, across reconnects.

A replacement for nats-py's ordered consumer, which loses messages on local overflow and stalls after a server
restart (measured; see the project's docs/architecture.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from types import TracebackType
from typing import Final, NamedTuple, Self

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from shared.event_store.journal import LogDamaged
from shared.nats.bus import Bus
from shared.nats.consumer import Pull, Said, end_reading, next_of, reading_after, silence_s, until_done

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

    ``batch`` bounds what is buffered here; the limits' ``max_read_bytes`` bounds it in bytes. With ``last``, the
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
        self._max_bytes = bus.limits.max_read_bytes
        self._last = last
        self._silence = 0
        self._queue: asyncio.Queue[Msg | None] = asyncio.Queue()
        self._subscription: Subscription | None = None
        self._consumer = ""
        self._pull: Pull | None = None
        self._delivered = 0
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
            message, pull = await self._next(), self._pull
            if message is None or pull is None:
                await self._begin_again()
                continue
            metadata = message.metadata
            if metadata.sequence.consumer != self._delivered + 1:
                await self._begin_again()
                continue
            self._delivered += 1
            self._silence = 0
            pull.took()
            self._position = metadata.sequence.stream
            if pull.wanted <= self._batch // 2:
                await self._ask(pull)
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
        while (pull := self._pull) is not None:
            message = await next_of(self._queue, silence_s(self._bus.timings))
            if message is None:
                return None
            match pull.read(message):
                case Said.MESSAGE:
                    return message
                case Said.HEARTBEAT:
                    self._silence += 1
                    if self._position < self._last and self._silence >= MOST_HEARTBEATS:
                        raise LogDamaged(unreadable(self._position + 1, self._last))
                case Said.PULL_ENDED:
                    await self._ask(pull)
                case Said.CONSUMER_LOST:
                    return None
        return None

    async def _leave(self) -> None:
        self._forget_reconnects()
        await self._end()

    async def _begin_again(self) -> None:
        await until_done(self._renew, f"feed of {self._stream}")

    async def _renew(self) -> None:
        await self._end()
        await self._begin()

    async def _begin(self) -> None:
        queue: asyncio.Queue[Msg | None] = asyncio.Queue()
        self._queue = queue
        self._delivered = 0

        async def take(message: Msg) -> None:
            queue.put_nowait(message)

        self._subscription = await self._bus.nc.subscribe(
            self._bus.nc.new_inbox(), cb=take, pending_msgs_limit=-1, pending_bytes_limit=-1
        )
        info = await self._bus.js.add_consumer(self._stream, reading_after(self._position, self._filters))
        self._consumer = info.name
        self._pull = Pull(
            self._bus.nc,
            self._stream,
            info.name,
            self._subscription.subject,
            self._bus.timings,
            max_bytes=self._max_bytes,
        )
        await self._ask(self._pull)

    async def _ask(self, pull: Pull) -> None:
        if (more := self._batch - pull.wanted) > 0:
            await pull.ask(more)

    async def _end(self) -> None:
        subscription, self._subscription = self._subscription, None
        consumer, self._consumer = self._consumer, ""
        self._pull = None
        await end_reading(self._bus, self._stream, consumer, subscription)
