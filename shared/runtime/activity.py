"""The activity: the only place with effects. The message that asks for it is held for as long as the work takes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Final

import nats.errors
import structlog
from nats.aio.msg import Msg

from shared.event_store.envelope import RecordedEvent, decode_event
from shared.nats.bus import Bus
from shared.nats.pull import StandingPull
from shared.nats.streams import EVENTS
from shared.ops import metrics
from shared.ops.crash_points import crash_point
from shared.ops.timings import PRODUCTION
from shared.runtime.acknowledge import RetryPolicy, acknowledge

TICK_S: Final = 0.25
DISTRUST_S: Final = 1.0
"""After this process stood still: how long its buffered messages are left alone, for another worker has them."""

log = structlog.get_logger(__name__)


class ActivityContext:
    """One delivery of the work to this instance. ``delivered`` counts them; ``draining`` is set when it must leave."""

    def __init__(self, delivered: int, draining: asyncio.Event) -> None:
        self.delivered = delivered
        self.draining = draining


class HandOver(BaseException):
    """The handler leaves its work to the next worker: the message is redelivered, at once when this service drains.

    Also for a worker that was overtaken: its acknowledgement would take the message from the worker that has it now.
    """


ActivityHandler = Callable[[RecordedEvent, ActivityContext], Awaitable[None]]
GiveUp = Callable[[RecordedEvent, str], Awaitable[None]]
"""Reports that the work has failed for good, with the reason; the actor would wait for ever otherwise."""


class Activity:
    """A durable consumer on one event type, with ``slots`` pieces of work at once in this instance.

    Returning acknowledges. An exception brings the message back with backoff, and parks it after some tries.
    """

    def __init__(
        self,
        bus: Bus,
        work: ActivityHandler,
        *,
        service: str,
        name: str,
        event: str,
        slots: int,
        give_up: GiveUp | None = None,
        tries: RetryPolicy | None = None,
        ack_wait_s: float = PRODUCTION.activity_ack_wait_s,
    ) -> None:
        self._bus = bus
        self._work = work
        self._give_up = give_up
        self.name = f"{service}-{name}"
        self._tries = tries or RetryPolicy(most=bus.limits.max_activity_tries, waits_s=(1.0, 3.0, 10.0))
        self._ack_wait_s = ack_wait_s
        self._distrust_until = 0.0
        self._draining = asyncio.Event()
        metrics.SLOTS.labels(self.name).set(slots)
        metrics.ACTIVE.labels(self.name).set(0)
        self.pull = StandingPull(
            bus,
            EVENTS,
            self.name,
            [event],
            self._take,
            ack_wait_s=ack_wait_s,
            max_ack_pending=bus.limits.max_held_messages,
            concurrency=slots,
        )

    async def run(self) -> None:
        """Take work until `drain`; then wait for what is going on."""
        watching = asyncio.create_task(self._watch_clock())
        try:
            await self.pull.run()
        finally:
            watching.cancel()

    def drain(self) -> None:
        """Take no more work, and ask the work that is going on to finish or hand over."""
        self._draining.set()
        self.pull.drain()

    async def _watch_clock(self) -> None:
        """Notice that the whole process stood still: messages that came meanwhile have gone to other workers since."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(TICK_S)
            if time.monotonic() - before > TICK_S + self._ack_wait_s / 2:
                log.warning("stood still", activity=self.name, seconds=round(time.monotonic() - before, 1))
                self._distrust_until = time.monotonic() + DISTRUST_S

    async def _take(self, message: Msg) -> None:
        if time.monotonic() < self._distrust_until:
            # Not acknowledged: if nobody else has it, it comes again after the ack wait.
            log.info("left to others", activity=self.name, subject=message.subject)
            return
        beating = asyncio.create_task(self._hold(message))
        try:
            with metrics.ACTIVE.labels(self.name).track_inprogress(), metrics.WORKING.labels(self.name).time():
                await acknowledge(
                    self._bus,
                    message,
                    self._handle,
                    consumer=self.name,
                    retry=self._tries,
                    give_up=self._fail if self._give_up is not None else None,
                )
        except HandOver:
            log.info("handed over", activity=self.name, subject=message.subject)
            if self._draining.is_set():
                # Nobody need wait for the ack wait. Was it somebody else's already, they get it again and go on.
                with contextlib.suppress(nats.errors.Error):
                    await message.nak()
        finally:
            beating.cancel()

    async def _fail(self, message: Msg, reason: str) -> None:
        assert self._give_up is not None
        await self._give_up(decode_event(message.subject, message.data, message.metadata.sequence.stream), reason)

    async def _handle(self, message: Msg) -> None:
        metadata = message.metadata
        await self.handle(message.subject, message.data, metadata.sequence.stream, metadata.num_delivered)

    async def handle(self, subject: str, body: bytes, position: int, delivered: int = 1) -> None:
        """Do the work that one stored event asks for; raises what the decoder and the work raise."""
        event = decode_event(subject, body, position)
        with structlog.contextvars.bound_contextvars(task_id=event.actor.id):
            crash_point("activity.taken")
            await self._work(event, ActivityContext(delivered, self._draining))
            crash_point("activity.worked")

    async def _hold(self, message: Msg) -> None:
        """A sign of life to the server; a worker that stops giving it loses the work to another one."""
        while True:
            await asyncio.sleep(self._ack_wait_s / 4)
            with contextlib.suppress(nats.errors.Error, TimeoutError, OSError):
                await message.in_progress()
