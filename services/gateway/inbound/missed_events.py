"""What a sender could not deliver is asked for: what is found comes in by the same door as a delivery.

A webhook and our asking about the same happening are one delivery, because both are known by what happened. Up to which
moment was asked stands in NATS, by the sender's own clock, and moves on only when everything before it stands in the
log: a gateway that dies in between asks again, and a second gateway does no harm. The first time nothing is asked for:
what was there before us is no work.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final, Protocol

import msgspec
import structlog
from prometheus_client import Counter

from services.gateway.inbound.acceptance import Acceptance, Delivery
from services.gateway.inbound.rereading import understood
from services.gateway.inbound.sender import Ignored, Sender, Unreadable
from services.gateway.inbound.text import one_line, visible
from services.gateway.outbound.displays import CannotShow
from shared.ops.config import Config
from shared.ops.known_secrets import without_secrets
from shared.runtime.acknowledge import TRANSIENT

EVERY_S: Final = 60.0
FAILED_S: Final = 15.0
"""A look that failed is tried again after that time; until a limit ends, the sender is not asked for that."""
FAILURES: Final = 3
"""So many passing failures in a row are told as a problem; one of a sender that refuses us is told at once."""
AGAIN_S: Final = 300.0
"""So much of what was asked for is asked for once more, for what the sender's search knew of only later."""

LOOKS: Final = Counter("journeyman_missed_event_looks_total", "Looks for missed events", ["sender", "outcome"])
FOUND: Final = Counter("journeyman_missed_events_total", "Events that no webhook had brought", ["sender"])

log = structlog.get_logger(__name__)


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened there, with the body that the webhook about it has."""

    event: str
    body: bytes


class Source(Protocol):
    """One sender that can be asked. Calls raise `CannotShow` and `NotNow`.

    What is younger than ``late_s`` is not asked for: until then its webhook may come, and the sender's search may not
    know of it.
    """

    @property
    def late_s(self) -> float:
        """See above."""
        ...

    async def now(self) -> float:
        """The sender's own time, in seconds since 1970."""
        ...

    def happened(self, since: float, until: float) -> AsyncIterator[Happening]:
        """What happened after ``since`` and not after ``until``, by the sender's own time; of each thing in order."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class Positions(Protocol):
    """See `shared.nats.positions.Positions`."""

    async def get(self, name: str) -> float | None:
        """See `shared.nats.positions.Positions.get`."""
        ...

    async def put(self, name: str, at: float) -> None:
        """See `shared.nats.positions.Positions.put`."""
        ...


class MissedEvents:
    """Asks one sender now and then. ``sender`` is its adapter."""

    def __init__(
        self,
        name: str,
        source: Source,
        *,
        sender: Sender,
        acceptance: Acceptance,
        positions: Positions,
        config: Callable[[], Config],
        every_s: float = EVERY_S,
    ) -> None:
        self._name = name
        self._source = source
        self._sender = sender
        self._acceptance = acceptance
        self._positions = positions
        self._config = config
        self._every_s = every_s
        self._leaving = asyncio.Event()
        self._failures = 0
        self.problem = ""
        """Why it is not asked at present, for people; empty while all is well."""

    async def run(self) -> None:
        """Ask, then wait, until `drain`. What fails is logged and told, and asked for again the next time."""
        while not self._leaving.is_set():
            wait_s = self._every_s
            try:
                await self.look()
                LOOKS.labels(self._name, "done").inc()
                self._failures, self.problem = 0, ""
            except (CannotShow, *TRANSIENT) as error:
                wait_s = wait_s if isinstance(error, CannotShow) else min(wait_s, FAILED_S)
                LOOKS.labels(self._name, "failed").inc()
                self._failures += 1
                if isinstance(error, CannotShow) or self._failures >= FAILURES:
                    self.problem = _told(error)
                log.warning(
                    "a sender was not asked for missed events",
                    sender=self._name,
                    reason=str(error) or type(error).__name__,
                )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), wait_s)
        await self._source.close()

    def drain(self) -> None:
        """End after what is being stored."""
        self._leaving.set()

    async def look(self) -> int:
        """Ask once; answers with how many deliveries are new. Raises what `Source` and `Acceptance.keep` raise."""
        now = await self._source.now()
        asked_until = await self._positions.get(self._name)
        if asked_until is None:
            await self._positions.put(self._name, now)
            return 0
        until = now - self._source.late_s
        if until <= asked_until:
            return 0
        found = 0
        async for happening in self._source.happened(asked_until - AGAIN_S, until):
            if self._leaving.is_set():
                return found
            found += await self._take(happening)
        await self._positions.put(self._name, until)
        return found

    async def _take(self, happening: Happening) -> bool:
        try:
            reading = understood(self._sender, happening.event, happening.body, self._config())
        except Unreadable as error:
            # The next look would not read it either.
            log.error("a missed event cannot be read", sender=self._name, event_name=happening.event, why=str(error))
            return False
        match reading.meaning:
            case Ignored():
                return False
            case signal:
                delivery = Delivery(
                    webhook=self._name,
                    event=happening.event,
                    action=reading.action,
                    id="asked-for",
                    principal=f"{self._name}:{reading.sender}",
                    signal=signal,
                    json=happening.body,
                    body=happening.body,
                    content=reading.content,
                    formerly=reading.formerly,
                    window_s=reading.window_s,
                )
                kept = await self._acceptance.keep(delivery)
        if kept.new:
            FOUND.labels(self._name).inc()
            log.info(
                "an event that no webhook had brought", sender=self._name, event_name=happening.event, delivery=kept.id
            )
        return kept.new


def _told(error: Exception) -> str:
    said = without_secrets(one_line(visible(str(error) or type(error).__name__)))
    return f"It is not asked for what its webhooks have missed: {said} `journeyman doctor` says what to mend."


class Looks:
    """All senders that are asked, by name."""

    def __init__(self) -> None:
        self._asked: dict[str, MissedEvents] = {}

    def add(self, name: str, missed: MissedEvents) -> None:
        """One more."""
        self._asked[name] = missed

    def problem(self, name: str) -> str:
        """Why a sender is not asked at present; empty while it is, and for one that is never asked."""
        missed = self._asked.get(name)
        return "" if missed is None else missed.problem
