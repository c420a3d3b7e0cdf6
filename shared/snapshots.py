"""Snapshots of long actors: optional, checked against the log, and thrown away whenever they do not fit."""

from __future__ import annotations

import hashlib
import inspect
import sys
from functools import lru_cache
from typing import Any, Protocol

import msgspec

from shared.deciding import Decider
from shared.envelope import Recorded
from shared.journal import Head
from shared.subjects import Actor


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

    async def event_at(self, position: int) -> Recorded | None:
        """The event at a stream position, to check a snapshot against."""
        ...


def fold_of(decider: Decider[Any]) -> str:
    """The SHA-256 of the code that folds: a snapshot of other code is not used."""
    return _sha256_of(decider.evolve.__module__, type(decider.initial).__module__)


@lru_cache
def _sha256_of(*modules: str) -> str:
    return hashlib.sha256("".join(inspect.getsource(sys.modules[each]) for each in modules).encode()).hexdigest()


def fits(snapshot: Snapshot, actor: Actor, decider: Decider[Any], event: Recorded | None) -> bool:
    """Whether the log says the same: the event at the snapshot's head has its actor, version and hash."""
    return (
        snapshot.fold == fold_of(decider)
        and event is not None
        and event.actor == actor
        and (event.sequence, event.hash) == (snapshot.head.sequence, snapshot.head.hash)
    )
