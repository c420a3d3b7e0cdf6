"""The whole log, read once: no gap, each actor's versions and hash chain unbroken, every event as its schema says.

A NATS stream on one disk can lose events without a word (a flipped bit and a restart): so the log carries its own
proof, and this checks it. Damage at the very end of the log shows only against something kept elsewhere: the position
that the read models have reached.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import msgspec

from shared.contracts import READERS
from shared.contracts.queries import GetStatus
from shared.contracts.versions import NewerVersion
from shared.event_store.envelope import Envelope, hash_of
from shared.event_store.journal import LogDamaged
from shared.nats.bus import Bus
from shared.nats.feed import Feed
from shared.nats.streams import EVENTS, Extent, extent_of
from shared.runtime.client import Client, QueryFailed

_BATCH: Final = 4000
_STEP: Final = 2000


class Damage(msgspec.Struct, frozen=True, kw_only=True):
    """The first thing that is wrong: at which stream sequence, of which actor, and what."""

    sequence: int
    actor: str
    problem: str


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. ``damage`` is None for a log that is whole up to ``last``."""

    events: int
    actors: int
    last: int
    seconds: float
    damage: Damage | None = None


class Auditor:
    """Checks one event after the other; pure but for what it remembers of each actor."""

    def __init__(self) -> None:
        self.position = 0
        self.events = 0
        self.heads: dict[str, tuple[int, str]] = {}
        self._envelopes: Final = msgspec.json.Decoder(Envelope)

    def check(self, subject: str, position: int, body: bytes) -> Damage | None:
        """The damage that this event shows, if any. Events come in the order of the stream."""
        if position != self.position + 1:
            missing = self.position + 1
            return Damage(sequence=missing, actor="", problem=f"the events {missing} to {position - 1} are missing")
        self.position = position
        self.events += 1
        _, kind, id, name = subject.split(".")
        actor = f"{kind}/{id}"
        try:
            envelope = self._envelopes.decode(body)
            reader = READERS.get((kind, name))
            if reader is None:
                return Damage(sequence=position, actor=actor, problem=f"this version knows no event {kind}.{name}")
            reader.read(envelope.data, envelope.dataversion)
        except NewerVersion as error:
            return Damage(sequence=position, actor=actor, problem=f"{kind}.{name} is too new: {error}")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return Damage(sequence=position, actor=actor, problem=f"{kind}.{name} does not fit its schema: {error}")
        problem = self._place(envelope, kind, id, name, actor)
        if problem:
            return Damage(sequence=position, actor=actor, problem=problem)
        self.heads[actor] = (envelope.sequence, hash_of(body))
        return None

    def _place(self, envelope: Envelope, kind: str, id: str, name: str, actor: str) -> str:
        version, previous = self.heads.get(actor, (0, ""))
        if envelope.specversion != "1.0" or envelope.type != f"{kind}.{name}" or envelope.subject != f"{kind}/{id}":
            return f"the envelope says {envelope.type} of {envelope.subject}, the subject {kind}.{name} of {kind}/{id}"
        if envelope.sequence != version + 1:
            return f"version {envelope.sequence} follows version {version}"
        if envelope.prevhash != previous:
            return f"version {envelope.sequence} does not carry the hash of version {version}"
        return ""


async def audit(bus: Bus, progress: Callable[[int, int], None] = lambda done, total: None) -> Audit:
    """Read and check the log up to its end as of now; ``progress(done, total)`` is called now and then."""
    began = time.monotonic()
    extent = await extent_of(bus, EVENTS)
    last = extent.last
    auditor = Auditor()
    damage = _in_the_count(extent)
    if damage is None and last:
        try:
            damage = await _read(bus, auditor, last, progress)
        except LogDamaged:
            missing = auditor.position + 1
            problem = f"the events {missing} to {last} cannot be read any more"
            damage = Damage(sequence=missing, actor="", problem=problem)
    progress(last, last)
    damage = damage or await _against_the_read_models(bus, last)
    return Audit(
        events=auditor.events,
        actors=len(auditor.heads),
        last=last,
        seconds=time.monotonic() - began,
        damage=damage,
    )


async def _read(bus: Bus, auditor: Auditor, last: int, progress: Callable[[int, int], None]) -> Damage | None:
    async with Feed(bus, EVENTS, "evt.>", after=0, batch=_BATCH, last=last) as feed:
        async for message in feed:
            damage = auditor.check(message.subject, message.position, message.data)
            if message.position % _STEP == 0:
                progress(message.position, last)
            if damage is not None or message.position >= last:
                return damage
    return None


def _in_the_count(extent: Extent) -> Damage | None:
    """What the stream says of itself: it begins at 1 and has an event for every sequence."""
    if extent.last and extent.first != 1:
        return Damage(sequence=1, actor="", problem=f"the log begins at {extent.first}")
    if extent.messages != extent.last:
        lost = extent.last - extent.messages
        # Which ones are missing shows when it is read; a stream that has none left has nothing to read.
        return Damage(sequence=1, actor="", problem=f"all {lost} events are missing") if not extent.messages else None
    return None


async def _against_the_read_models(bus: Bus, last: int) -> Damage | None:
    try:
        affairs = await Client(bus, source="journeyman/cli").query(GetStatus(), timeout=1.0)
    except (QueryFailed, TimeoutError):
        return None  # without a projector there is nothing to compare with
    seen = affairs.position
    now = (await extent_of(bus, EVENTS)).last
    if seen <= now:
        return None
    return Damage(sequence=now + 1, actor="", problem=f"the read models have seen {seen} events, the log ends at {now}")
