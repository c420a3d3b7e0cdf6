"""The hub: one feed of a stream for the whole process, and the gap of a returning client by direct reads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

import structlog
from prometheus_client import Gauge

from services.gateway.live.render import ALL, Shown, show_event, show_output
from services.gateway.stream_reads import last_sequence, read_batch
from shared.contracts.kinds import TASK_SCOPED
from shared.contracts.subjects import BadAddress
from shared.event_store.envelope import BadEnvelope
from shared.nats.bus import Bus
from shared.nats.feed import Feed
from shared.nats.streams import EVENTS, OUTPUT
from shared.runtime.watcher import until_draining

GAPS_AT_ONCE: Final = 4
"""Gaps that are filled at one time; the other clients wait their turn."""

POSITION: Final = Gauge("journeyman_live_position", "Newest sequence handed to the sockets", ["stream"])

Show = Callable[[str, bytes, int], Shown | None]
Take = Callable[[Shown], None]
Send = Callable[[Shown], Awaitable[None]]

log = structlog.get_logger(__name__)


class Subscription:
    """What one socket wants of one stream: everything with one of the ``keys``.

    Up to ``floor`` all of it has been sent. ``take`` hands a message to the socket and must not block.
    """

    def __init__(self, take: Take) -> None:
        self.keys: frozenset[str] = frozenset()
        self.floor = 0
        self._take = take

    def offer(self, shown: Shown) -> None:
        """A live message that has one of the keys; it may be offered once for each of them."""
        if shown.seq > self.floor:
            self.floor = shown.seq
            self._take(shown)


class Hub:
    """Fans one stream out.

    ``subjects`` are what is read live. ``subject`` gives the filter for one key (``evt.*.<id>.>``), by which gaps are
    read; ``show`` leaves out what is not for sockets.
    """

    def __init__(
        self, bus: Bus, stream: str, subjects: Sequence[str], *, subject: Callable[[str], str], show: Show
    ) -> None:
        self._bus = bus
        self._stream = stream
        self._subjects = list(subjects)
        self._subject = subject
        self._show = show
        self._wanted: dict[str, set[Subscription]] = {}
        self._gaps = asyncio.Semaphore(GAPS_AT_ONCE)
        self._draining = asyncio.Event()
        self._position = POSITION.labels(stream)
        self.position = 0
        """The newest sequence that has been fanned out."""

    async def begin(self) -> None:
        """Take the stream's end as the place to go on from."""
        self.position = await self._bus.wait_for_jetstream(partial(last_sequence, self._bus, self._stream))

    async def run(self) -> None:
        """Fan out until `drain`."""
        await until_draining(self._draining, self._read())

    def drain(self) -> None:
        """Fan out no more."""
        self._draining.set()

    def leave(self, subscription: Subscription) -> None:
        """Offer it nothing more."""
        self.keep(subscription, frozenset())

    def keep(self, subscription: Subscription, keys: frozenset[str]) -> None:
        """Of what it has, offer it only what has one of these keys."""
        for key in subscription.keys - keys:
            others = self._wanted.get(key, set())
            others.discard(subscription)
            if not others:
                self._wanted.pop(key, None)
        subscription.keys &= keys

    async def join(self, subscription: Subscription, keys: frozenset[str], *, after: int | None, send: Send) -> None:
        """Add ``keys``, send what they have behind ``after`` in order, and go live; None means live at once.

        What the subscription already had of its other keys is not sent again. Raises `TimeoutError` or the
        connection's errors; the subscription is then without keys.
        """
        before = subscription.keys
        reached = max(subscription.floor, self.position) if before else self.position
        self.leave(subscription)
        wanted = before | keys
        position = reached

        def is_due(shown: Shown) -> bool:
            if shown.seq > reached:
                return _has(shown, wanted)
            return _has(shown, keys) and not _has(shown, before)

        if after is not None:
            async with self._gaps:
                position = await self._fill(await self._known(after, reached), wanted, is_due, send)
        # No await from the last look at `self.position` to here, so nothing can fall between the gap and live.
        subscription.floor = max(position, reached)
        subscription.keys = wanted
        for key in wanted:
            self._wanted.setdefault(key, set()).add(subscription)

    async def _fill(self, position: int, wanted: frozenset[str], is_due: Callable[[Shown], bool], send: Send) -> int:
        """Send what is due behind ``position``, up to the feed or beyond; returns how far."""
        subject = self._subject(next(iter(wanted)) if len(wanted) == 1 else ALL)
        while True:
            target = self.position
            batch = await read_batch(self._bus, self._stream, subject, start=position + 1)
            for message in batch.messages:
                position = message.position
                shown = self._shown(message.subject, message.data, message.position)
                if shown is not None and is_due(shown):
                    await send(shown)
            if not batch.pending:
                position = max(position, target)
                if position >= self.position:
                    return position

    async def _known(self, after: int, reached: int) -> int:
        """``after``, unless it lies behind the end of the stream: that client knew another log."""
        if after <= reached:
            return after
        return after if after <= await last_sequence(self._bus, self._stream) else reached

    async def _read(self) -> None:
        async with Feed(self._bus, self._stream, self._subjects, after=self.position) as feed:
            async for message in feed:
                shown = self._shown(message.subject, message.data, message.position)
                # Before the offers: who joins in between must find this one in the gap.
                self.position = message.position
                self._position.set(message.position)
                if shown is not None:
                    self._offer(shown)

    def _offer(self, shown: Shown) -> None:
        for key in shown.keys:
            if subscriptions := self._wanted.get(key):
                for subscription in tuple(subscriptions):
                    subscription.offer(shown)

    def _shown(self, subject: str, body: bytes, seq: int) -> Shown | None:
        try:
            return self._show(subject, body, seq)
        except (BadEnvelope, BadAddress, ValueError) as error:
            # A view leaves out what it cannot show; the services that act on it do not.
            log.warning("cannot be shown", stream=self._stream, seq=seq, problem=str(error))
            return None


def event_hub(bus: Bus) -> Hub:
    """What happens to tasks and in conversations. Deliveries are not read: they can be large, no socket wants them."""
    subjects = [f"evt.{kind}.*.*" for kind in (*TASK_SCOPED, "session")]
    return Hub(bus, EVENTS, subjects, subject=_events_of, show=show_event)


def _events_of(key: str) -> str:
    match key:
        case "*":
            return "evt.>"
        case "$sessions":
            return "evt.session.>"
        case _:
            return f"evt.*.{key}.>"


def output_hub(bus: Bus) -> Hub:
    """What agents say. One feed reads all of it for every watcher: one task's lines are few, and it costs no set-up."""
    return Hub(bus, OUTPUT, ["out.>"], subject=lambda key: "out.>" if key == ALL else f"out.*.{key}", show=show_output)


def _has(shown: Shown, keys: frozenset[str]) -> bool:
    return any(key in keys for key in shown.keys)
