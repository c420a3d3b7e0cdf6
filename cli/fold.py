"""Folding any actor with the rules of the service that owns it."""

from __future__ import annotations

import importlib
from typing import Any

import msgspec

from cli.failures import Failure
from shared.contracts.decider import Decider
from shared.contracts.kinds import KINDS, Kind
from shared.contracts.subjects import actor
from shared.event_store.journal import Journal


def _decider_of(kind: Kind) -> Decider[Any]:
    decider: Decider[Any] = importlib.import_module(f"services.{kind.owner}.actors.{kind.name}").DECIDER
    return decider


DECIDERS: dict[str, Decider[Any]] = {name: _decider_of(kind) for name, kind in KINDS.items()}
"""The rules of every kind: they stay with the service that owns the kind, in the module of the kind's name."""


class Folded(msgspec.Struct, frozen=True, kw_only=True):
    """An actor's state as of its event at stream sequence ``position``; ``sequence`` is its own version."""

    actor: str
    position: int
    sequence: int
    hash: str
    state: Any


async def fold(journal: Journal, kind: str, id: str, at: int | None = None) -> Folded:
    """The actor as of the stream sequence ``at``; raises `Failure` when it had no event by then, and `LogDamaged`."""
    decider = DECIDERS.get(kind)
    if decider is None:
        raise Failure(f"There are no {kind!r} actors; there are: {', '.join(DECIDERS)}.")
    address = actor(kind, id)
    events = await journal.load(address, up_to=at)
    if not events:
        when = "" if at is None else f" up to stream sequence {at}"
        raise Failure(f"The log has no event of {address}{when}: look the id up with `journeyman task list`.")
    last = events[-1]
    return Folded(
        actor=str(address),
        position=last.position,
        sequence=last.sequence,
        hash=last.hash,
        state=decider.fold(event.data for event in events),
    )
