"""What runs: services that answer, and what waits for each."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import msgspec
import structlog

from shared.nats.bus import Bus
from shared.nats.streams import COMMANDS, EVENTS
from shared.runtime.acknowledge import TRANSIENT
from shared.runtime.dead_letters import count as count_parked

FRESH_S: Final = 2.0
LISTEN_S: Final = 0.3
MAX_PAGES: Final = 20
PREFIX: Final = "journeyman-"

log = structlog.get_logger(__name__)


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for a service (``brain``) or for one of its activities (``executor-run``), and what is in hand."""

    service: str
    pending: int
    in_progress: int


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """One instance that answers; ``started`` is ISO 8601 UTC."""

    service: str
    id: str
    machine: str
    started: str


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at one moment."""

    queues: list[Queue]
    services: list[Running]
    parked: int
    """Messages that no handler could take, and that wait for a decision (`journeyman parked`)."""


class _Consumer(msgspec.Struct, frozen=True):
    name: str
    num_pending: int = 0
    num_ack_pending: int = 0


class _Consumers(msgspec.Struct, frozen=True):
    total: int = 0
    consumers: list[_Consumer] | None = None


class _Stats(msgspec.Struct, frozen=True):
    name: str
    id: str
    started: str = ""
    metadata: dict[str, str] | None = None


class SystemOverview:
    """Asks NATS, at most once in `FRESH_S` seconds however many people look."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._lock = asyncio.Lock()
        self._seen = Machine(queues=[], services=[], parked=0)
        self._seen_at = 0.0

    async def look(self) -> Machine:
        """What was last seen; never older than `FRESH_S` seconds unless NATS is away."""
        async with self._lock:
            if time.monotonic() - self._seen_at > FRESH_S:
                try:
                    queues, services, parked = await asyncio.gather(
                        self._queues(), self._services(), count_parked(self._bus)
                    )
                except TRANSIENT as error:
                    log.warning("cannot look at the queues", problem=str(error) or type(error).__name__)
                else:
                    self._seen = Machine(queues=queues, services=services, parked=parked)
                self._seen_at = time.monotonic()
            return self._seen

    async def _queues(self) -> list[Queue]:
        totals: dict[str, tuple[int, int]] = {}
        for consumer in [*await self._consumers(COMMANDS), *await self._consumers(EVENTS)]:
            name, _, partition = consumer.name.rpartition("-")
            # Ephemeral readers have names without a service.
            if not name:
                continue
            key = name if partition.isdecimal() else consumer.name
            pending, in_hand = totals.get(key, (0, 0))
            totals[key] = (pending + consumer.num_pending, in_hand + consumer.num_ack_pending)
        return [Queue(service=key, pending=p, in_progress=i) for key, (p, i) in sorted(totals.items())]

    async def _consumers(self, stream: str) -> list[_Consumer]:
        found: list[_Consumer] = []
        for _ in range(MAX_PAGES):
            request = msgspec.json.encode({"offset": len(found)})
            page = msgspec.json.decode(await self._bus.api(f"CONSUMER.LIST.{stream}", request), type=_Consumers)
            found += page.consumers or []
            if not page.consumers or len(found) >= page.total:
                break
        return found

    async def _services(self) -> list[Running]:
        inbox = self._bus.nc.new_inbox()
        answers: list[bytes] = []

        async def hear(message: object) -> None:
            answers.append(getattr(message, "data", b""))

        subscription = await self._bus.nc.subscribe(inbox, cb=hear)
        try:
            await self._bus.nc.publish("$SRV.STATS", b"", reply=inbox)
            # Nobody knows how many will answer: those that take longer than this are in trouble.
            await asyncio.sleep(LISTEN_S)
        finally:
            await subscription.unsubscribe()
        found = [msgspec.json.decode(answer, type=_Stats) for answer in answers]
        return sorted(
            (
                Running(
                    service=each.name.removeprefix(PREFIX),
                    id=each.id,
                    machine=(each.metadata or {}).get("machine", ""),
                    started=each.started,
                )
                for each in found
                if each.name.startswith(PREFIX)
            ),
            key=lambda running: (running.service, running.started),
        )
