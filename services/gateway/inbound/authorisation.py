"""Who may: the sender is asked what a delivery's author may do there, before anything is done about it. Senders whose
deliveries leave out what a new task needs are asked for that at the same time.

An association or a role that stands in the delivery decides nothing. Where a sender has no authority that can be asked
(no credentials are set), its deliveries are acted on as they are, and their own claim of the author's role is a hint.
"""

from __future__ import annotations

import asyncio
from collections.abc import Container, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, Protocol

import msgspec
import structlog

from services.gateway.inbound.detail_names import may_be_completed
from services.gateway.outbound.displays import CannotShow, NotNow
from shared.contracts.decider import Rejected
from shared.contracts.delivery import Accepted, Authorise, Refuse, Replayed, Signal, SignalKind
from shared.contracts.ids import derived_id
from shared.contracts.subjects import Actor
from shared.contracts.task_of import task_of
from shared.event_store.envelope import RecordedEvent
from shared.nats.journal import NatsJournal
from shared.ops.crash_points import crash_point
from shared.runtime.activity import ActivityContext
from shared.runtime.actor_host import ActorHost

JUDGED_AT_ONCE: Final = 8
"""Deliveries whose authors a gateway asks about at one time."""
FACTS: Final = frozenset({SignalKind.CLOSED, SignalKind.PULL_REQUEST, SignalKind.CHECK})
"""What happened, whoever did it: nobody asks for anything."""

DETAILS_S: Final = 20.0
AGAIN_S: Final = 2.0

log = structlog.get_logger(__name__)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery whose author is to be judged.

    ``sender`` is the account that did what the delivery tells, which need not be the author of its words. ``opens``:
    there is no task yet of the thing that it is about. ``at`` is when the delivery came.
    """

    id: str
    accepted: Accepted
    signal: Signal
    sender: str
    opens: bool
    at: datetime


class Authority(Protocol):
    """What can be asked about the people of one sender."""

    async def judge(self, asked: Asked) -> Authorise | Refuse:
        """What counts of the delivery, or why nothing of it does. Raises what its sender's client raises."""
        ...

    async def may_steer(self, repo: str, login: str) -> bool:
        """Whether an account may steer in a repository now. Raises what its sender's client raises."""
        ...


class Details(Protocol):
    """What can be asked about the things of one sender."""

    async def completed(self, asked: Asked) -> Signal:
        """The signal with what its delivery left out. Raises `CannotShow` and `NotNow`."""
        ...


def must_ask(asked: Container[str], webhook: str, signal: Signal) -> bool:
    """Whether the sender is asked before a delivery counts: about its author, what a failed check says, or details.

    ``asked`` are the senders that can be asked.
    """
    return webhook in asked and (signal.kind not in FACTS or is_failure(signal))


def is_failure(signal: Signal) -> bool:
    """Whether it tells that a check has failed which can be asked what it says."""
    return signal.kind is SignalKind.CHECK and signal.pull is not None and signal.pull.check > 0


class Authorisation:
    """The activity behind `delivery.accepted` and `delivery.replayed`."""

    def __init__(
        self,
        host: ActorHost,
        journal: NatsJournal,
        authorities: Mapping[str, Authority],
        details: Mapping[str, Details] = MappingProxyType({}),
    ) -> None:
        self._host = host
        self._journal = journal
        self._authorities = authorities
        self._details = details

    async def judge(self, event: RecordedEvent, turn: ActivityContext) -> None:
        """Have the delivery say what counts of it, once."""
        told: Accepted | Replayed = event.data
        if not told.asks_permission:
            return
        (first, *_) = await self._journal.load(event.actor)
        authority = self._authorities.get(first.data.webhook)
        if authority is None and told.signal.kind in FACTS:
            await self._tell(event, Authorise(signal=told.signal, decided_by="fact"))
            return
        if authority is None and (first.data.webhook in self._details or may_be_completed(first.data.webhook)):
            await self._tell(event, Authorise(signal=await self._completed(event, first), decided_by="details"))
            return
        if authority is None:
            reason = "The credentials by which its author could be judged are not set any more: set them, replay it."
            await self._tell(event, Refuse(code="permission-unknown", reason=reason))
            return
        judgement = await authority.judge(await self._asked(event, first))
        crash_point("delivery.judged")
        await self._tell(event, judgement)

    async def _asked(self, event: RecordedEvent, first: RecordedEvent) -> Asked:
        signal: Signal = event.data.signal
        return Asked(
            id=event.actor.id,
            accepted=first.data,
            signal=signal,
            sender=first.principal.partition(":")[2],
            opens=not await self._journal.newest(_task_of(signal)),
            at=first.time,
        )

    async def _completed(self, event: RecordedEvent, first: RecordedEvent) -> Signal:
        """With what the sender says; as it came where that says nothing for `DETAILS_S`: the work begins anyway."""
        signal: Signal = event.data.signal
        details = self._details.get(first.data.webhook)
        if details is None:
            return signal
        asked = await self._asked(event, first)
        try:
            async with asyncio.timeout(DETAILS_S):
                while True:
                    try:
                        return await details.completed(asked)
                    except NotNow as error:
                        log.info("a sender is asked again for details", sender=first.data.webhook, reason=str(error))
                        await asyncio.sleep(AGAIN_S)
        except (CannotShow, TimeoutError) as error:
            reason = str(error) or f"no answer within {DETAILS_S:.0f} s"
            log.warning("a delivery stays without details", delivery=event.actor.id, reason=reason)
            return signal

    async def give_up(self, event: RecordedEvent, reason: str) -> None:
        """Say that nobody could tell who may: nothing is done about the delivery, unless it tells what happened."""
        if (signal := event.data.signal).kind in FACTS:
            log.warning("a failed check could not be asked what it says", delivery=event.actor.id, reason=reason)
            await self._tell(event, Authorise(signal=signal, decided_by="fact"))
            return
        if event.data.signal.thread.partition(":")[0] in self._details:
            await self._tell(event, Authorise(signal=signal, decided_by="details"))
            return
        log.error("a delivery's author cannot be judged", delivery=event.actor.id, reason=reason)
        sentence = f"Whether its author may ask for that could not be found out ({reason}): say it again."
        await self._tell(event, Refuse(code="permission-unknown", reason=sentence))

    async def _tell(self, event: RecordedEvent, judgement: Authorise | Refuse) -> None:
        try:
            # In the name of the person who spoke: what follows is done in that name.
            await self._host.execute(
                event.actor,
                msgspec.structs.replace(judgement, id=event.actor.id),
                id=derived_id(event.id, "judgement"),
                principal=event.principal,
                correlation_id=event.correlation_id,
                traceparent=event.traceparent,
            )
        except Rejected as rejection:
            log.warning("a judgement came too late", delivery=event.actor.id, code=rejection.code)


def _task_of(signal: Signal) -> Actor:
    return Actor("task", task_of(signal))
