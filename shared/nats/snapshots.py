"""Snapshots in a key-value bucket with a history of one."""

from __future__ import annotations

from typing import Final

import msgspec
import nats.errors
import nats.js.errors
import structlog

from shared.contracts.subjects import Actor
from shared.event_store.envelope import BadEnvelope, RecordedEvent, decode_event
from shared.event_store.snapshots import Snapshot
from shared.nats.bus import Bus
from shared.nats.last import last_message
from shared.nats.streams import EVENTS, SNAPSHOTS

MAX_BYTES: Final = 900 * 1024
"""A larger one does not fit into a message, so it is not kept."""

log = structlog.get_logger(__name__)


class NatsSnapshots:
    """See `shared.event_store.snapshots.SnapshotStore`."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def get(self, actor: Actor) -> Snapshot | None:
        """See `SnapshotStore.get`."""
        try:
            stored = await last_message(self._bus, f"KV_{SNAPSHOTS}", f"$KV.{SNAPSHOTS}.{_key(actor)}")
            return None if stored is None else msgspec.json.decode(stored.data, type=Snapshot)
        except (nats.js.errors.Error, nats.errors.Error, TimeoutError, msgspec.MsgspecError):
            return None

    async def put(self, actor: Actor, snapshot: Snapshot) -> None:
        """See `SnapshotStore.put`."""
        body = msgspec.json.encode(snapshot)
        if len(body) > MAX_BYTES:
            log.warning("no snapshot", actor=str(actor), error=f"it would have {len(body)} bytes")
            return
        try:
            bucket = await self._bus.js.key_value(SNAPSHOTS)
            await bucket.put(_key(actor), body)
        except (nats.js.errors.Error, nats.errors.Error, TimeoutError) as error:
            log.warning("no snapshot", actor=str(actor), error=str(error) or type(error).__name__)

    async def event_at(self, position: int) -> RecordedEvent | None:
        """See `SnapshotStore.event_at`."""
        try:
            message = await self._bus.js.get_msg(EVENTS, position, direct=True)
            return decode_event(message.subject or "", message.data or b"", message.seq or 0)
        except (nats.js.errors.Error, nats.errors.Error, TimeoutError, BadEnvelope):
            return None


def _key(actor: Actor) -> str:
    return f"{actor.kind}.{actor.id}"
