"""What runs: services that answer, and what waits for each."""

from __future__ import annotations

import asyncio
import math
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import structlog

from shared.nats.bus import Bus
from shared.nats.direct import get_batch
from shared.nats.stream_use import StreamUse, stream_use
from shared.nats.streams import COMMANDS, EVENTS
from shared.ops.disk_use import DiskUse, disk_use, free_bytes
from shared.runtime.acknowledge import TRANSIENT
from shared.runtime.dead_letters import count as count_parked

FRESH_S: Final = 2.0
DISK_FRESH_S: Final = 300.0
LISTEN_S: Final = 0.3
MAX_PAGES: Final = 20
PREFIX: Final = "journeyman-"

log = structlog.get_logger(__name__)


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for a service (``brain``) or for one of its activities (``executor-run``), and what is in hand.

    ``oldest_ms`` says for how long the oldest of what waits has been waiting; 0 when nothing does.
    """

    service: str
    pending: int
    in_progress: int
    oldest_ms: int = 0


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
    streams: list[StreamUse] = []
    disk: list[DiskUse] = []
    """What the data directory of this gateway takes; under `up` all services share it."""
    disk_free_bytes: int = 0


class _Delivered(msgspec.Struct, frozen=True):
    stream_seq: int = 0


class _Filters(msgspec.Struct, frozen=True):
    filter_subject: str = ""
    filter_subjects: tuple[str, ...] = ()


class _Consumer(msgspec.Struct, frozen=True):
    name: str
    config: _Filters = _Filters()
    delivered: _Delivered = _Delivered()
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

    def __init__(self, bus: Bus, data_dir: Path) -> None:
        self._bus = bus
        self._data_dir = data_dir
        self._disk: list[DiskUse] = []
        self._disk_at = -math.inf
        self._lock = asyncio.Lock()
        self._seen = Machine(queues=[], services=[], parked=0)
        self._seen_at = 0.0

    @property
    def connected(self) -> bool:
        """Whether the connection to NATS stands; without it each question would wait for its own timeout."""
        return self._bus.connected

    async def look(self) -> Machine:
        """What was last seen; never older than `FRESH_S` seconds unless NATS is away."""
        async with self._lock:
            if time.monotonic() - self._seen_at > FRESH_S and self.connected:
                try:
                    queues, services, parked, streams, disk = await asyncio.gather(
                        self._queues(), self._services(), count_parked(self._bus), stream_use(self._bus), self._use()
                    )
                except TRANSIENT as error:
                    log.warning("cannot look at the queues", problem=str(error) or type(error).__name__)
                else:
                    self._seen = Machine(
                        queues=queues,
                        services=services,
                        parked=parked,
                        streams=streams,
                        disk=disk,
                        disk_free_bytes=free_bytes(self._data_dir),
                    )
                self._seen_at = time.monotonic()
            return self._seen

    async def _use(self) -> list[DiskUse]:
        """Looked at now and then only, because there may be many files."""
        if time.monotonic() - self._disk_at > DISK_FRESH_S:
            self._disk = await asyncio.to_thread(disk_use, self._data_dir)
            self._disk_at = time.monotonic()
        return self._disk

    async def _queues(self) -> list[Queue]:
        queues: dict[str, Queue] = {}
        now = datetime.now(UTC)
        for stream in (COMMANDS, EVENTS):
            # Ephemeral readers have names without a service.
            durable = [each for each in await self._consumers(stream) if "-" in each.name]
            oldest = await asyncio.gather(*(self._oldest(stream, each) for each in durable))
            for consumer, since in zip(durable, oldest, strict=True):
                name, _, partition = consumer.name.rpartition("-")
                key = name if partition.isdecimal() else consumer.name
                known = queues.get(key, Queue(service=key, pending=0, in_progress=0))
                waited_ms = 0 if since is None else max(0, int((now - since).total_seconds() * 1000))
                queues[key] = Queue(
                    service=key,
                    pending=known.pending + consumer.num_pending,
                    in_progress=known.in_progress + consumer.num_ack_pending,
                    oldest_ms=max(known.oldest_ms, waited_ms),
                )
        return [queues[key] for key in sorted(queues)]

    async def _oldest(self, stream: str, consumer: _Consumer) -> datetime | None:
        """When the first message was stored that the consumer has not been given yet; None when there is none."""
        if not consumer.num_pending:
            return None
        filters = consumer.config.filter_subjects or (consumer.config.filter_subject or ">",)
        start = consumer.delivered.stream_seq + 1
        found = await asyncio.gather(*(get_batch(self._bus, stream, each, start=start, limit=1) for each in filters))
        return min((each.messages[0].stored for each in found if each.messages), default=None)

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
