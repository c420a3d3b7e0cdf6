"""PARKED: where commands and events go that no handler could take, each with its reason."""

from __future__ import annotations

import base64
from datetime import datetime

import msgspec
from nats.aio.msg import Msg

from shared.envelope import utc_now
from shared.nats.bus import Bus


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """One parked message. ``body`` is base64 of the bytes as they were; ``position`` is their stream sequence."""

    reason: str
    consumer: str
    stream: str
    subject: str
    position: int
    tries: int
    time: datetime
    headers: dict[str, str]
    body: str


async def park(bus: Bus, message: Msg, *, consumer: str, reason: str) -> None:
    """Store the message with its reason under ``parked.<its subject>``; parking it twice stores it once."""
    metadata = message.metadata
    entry = Parked(
        reason=reason[:2000],
        consumer=consumer,
        stream=metadata.stream,
        subject=message.subject,
        position=metadata.sequence.stream,
        tries=metadata.num_delivered,
        time=utc_now(),
        headers={key: value for key, value in (message.headers or {}).items() if not key.startswith("Nats-Expected")},
        body=base64.b64encode(message.data).decode(),
    )
    await bus.publish(
        f"parked.{message.subject}",
        msgspec.json.encode(entry),
        {"Nats-Msg-Id": f"parked:{consumer}:{entry.position}"},
    )
