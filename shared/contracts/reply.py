"""The reply: what the gateway makes visible outside for one task, one named effect at a time. It has the task's id."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from shared.contracts.messages import ArtifactRef, CausedCommand, CausedEvent, Command, Event
from shared.contracts.pull_request import CatchUp

COMMENT: Final = "comment"
"""The effect that is a task's one comment: edited in place, never written a second time."""
STATE: Final = "state"
"""The effect that is the status of a task's thing."""


class EffectStatus(StrEnum):
    """How far one effect has come."""

    REQUESTED = "requested"
    CLAIMED = "claimed"
    POSTED = "posted"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


class Mark(StrEnum):
    """What a reaction at somebody's words says, by its name on GitHub.

    AT_WORK gives way to DONE or NOT_DONE at the end. HEARD: the decision was taken over. REFUSED: it was not.
    """

    AT_WORK = "eyes"
    DONE = "rocket"
    NOT_DONE = "-1"
    HEARD = "+1"
    REFUSED = "confused"


class Progress(StrEnum):
    """How far the work on a thing has come, for a sender whose things have a status of their own."""

    WORKING = "working"
    REVIEW = "review"
    DONE = "done"


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
    """Give up every publication that nobody has claimed yet."""


class Want(Command, frozen=True, kw_only=True):
    """Have something shown to the people who wait for it, where they are. ``effect`` is its natural key.

    ``comment`` is the one of the task; ``reaction/<origin>``, ``refusal/<origin>`` and ``answer/<origin>`` belong to
    the message of that origin, ``check/<commit>`` to a published commit. ``thread`` is the thing that it is shown on,
    or empty for the task's own. ``target`` is the message or commit that it is about, empty for the thing itself;
    ``author`` wrote that, at ``url``. ``text`` is the reaction's `Mark`, the refusal's sentence, or the answer's word;
    a comment is rendered from the task when it is written. One with a ``revision`` that is not newer changes nothing.
    ``review/<attempt>`` is the review which that attempt at a task has written, of the commit ``target``.
    ``state`` is the status of the thing itself (``text``: `Progress`), ``link/<n>`` one from it to the pull request at
    ``text``, ``work-log/<attempt>`` the seconds (``text``) that an agent has worked until ``at``. ``only`` are the
    senders whose things can be shown it; empty is every one. ``anew``: it is shown only where an older revision of it
    is wanted or shown already.
    """

    effect: str
    thread: str = ""
    repo: str = ""
    target: str = ""
    text: str = ""
    author: str = ""
    url: str = ""
    revision: int = 1
    at: datetime | None = None
    only: tuple[str, ...] = ()
    anew: bool = False


class Show(Command, frozen=True, kw_only=True):
    """Report that the effect is shown as of ``revision``, at ``url``; ``external`` is the sender's own name for it."""

    effect: str
    attempt: int
    revision: int
    url: str = ""
    external: str = ""


class Conclude(Command, frozen=True, kw_only=True):
    """Have every mark of work under way say how that ended, which was ``at`` then; later ones are of later work.

    AT_WORK: it goes on, and only marks of what was not done say so.
    """

    text: Mark
    revision: int
    at: datetime | None = None


ReplyCommand = Request | Claim | Post | Fail | Withdraw | Want | Show | Conclude


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
    """Publications that are no longer wanted and were never begun."""

    effects: tuple[str, ...]


class Wanted(Event, frozen=True, kw_only=True):
    """Something is to be shown. The fields are those of `Want`, but for whom it may be shown to."""

    effect: str
    thread: str
    repo: str
    target: str = ""
    text: str = ""
    author: str = ""
    url: str = ""
    revision: int = 1
    at: datetime | None = None


class Shown(Event, frozen=True, kw_only=True):
    """The effect is shown as of ``revision``. The fields are those of `Show`."""

    effect: str
    attempt: int
    revision: int
    url: str = ""
    external: str = ""


class Concluded(Event, frozen=True, kw_only=True):
    """The work that these reactions mark as under way has ended: ``text`` says how."""

    effects: tuple[str, ...]
    text: Mark
    revision: int


ReplyEvent = Requested | Claimed | Posted | Failed | Withdrawn | Wanted | Shown | Concluded


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """One effect's state; ``commit`` is the one that became visible."""

    status: EffectStatus
    request: Requested
    attempt: int = 0
    url: str = ""
    commit: str = ""


class Display(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is shown: what was wanted last, and what is shown of it as of which revision (0: nothing yet).

    ``claimed`` is the revision that was wanted when the newest attempt began, by ``worker``. ``url`` and ``external``
    are where it is shown, and the sender's own name for it.
    """

    wanted: Wanted
    status: EffectStatus = EffectStatus.REQUESTED
    attempt: int = 0
    claimed: int = 0
    worker: str = ""
    shown: int = 0
    url: str = ""
    external: str = ""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a reply's events: publications by effect, and the newest version of the task they have acted on.

    ``displays`` are what is shown, by effect, ``thread`` and ``repo`` where the task itself is, known ``since`` then.
    ``marked_at`` and ``told_at`` are the moments of the newest reactions and lines.
    """

    effects: dict[str, Effect] = {}
    cause: int = 0
    displays: dict[str, Display] = {}
    thread: str = ""
    repo: str = ""
    since: datetime | None = None
    marked_at: tuple[datetime, ...] = ()
    told_at: tuple[datetime, ...] = ()


class EffectKind(StrEnum):
    """What an effect is; the part of its name before the slash."""

    BRANCH = "branch"
    COMMENT = "comment"
    REVIEW = "review"
    REACTION = "reaction"
    REFUSAL = "refusal"
    ANSWER = "answer"
    CHECK = "check"
    STATE = "state"
    LINK = "link"
    WORK_LOG = "work-log"


def kind_of_effect(effect: str) -> EffectKind | None:
    """What an effect is, or None for one of a later version."""
    try:
        return EffectKind(effect.partition("/")[0])
    except ValueError:
        return None


def sender_of(thread: str) -> str:
    """Whose the place is. A commit's is the one sender that has commits."""
    sender = thread.partition(":")[0]
    return "github" if sender == "commit" else sender


def effect_at(kind: EffectKind, origin: str) -> str:
    """The effect of that kind at the message of that origin, which is empty for the thing itself."""
    return f"{kind}/{origin or 'thing'}"


class Update(msgspec.Struct, frozen=True):
    """What an effect does to a branch at ``head``: bring it up to date with the commit ``base`` of its base."""

    how: CatchUp
    head: str
    base: str


def update_effect(how: CatchUp, head: str, base: str) -> str:
    """The effect that brings a branch up to date."""
    return f"update/{how}/{head}/{base}"


def update_of(effect: str) -> Update | None:
    """What an effect brings up to date, or None for an effect of another nature."""
    match effect.split("/"):
        case ["update", how, head, base] if how in set(CatchUp):
            return Update(CatchUp(how), head, base)
        case _:
            return None


def review_effect(attempt: int) -> str:
    """The effect that shows the review which an attempt has written: ``review/2``."""
    return f"{EffectKind.REVIEW}/{attempt}"


def reviewed_in(effect: str) -> int:
    """Which attempt's review an effect shows; 0 for an effect of another nature."""
    kind, _, attempt = effect.partition("/")
    return int(attempt) if kind == EffectKind.REVIEW and attempt.isdecimal() else 0


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
