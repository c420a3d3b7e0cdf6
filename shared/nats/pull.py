"""A durable consumer read by a standing pull: re-pulls after reconnects and missed heartbeats, drains on request.

A replacement for nats-py's ``fetch``, which makes a task and a timer per message and waits out its whole time when
the server dies (measured; see the project's docs/architecture.md).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import nats.errors
import nats.js.errors
import structlog
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from shared.nats.bus import Bus

log = structlog.get_logger(__name__)

HEARTBEAT_S: Final = 1.0
EXPIRES_S: Final = 30.0
SHORTEST_S: Final = 2.5 * HEARTBEAT_S
"""NATS refuses a pull that does not last for two heartbeats."""

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
        # A worker that stands still must not be given again, by a pull it left standing, what was taken from it.
        self._expires_s = max(SHORTEST_S, min(EXPIRES_S, ack_wait_s / 2)) if concurrency > 1 else EXPIRES_S
        self._queue: asyncio.Queue[Msg | None] = asyncio.Queue()
        self._wanted = 0
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
        try:
            message = self._queue.get_nowait() if self._queue.qsize() else await self._wait()
        except TimeoutError:
            message = None
        if message is None:
            if not self._draining.is_set():
                await self._begin_again()
            return
        if message.reply and "$JS.ACK" in message.reply:
            self._wanted -= 1
            await self._take(message)
            return
        headers = message.headers or {}
        match headers.get("Status"):
            case "100":
                return
            case "404" | "408" | "409" if "Consumer" not in headers.get("Description", ""):
                self._wanted -= int(headers.get("Nats-Pending-Messages", self._wanted))
                await self._pull()
            case _:
                await self._begin_again()

    async def _wait(self) -> Msg | None:
        # With every slot taken no pull stands, so no heartbeat comes either.
        # Not wait_for: in Python 3.11 it swallows a cancellation that comes with the message.
        async with asyncio.timeout(HEARTBEAT_S * 2.5 if self._wanted > 0 else None):
            return await self._queue.get()

    async def _take(self, message: Msg) -> None:
        if self._concurrency == 1:
            await self._handle(message)
            await self._pull()
            return
        task = asyncio.create_task(self._handle(message))
        self.running.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self.running.discard(task)
        if not self._draining.is_set():
            pull = asyncio.create_task(self._pull())
            self._pulls.add(pull)
            pull.add_done_callback(self._pulls.discard)

    async def _handle(self, message: Msg) -> None:
        try:
            await self._handler(message)
        except Exception:
            log.exception("a handler failed", consumer=self.durable, subject=message.subject)

    async def _pull(self) -> None:
        if self._subscription is None or self._draining.is_set():
            return
        more = self._concurrency + self._ahead - len(self.running) - self._queue.qsize() - self._wanted
        # Asking late saves most pulls where messages may be asked for ahead.
        if more <= self._ahead // 2:
            return
        self._wanted += more
        request = {"batch": more, "expires": int(self._expires_s * 1e9), "idle_heartbeat": int(HEARTBEAT_S * 1e9)}
        with contextlib.suppress(nats.errors.Error):
            await self._bus.nc.publish(
                f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self.durable}",
                msgspec.json.encode(request),
                reply=self._subscription.subject,
            )

    async def _begin_again(self) -> None:
        while not self._draining.is_set():
            await self._unsubscribe()
            await self._give_back()
            try:
                await self._begin()
                return
            except (TimeoutError, OSError, nats.errors.Error) as error:
                log.debug("consumer cannot begin yet", consumer=self.durable, error=str(error))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._draining.wait(), 0.25)

    async def _begin(self) -> None:
        await self._bus.js.add_consumer(self._stream, self._config)
        queue: asyncio.Queue[Msg | None] = asyncio.Queue()
        self._queue = queue
        self._wanted = 0

        async def take(message: Msg) -> None:
            queue.put_nowait(message)

        self._subscription = await self._bus.nc.subscribe(self._bus.nc.new_inbox(), cb=take)
        await self._pull()

    async def _unsubscribe(self) -> None:
        subscription, self._subscription = self._subscription, None
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
