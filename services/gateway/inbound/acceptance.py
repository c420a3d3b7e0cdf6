"""The one thing between a verified delivery and its 202: it stands in the log, once, for ever."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from typing import Final

import msgspec

from shared.contracts.delivery import Accepted, Signal
from shared.contracts.ids import derived_id
from shared.contracts.subjects import Actor
from shared.event_store.envelope import MessageMetadata, utc_now
from shared.event_store.journal import Conflict, Head, Journal
from shared.nats.objects import Artifacts
from shared.ops.crash_points import crash_point

INLINE_BYTES: Final = 256 * 1024
"""A larger body goes to the object store: one event must stay well below NATS's message limit."""
STORE_S: Final = 1.5
"""Longest wait for the log: a sender must hear 503 within 2 s."""
ARTIFACT_BYTES_PER_S: Final = 8_000_000


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A verified delivery on its way into the log. ``json`` is the sender's JSON, ``body`` the raw bytes it came in."""

    webhook: str
    event: str
    action: str
    id: str
    principal: str
    signal: Signal
    json: bytes
    body: bytes


class Kept(msgspec.Struct, frozen=True):
    """The delivery stands in the log as ``delivery/<id>``; ``new`` is false when it did so before."""

    id: str
    new: bool


class Acceptance:
    """Appends `delivery.accepted`."""

    def __init__(self, journal: Journal, artifacts: Artifacts) -> None:
        self._journal = journal
        self._artifacts = artifacts

    async def keep(self, delivery: Delivery) -> Kept:
        """Store a delivery behind the empty head of its actor, so that a duplicate is refused for ever.

        Raises `LogFull`, `LogUnavailable`, `TimeoutError`, and the connection's errors: not stored, or not known to be.
        """
        actor = Actor("delivery", derived_id("delivery", delivery.webhook, delivery.id))
        crash_point("webhook.verified")
        large = len(delivery.json) > INLINE_BYTES
        async with asyncio.timeout(STORE_S + (len(delivery.json) / ARTIFACT_BYTES_PER_S if large else 0)):
            event = Accepted(
                webhook=delivery.webhook,
                event=delivery.event,
                action=delivery.action,
                delivery=delivery.id,
                signal=delivery.signal,
                body_sha256=hashlib.sha256(delivery.body).hexdigest(),
                body_size=len(delivery.body),
                body=msgspec.Raw(b"null" if large else delivery.json),
                artifact=await self._artifacts.put(f"webhook.{actor.id}", delivery.json) if large else None,
            )
            crash_point("webhook.prepared")
            metadata = MessageMetadata(
                id=f"{actor.id}-accepted",
                source="journeyman/gateway",
                time=utc_now(),
                principal=delivery.principal,
                # Each receipt is its own cause: the journal then knows a receipt sent again from a delivery sent again.
                causation_id=f"receipt-{secrets.token_hex(8)}",
            )
            try:
                await self._journal.append(actor, event, expected=Head(), metadata=metadata)
            except Conflict:
                return Kept(actor.id, new=False)
        crash_point("webhook.stored")
        return Kept(actor.id, new=True)
