"""The one thing between a verified delivery and its 202: it stands in the log, once, for ever.

A delivery is known by what happened, and not by the id that its sender has given it: the same comment by two webhooks,
or sent again under a new id, is one delivery, and two things under one id are two.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec
from msgspec.structs import replace

from services.gateway.inbound.authorisation import Authority, must_ask
from shared.contracts.delivery import Accepted, Signal
from shared.contracts.ids import derived_id, derived_task_id
from shared.contracts.subjects import Actor
from shared.event_store.envelope import MessageMetadata, utc_now
from shared.event_store.journal import Conflict, Head
from shared.nats.journal import NatsJournal
from shared.nats.objects import Artifacts
from shared.ops.crash_points import crash_point

INLINE_BYTES: Final = 256 * 1024
"""A larger body goes to the object store: one event must stay well below NATS's message limit."""
STORE_S: Final = 1.5
"""Longest wait for the log: a sender must hear 503 within 2 s."""
ARTIFACT_BYTES_PER_S: Final = 8_000_000


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A verified delivery on its way into the log. ``json`` is the sender's JSON, ``body`` the raw bytes it came in.

    ``id`` is the sender's own for it. ``content`` and ``formerly`` are those of `Reading`.
    """

    webhook: str
    event: str
    action: str
    id: str
    principal: str
    signal: Signal
    json: bytes
    body: bytes
    content: tuple[str, ...] = ()
    formerly: tuple[str, ...] = ()


class Kept(msgspec.Struct, frozen=True):
    """The delivery stands in the log as ``delivery/<id>``; ``new`` is false when it did so before."""

    id: str
    new: bool


class Acceptance:
    """Appends `delivery.accepted`."""

    def __init__(
        self, journal: NatsJournal, artifacts: Artifacts, *, authorities: Mapping[str, Authority] = MappingProxyType({})
    ) -> None:
        self._journal = journal
        self._artifacts = artifacts
        self._authorities = authorities

    async def keep(self, delivery: Delivery) -> Kept:
        """Store a delivery behind the empty head of its actor, so that a duplicate is refused for ever.

        Raises `LogFull`, `LogUnavailable`, `TimeoutError`, and the connection's errors: not stored, or not known to be.
        """
        digest = hashlib.sha256(delivery.body).hexdigest()
        actor = Actor("delivery", derived_id("delivery", delivery.webhook, *_name(delivery, digest)))
        crash_point("webhook.verified")
        large = len(delivery.json) > INLINE_BYTES
        async with asyncio.timeout(STORE_S + (len(delivery.json) / ARTIFACT_BYTES_PER_S if large else 0)):
            former, thread = await asyncio.gather(self._former(delivery, digest), self._thread(delivery))
            if former is not None:
                return Kept(former, new=False)
            event = Accepted(
                webhook=delivery.webhook,
                event=delivery.event,
                action=delivery.action,
                delivery=delivery.id,
                signal=replace(delivery.signal, thread=thread),
                body_sha256=digest,
                body_size=len(delivery.body),
                body=msgspec.Raw(b"null" if large else delivery.json),
                artifact=await self._artifacts.put(f"webhook.{actor.id}", delivery.json) if large else None,
                asks_permission=must_ask(self._authorities, delivery.webhook, delivery.signal),
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

    async def _former(self, delivery: Delivery, digest: str) -> str | None:
        """The id under which an older version has stored this very body, or None: it went by the sender's id alone."""
        actor = Actor("delivery", derived_id("delivery", delivery.webhook, delivery.id))
        if not await self._journal.newest(actor):
            return None
        (first, *_) = await self._journal.load(actor)
        return actor.id if first.data.body_sha256 == digest else None

    async def _thread(self, delivery: Delivery) -> str:
        """The signal's thread, by the name under which there is a task of it."""
        signal = delivery.signal
        tasks = [Actor("task", derived_task_id(signal.opened_at_ms, thread)) for thread in delivery.formerly]
        newest = await asyncio.gather(*map(self._journal.newest, tasks))
        return next((thread for thread, at in zip(delivery.formerly, newest, strict=True) if at), signal.thread)


def _name(delivery: Delivery, digest: str) -> tuple[str, ...]:
    return delivery.content or (delivery.id, digest)
