"""The delivery: one thing that a webhook told and that was accepted. Its id is derived from what happened."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from shared.contracts.messages import ArtifactRef, Command, Event
from shared.contracts.pull_request import PullFacts


class SignalKind(StrEnum):
    """What a delivery means to us."""

    WORK = "work"
    COMMENT = "comment"
    EDITED = "edited"
    CLOSED = "closed"
    REOPENED = "reopened"
    PULL_REQUEST = "pull-request"
    REVIEW = "review"
    CHECK = "check"


class Word(StrEnum):
    """What people may tell us in a text, behind a mention; each has aliases, which the gateway knows."""

    PLAN = "plan"
    IMPLEMENT = "implement"
    FIX = "fix"
    REVIEW = "review"
    ASK = "ask"
    APPROVE = "approve"
    REJECT = "reject"
    REVISE = "revise"
    RETRY = "retry"
    CONTINUE = "continue"
    STOP = "stop"
    AUTO = "auto"
    STATUS = "status"
    HELP = "help"


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """A sender's event in our words; every sender's adapter makes one.

    ``thread`` names the thing the event is about (``github:1296269#7``) and is stable over all its events, so one
    thing is one task; ``opened_at_ms`` is when that thing was opened (milliseconds since 1970, UTC). ``text`` is what
    was written: the thing's own text, or a comment's, whose thing has the text ``context``; of a thing that is closed
    it says by whom. ``directive`` is the `Word` behind ``@agent``, or empty; ``argument`` is the rest of that line.
    ``trusted`` says that the sender's own claim of the author's role allows steering (a hint, not a proof), and
    ``by_program`` that the author is no person. ``origin`` names the message itself, the same in every delivery of it;
    empty where the sender does not name its messages, and for the thing's own text. ``mentioned``: it addresses us, or
    gives the thing to us; an edit does so for the first time. ``pull_request``: the thing is one. ``agent`` is to do
    the work instead of the repository's. ``pull`` has the facts of a pull request, a review or a check. ``as_of_ms`` is
    when the words came to read so by the sender's clock (milliseconds since 1970), 0 where it does not tell. ``waits``:
    whoever did it may not have work begun there, and it is to wait for somebody who may.
    """

    kind: SignalKind
    thread: str
    opened_at_ms: int
    title: str
    text: str
    repo: str = ""
    url: str = ""
    author: str = ""
    trusted: bool = False
    directive: str = ""
    argument: str = ""
    origin: str = ""
    context: str = ""
    by_program: bool = False
    mentioned: bool = False
    pull_request: bool = False
    agent: str = ""
    pull: PullFacts | None = None
    as_of_ms: int = 0
    waits: bool = False


SELF_TEST: Final = "journeyman.test"
"""The author of a delivery that we have sent ourselves to try the way: its thing is nowhere."""
NOT_AUTHORISED: Final = frozenset({"not-trusted", "stranger", "permission-unknown"})
"""The codes of refusals that say: its author may not ask for that here."""


class Accepted(Event, frozen=True, kw_only=True):
    """A verified delivery, durably ours before the sender got its 202.

    ``body`` is the raw JSON body where it is small, else null and ``artifact`` names it; ``body_sha256`` is over the
    raw bytes. ``asks_permission``: nothing is done about it until it is `Authorised`.
    """

    webhook: str
    event: str
    action: str
    delivery: str
    signal: Signal
    body_sha256: str
    body_size: int
    body: msgspec.Raw
    artifact: ArtifactRef | None = None
    asks_permission: bool = False


class Authorised(Event, frozen=True, kw_only=True):
    """The sender was asked what the delivery's author may do, and ``signal`` is what counts of it.

    ``permission`` is the role that the author has there (``admin``, ``maintain``, ``write``, ``triage``, ``read``,
    ``none``), or empty where nobody had to be asked. ``decided_by`` says what decided: ``permission``, ``people``,
    ``team``, ``bots``, ``strangers``, ``harmless``, ``self-test``, ``fact`` for what happened whoever did it, or
    ``details`` where only those were asked for.
    """

    signal: Signal
    permission: str = ""
    decided_by: str = ""


class Refused(Event, frozen=True, kw_only=True):
    """What the delivery asks for is not done, and no task can say why; ``reason`` says it to its author.

    What a task refuses is told by the task: `task.ActionRefused` and `task.FollowUpRefused`, with the signal's origin.
    ``signal`` is the refused one without its words: who is told so, and where. An older event does not say it.
    """

    code: str
    reason: str
    signal: Signal | None = None


class Replayed(Event, frozen=True, kw_only=True):
    """An operator had the delivery read again, by the version and the configuration of that day.

    ``asks_permission`` is that of `Accepted`.
    """

    signal: Signal
    asks_permission: bool = False


DeliveryEvent = Accepted | Authorised | Refused | Replayed


class Authorise(Command, frozen=True, kw_only=True):
    """Record what counts of the delivery. The fields are those of `Authorised`."""

    signal: Signal
    permission: str = ""
    decided_by: str = ""


class Refuse(Command, frozen=True, kw_only=True):
    """Record that what the delivery asks for is not done, and why."""

    code: str
    reason: str


class Replay(Command, frozen=True, kw_only=True):
    """Have the delivery acted on once more, as it is read now. What has taken effect before does not do so twice."""

    signal: Signal
    asks_permission: bool = False


DeliveryCommand = Authorise | Refuse | Replay


class Delivery(Accepted, frozen=True, kw_only=True):
    """The fold of a delivery's events: how it was accepted, whether it is authorised, the codes of what was refused,
    and how often it was replayed."""

    authorised: bool = False
    refused: tuple[str, ...] = ()
    replays: int = 0
