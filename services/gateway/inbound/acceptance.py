"""The one thing between a verified delivery and its 202: it stands in the log, once, for ever.

A delivery is known by what happened, and not by the id that its sender has given it: the same comment by two webhooks,
or sent again under a new id, is one delivery, and two things under one id are two.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Container
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from services.gateway.inbound.authorisation import must_ask
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

    ``id`` is the sender's own for it. ``content``, ``formerly`` and ``window_s`` are those of `Reading`. A signal
    without a thread is about nothing that another one is about.
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
    window_s: float = 0


class Kept(msgspec.Struct, frozen=True):
    """The delivery stands in the log as ``delivery/<id>``; ``new`` is false when it did so before."""

    id: str
    new: bool


class Acceptance:
    """Appends `delivery.accepted`."""

    def __init__(self, journal: NatsJournal, artifacts: Artifacts, *, asked: Container[str] = ()) -> None:
        self._journal = journal
        self._artifacts = artifacts
        self._asked = asked

    async def keep(self, delivery: Delivery) -> Kept:
        """Store a delivery behind the empty head of its actor, so that a duplicate is refused for ever.

        Raises `LogFull`, `LogUnavailable`, `TimeoutError`, and the connection's errors: not stored, or not known to be.
        """
        digest = hashlib.sha256(delivery.body).hexdigest()
        now = utc_now()
        actor, before = _actors(delivery, digest, now)
        crash_point("webhook.verified")
        large = len(delivery.json) > INLINE_BYTES
        async with asyncio.timeout(STORE_S + (len(delivery.json) / ARTIFACT_BYTES_PER_S if large else 0)):
            former, signal = await asyncio.gather(
                self._former(delivery, digest, before, now), self._signal(delivery, actor, now)
            )
            if former is not None:
                return Kept(former, new=False)
            event = Accepted(
                webhook=delivery.webhook,
                event=delivery.event,
                action=delivery.action,
                delivery=delivery.id,
                signal=signal,
                body_sha256=digest,
                body_size=len(delivery.body),
                body=msgspec.Raw(b"null" if large else delivery.json),
                artifact=await self._artifacts.put(f"webhook.{actor.id}", delivery.json) if large else None,
                asks_permission=must_ask(self._asked, delivery.webhook, delivery.signal),
            )
            crash_point("webhook.prepared")
            metadata = MessageMetadata(
                id=f"{actor.id}-accepted",
                source="journeyman/gateway",
                time=now,
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

    async def _former(self, delivery: Delivery, digest: str, before: Actor | None, now: datetime) -> str | None:
        """The id under which this very body is known already: in the window that ends, or by an older version, which
        went by the sender's id alone."""
        if before is not None:
            events = await self._journal.load(before)
            is_recent = bool(events) and now - events[0].time < timedelta(seconds=delivery.window_s)
            return before.id if is_recent else None
        actor = Actor("delivery", derived_id("delivery", delivery.webhook, delivery.id))
        if not await self._journal.newest(actor):
            return None
        (first, *_) = await self._journal.load(actor)
        return actor.id if first.data.body_sha256 == digest else None

    async def _signal(self, delivery: Delivery, actor: Actor, now: datetime) -> Signal:
        """The signal, with its thread by the name under which there is a task of it."""
        signal = delivery.signal
        if not signal.thread:
            opened = int(now.timestamp() * 1000)
            return replace(signal, thread=f"{delivery.webhook}:{actor.id}", opened_at_ms=opened)
        tasks = [Actor("task", derived_task_id(signal.opened_at_ms, thread)) for thread in delivery.formerly]
        newest = await asyncio.gather(*map(self._journal.newest, tasks))
        known = (thread for thread, at in zip(delivery.formerly, newest, strict=True) if at)
        return replace(signal, thread=next(known, signal.thread))


def _actors(delivery: Delivery, digest: str, now: datetime) -> tuple[Actor, Actor | None]:
    """The delivery's actor, and the one of the same body in the window before."""

    def named(*name: str) -> Actor:
        return Actor("delivery", derived_id("delivery", delivery.webhook, *name))

    if delivery.content:
        return named(*delivery.content), None
    if not delivery.window_s:
        return named(delivery.id, digest), None
    window = int(now.timestamp() // delivery.window_s)
    return named(digest, str(window)), named(digest, str(window - 1))
