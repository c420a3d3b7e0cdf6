"""What the doors of webhooks have answered lately. It is no part of the log: it may be lost, and is kept for a week."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final

import msgspec

MOST_RECENT: Final = 20
"""Calls of one door that are shown with their bodies, of each outcome."""


class Outcome(StrEnum):
    """What became of a call. Only what is accepted stands in the log."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    REFUSED = "refused"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a door, as it was answered.

    ``reason`` says why it was ignored or refused, and ``code`` the same for programs; ``delivery`` is the one that is
    kept of it. ``headers`` are the names of its headers, never what they say. ``body`` is the beginning of its body
    without secrets, and ``body_bytes`` how long it was; both are empty where the body was not read.
    """

    at: datetime
    outcome: Outcome
    status: int
    code: str = ""
    reason: str = ""
    delivery: str = ""
    event: str = ""
    client: str = ""
    headers: tuple[str, ...] = ()
    body: str = ""
    body_bytes: int = 0


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What one gateway, or all of them, have answered at a door on a day (UTC), and the newest call of each outcome,
    without its body. ``refusals`` counts what was refused by its code: ``signature-invalid`` and others."""

    day: date
    counts: Mapping[Outcome, int] = {}
    refusals: Mapping[str, int] = {}
    last: Mapping[Outcome, Call] = {}


def together(tallies: Iterable[Tally], today: date) -> Tally:
    """The tallies of all gateways as one; what was counted on other days counts no more."""
    counts: Counter[Outcome] = Counter()
    refusals: Counter[str] = Counter()
    last: dict[Outcome, Call] = {}
    for tally in tallies:
        if tally.day == today:
            counts.update(tally.counts)
            refusals.update(tally.refusals)
        for outcome, call in tally.last.items():
            if outcome not in last or call.at > last[outcome].at:
                last[outcome] = call
    return Tally(day=today, counts=counts, refusals=refusals, last=last)


def newest(calls: Iterable[Call]) -> tuple[Call, ...]:
    """The newest calls of each outcome, the newest first: many refusals push out no accepted call."""
    kept: dict[Outcome, int] = {}
    found: list[Call] = []
    for call in sorted(calls, key=lambda call: call.at, reverse=True):
        kept[call.outcome] = kept.get(call.outcome, 0) + 1
        if kept[call.outcome] <= MOST_RECENT:
            found.append(call)
    return tuple(found)


def today() -> date:
    """The day (UTC)."""
    return datetime.now(UTC).date()
