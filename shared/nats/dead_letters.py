"""PARKED: where commands and events go that no handler could take, each with its reason."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Final

import msgspec
from nats.aio.msg import Msg

from shared.contracts.messages import ArtifactRef
from shared.event_store.envelope import utc_now
from shared.nats.bus import Bus
from shared.nats.objects import Artifacts

REASON_CHARS: Final = 2000


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One parked message. ``body`` is base64 of the bytes as they were; ``position`` is their stream sequence.

    Bytes that do not fit into a message with all this around them are in ARTIFACTS, and ``body`` is empty.
    """

    reason: str
    consumer: str
    stream: str
    subject: str
    position: int
    tries: int
    time: datetime
    headers: dict[str, str]
    body: str
    artifact: ArtifactRef | None = None


async def store_dead_letter(bus: Bus, message: Msg, *, consumer: str, reason: str) -> None:
    """Store the message with its reason under ``parked.<its subject>``; parking it twice stores it once."""
    metadata = message.metadata
    entry = DeadLetter(
        reason=reason[:REASON_CHARS],
        consumer=consumer,
        stream=metadata.stream,
        subject=message.subject,
        position=metadata.sequence.stream,
        tries=metadata.num_delivered,
        time=utc_now(),
        headers={key: value for key, value in (message.headers or {}).items() if not key.startswith("Nats-Expected")},
        body=base64.b64encode(message.data).decode(),
    )
    stored = msgspec.json.encode(entry)
    if len(stored) > bus.most_bytes:
        artifact = await Artifacts(bus).put(f"parked.{entry.stream}.{entry.position}", message.data)
        stored = msgspec.json.encode(msgspec.structs.replace(entry, body="", artifact=artifact))
    await bus.publish(f"parked.{message.subject}", stored, {"Nats-Msg-Id": f"parked:{consumer}:{entry.position}"})


async def body_of(bus: Bus, parked: DeadLetter) -> bytes:
    """The bytes that were parked; raises `ArtifactLost`."""
    return base64.b64decode(parked.body) if parked.artifact is None else await Artifacts(bus).get(parked.artifact)
