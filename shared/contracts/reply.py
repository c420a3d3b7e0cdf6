"""The reply: what the gateway makes visible outside for one task, one named effect at a time. It has the task's id."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from shared.contracts.messages import ArtifactRef, CausedCommand, CausedEvent, Command, Event


class EffectStatus(StrEnum):
    """How far one effect has come."""

    REQUESTED = "requested"
    CLAIMED = "claimed"
    POSTED = "posted"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


class Request(CausedCommand, frozen=True, kw_only=True):
    """Make a result visible. ``effect`` is its natural key within the task, such as ``branch/1``.

    What becomes visible must have the ``tree`` that was checked, where it is named.
    """

    effect: str
    repo: str
    base_commit: str
    commit: str
    branch: str
    bundle: ArtifactRef | None = None
    tree: str = ""


class Claim(Command, frozen=True, kw_only=True):
    """Take the effect over: only the newest attempt may report."""

    effect: str
    worker: str


class Post(Command, frozen=True, kw_only=True):
    """Report that the effect is visible; ``commit`` is the one that is, where it is another than was asked for.

    ``pull_request`` is the number of the one that it is visible in, at ``url``; 0 is none.
    """

    effect: str
    attempt: int
    url: str = ""
    commit: str = ""
    pull_request: int = 0


class Fail(Command, frozen=True, kw_only=True):
    """Report that the effect cannot be made."""

    effect: str
    attempt: int
    code: str
    message: str


class Withdraw(CausedCommand, frozen=True, kw_only=True):
    """Give up every effect that nobody has claimed yet."""


ReplyCommand = Request | Claim | Post | Fail | Withdraw


class Requested(CausedEvent, frozen=True, kw_only=True):
    """An effect is wanted."""

    effect: str
    repo: str
    base_commit: str
    commit: str
    branch: str
    bundle: ArtifactRef | None = None
    tree: str = ""


class Claimed(Event, frozen=True, kw_only=True):
    """A gateway is about to act."""

    effect: str
    attempt: int
    worker: str


class Posted(Event, frozen=True, kw_only=True):
    """The effect is visible outside: at ``url``, in the pull request of that number where there is one."""

    effect: str
    attempt: int
    commit: str
    branch: str
    url: str = ""
    pull_request: int = 0


class Failed(Event, frozen=True, kw_only=True):
    """The effect cannot be made; ``message`` says what to do about it."""

    effect: str
    attempt: int
    code: str
    message: str


class Withdrawn(CausedEvent, frozen=True, kw_only=True):
    """Effects that are no longer wanted and were never begun."""

    effects: tuple[str, ...]


ReplyEvent = Requested | Claimed | Posted | Failed | Withdrawn


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """One effect's state; ``commit`` is the one that became visible."""

    status: EffectStatus
    request: Requested
    attempt: int = 0
    url: str = ""
    commit: str = ""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a reply's events: its effects by name, and the newest version of the task it has acted on."""

    effects: dict[str, Effect] = {}
    cause: int = 0


class Publication(msgspec.Struct, frozen=True):
    """What an effect publishes: what a run's attempt made, and which try at publishing it this is (1, 2 …)."""

    attempt: int
    number: int = 1


def branch_effect(attempt: int, number: int = 1) -> str:
    """The effect that publishes what a run's attempt made: ``branch/3``, and ``branch/3/2`` for the second try."""
    return f"branch/{attempt}" if number == 1 else f"branch/{attempt}/{number}"


def publication_of(effect: str) -> Publication | None:
    """What an effect publishes, or None for an effect of another nature."""
    match effect.split("/"):
        case ["branch", attempt] if attempt.isdecimal():
            return Publication(int(attempt))
        case ["branch", attempt, number] if attempt.isdecimal() and number.isdecimal():
            return Publication(int(attempt), int(number))
        case _:
            return None
