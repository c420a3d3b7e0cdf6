"""Snapshots of long actors: optional, checked against the log, and thrown away whenever they do not fit."""

from __future__ import annotations

import hashlib
from typing import Any, Protocol

import msgspec

from shared.contracts.decider import Decider
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent, decode_event
from shared.event_store.journal import Head
from shared.ops.code_hash import code_hash


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """An actor's folded state as of ``head``.

    ``fold`` names the code that folded it; ``handled`` are the newest command ids with their events' stream positions.
    """

    fold: str
    head: Head
    state: msgspec.Raw
    handled: tuple[tuple[str, int], ...] = ()


class SnapshotStore(Protocol):
    """Where snapshots are kept. Losing one costs time, nothing else."""

    async def get(self, actor: Actor) -> Snapshot | None:
        """The newest snapshot, or None; never raises."""
        ...

    async def put(self, actor: Actor, snapshot: Snapshot) -> None:
        """Keep a snapshot in place of the one before; never raises."""
        ...

    async def event_at(self, position: int) -> RecordedEvent | None:
        """The event at a stream position, to check a snapshot against."""
        ...


def fold_of(decider: Decider[Any]) -> str:
    """The SHA-256 in hex of the kind, and of all code that reads and folds its events, with the modules it imports.

    What reads stored events is part of it, because another way to lift an older shape makes another state. It knows all
    contracts, so a change in any of them is another hash too: that costs a fold of long actors, nothing else.
    Ask when the process starts, while the files on disk are still the code that runs. The first of a
    process takes 50 ms, each further one 5 ms (measured).
    """
    code = code_hash([decider.evolve.__module__, type(decider.initial).__module__, decode_event.__module__])
    return hashlib.sha256(f"{decider.kind} {code}".encode()).hexdigest()


def fits(snapshot: Snapshot, actor: Actor, fold: str, event: RecordedEvent | None) -> bool:
    """Whether code of the hash ``fold`` made the snapshot, and the log has its event: same actor, version and hash."""
    return (
        snapshot.fold == fold
        and event is not None
        and event.actor == actor
        and (event.sequence, event.hash) == (snapshot.head.sequence, snapshot.head.hash)
    )
