"""What every sender's adapter says about a delivery."""

from __future__ import annotations

import msgspec

from shared.contracts.delivery import Signal


class Unreadable(Exception):
    """An authentic body that is not what the sender's documentation promises; the text says where."""


class Ignored(msgspec.Struct, frozen=True):
    """A delivery that is authentic and not for us, and why."""

    reason: str


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery, read: the event's action, who sent it, and what it means to us."""

    action: str
    sender: str
    meaning: Signal | Ignored
