"""A durable consumer read by a standing pull: re-pulls after reconnects and missed heartbeats, drains on request.

A replacement for nats-py's ``fetch``, which makes a task and a timer per message and waits out its whole time when
the server dies (measured; see the project's docs/architecture.md).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import nats.errors
import structlog
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from shared.nats.bus import Bus
from shared.nats.consumer import Pull, Said, next_of, silence_s, until_done

log = structlog.get_logger(__name__)


Handler = Callable[[Msg], Awaitable[None]]


class StandingPull:
    """Hands the messages of one durable consumer to ``handler``, at most ``concurrency`` at once.

    With ``concurrency`` 1 the handler is awaited before the next message is looked at. ``ahead`` messages may be asked
    for beyond what is being handled; with a consumer's ``max_ack_pending`` of 1 that costs nothing and saves pulls.
    The handler acknowledges; an exception it raises is logged, and the message comes again after the ack wait.
    """

    def __init__(
        self,
        bus: Bus,
        stream: str,
        durable: str,
        filters: list[str],
        handler: Handler,
        *,
        ack_wait_s: float,
        max_ack_pending: int,
        concurrency: int = 1,
        ahead: int = 0,
    ) -> None:
        self.durable = durable
        self.running: set[asyncio.Task[None]] = set()
        self._pulls: set[asyncio.Task[None]] = set()
        self._bus = bus
        self._stream = stream
        self._config = ConsumerConfig(
            durable_name=durable,
            filter_subjects=filters,
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ack_wait_s,
            max_ack_pending=max_ack_pending,
            max_deliver=-1,
            max_waiting=512,
        )
        self._handler = handler
        self._concurrency = concurrency
        self._ahead = ahead
        # A stopped worker must not be given its own redelivered message by a pull request that it left open.
        shortest_s, longest_s = silence_s(bus.timings), bus.timings.pull_expires_s
        self._expires_s = max(shortest_s, min(longest_s, ack_wait_s / 2)) if concurrency > 1 else longest_s
        self._queue: asyncio.Queue[Msg | None] = asyncio.Queue()
        self._pull: Pull | None = None
        self._subscription: Subscription | None = None
        self._draining = asyncio.Event()

    async def run(self) -> None:
        """Consume until `drain`; then wait for the handlers that are at work."""
        forget = self._bus.on_reconnect(lambda: self._queue.put_nowait(None))
        try:
            await self._begin_again()
            while not self._draining.is_set():
                await self._step()
        finally:
            forget()
            if self._subscription is not None:
                await self._bus.leave(self._subscription)
            await self._give_back()
        if self.running:
            await asyncio.wait(self.running)

    def drain(self) -> None:
        """Take no further message; `run` returns when the handlers at work are done."""
        self._draining.set()
        self._queue.put_nowait(None)

    async def _step(self) -> None:
        # With every slot taken no pull stands, so no heartbeat comes either.
        standing = self._pull is not None and self._pull.wanted > 0
        message = await next_of(self._queue, silence_s(self._bus.timings) if standing else None)
        if message is None or self._pull is None:
            await self._begin_again()
            return
        match self._pull.read(message):
            case Said.MESSAGE:
                self._pull.took()
                await self._take(message)
            case Said.HEARTBEAT:
                pass
            case Said.PULL_ENDED:
                await self._ask()
            case Said.CONSUMER_LOST:
                await self._begin_again()

    async def _take(self, message: Msg) -> None:
        if self._concurrency == 1:
            await self._handle(message)
            await self._ask()
            return
        task = asyncio.create_task(self._handle(message))
        self.running.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self.running.discard(task)
        if not self._draining.is_set():
            pull = asyncio.create_task(self._ask())
            self._pulls.add(pull)
            pull.add_done_callback(self._pulls.discard)

    async def _handle(self, message: Msg) -> None:
        try:
            await self._handler(message)
        except Exception:
            log.exception("a handler failed", consumer=self.durable, subject=message.subject)

    async def _ask(self) -> None:
        pull = self._pull
        if pull is None or self._draining.is_set():
            return
        more = self._concurrency + self._ahead - len(self.running) - self._queue.qsize() - pull.wanted
        # Asking late saves most pulls where messages may be asked for ahead.
        if more <= self._ahead // 2:
            return
        with contextlib.suppress(nats.errors.Error):
            await pull.ask(more)

    async def _begin_again(self) -> None:
        await until_done(self._renew, self.durable, self._draining)

    async def _renew(self) -> None:
        await self._unsubscribe()
        await self._give_back()
        await self._begin()

    async def _begin(self) -> None:
        await self._bus.js.add_consumer(self._stream, self._config)
        queue: asyncio.Queue[Msg | None] = asyncio.Queue()
        self._queue = queue

        async def take(message: Msg) -> None:
            queue.put_nowait(message)

        self._subscription = await self._bus.nc.subscribe(self._bus.nc.new_inbox(), cb=take)
        self._pull = Pull(
            self._bus.nc,
            self._stream,
            self.durable,
            self._subscription.subject,
            self._bus.timings,
            expires_s=self._expires_s,
        )
        await self._ask()

    async def _unsubscribe(self) -> None:
        subscription, self._subscription = self._subscription, None
        self._pull = None
        with contextlib.suppress(TimeoutError, nats.errors.Error):
            if subscription is not None:
                await subscription.unsubscribe()

    async def _give_back(self) -> None:
        """Messages that came but were not begun go back at once, instead of after the ack wait."""
        with contextlib.suppress(TimeoutError, nats.errors.Error):
            while self._queue.qsize():
                message = self._queue.get_nowait()
                if message is not None and message.reply and "$JS.ACK" in message.reply:
                    await message.nak()
