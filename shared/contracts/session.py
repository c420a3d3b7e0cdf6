"""The session: one conversation of a person with the brain, in which questions are answered and tasks begin.

A message that is work is `Said` and becomes a task at once. Any other message is `Asked`: the brain's agent answers
them one after the other, and each comes to exactly one of `Answered`, `Failed` and `Interrupted`. What the agent would
like to change is `Proposed`, and happens only when a person has `Confirmed` it.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from shared.contracts.messages import ArtifactRef, Command, Event
from shared.contracts.task import Approval, Directive
from shared.contracts.usage import Accounts, ModelUsage


class AttachmentKind(StrEnum):
    """What a message can be about."""

    TASK = "task"
    REPOSITORY = "repository"
    FILE = "file"


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a message is about: a task's id, a repository's name, or a file of one as ``path@commit``."""

    kind: AttachmentKind
    reference: str
    repo: str = ""


class Action(StrEnum):
    """What an agent may propose. Approving, rejecting and publishing are not among it: that is for people alone."""

    SUBMIT = "submit"
    STOP = "stop"
    RETRY = "retry"
    MESSAGE = "message"


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What is done when a person confirms it. ``text`` is what is to be done or said, or why; ``title`` a task's."""

    proposal_id: str
    action: Action
    task_id: str
    repo: str = ""
    title: str = ""
    text: str = ""


# ---- commands --------------------------------------------------------------------------------------------------------


class Say(Command, frozen=True, kw_only=True):
    """A person says something; it becomes the task ``task_id``."""

    message: str
    author: str
    task_id: str
    repo: str = ""
    approval: Approval = Approval.REQUIRED
    directive: Directive = Directive.AUTO


class RecordAnswer(Command, frozen=True, kw_only=True):
    """The brain's answer to one message."""

    task_id: str
    text: str


class Ask(Command, frozen=True, kw_only=True):
    """A person says something that the brain answers in the conversation."""

    message_id: str
    message: str
    author: str
    repo: str = ""
    attachments: tuple[Attachment, ...] = ()


class StartAnswer(Command, frozen=True, kw_only=True):
    """Begin with the oldest message that waits, unless another is being answered."""


class Claim(Command, frozen=True, kw_only=True):
    """Take an answer over: every later report of an older attempt is refused."""

    answer: int
    worker: str
    session: str


class Answer(Command, frozen=True, kw_only=True):
    """Report the answer. ``session`` and ``transcript`` are the CLI's conversation, which the next answer resumes."""

    attempt: int
    text: str
    usage: tuple[ModelUsage, ...] = ()
    duration_ms: int = 0
    session: str = ""
    transcript: ArtifactRef | None = None


class Fail(Command, frozen=True, kw_only=True):
    """Report that no answer came out."""

    attempt: int
    code: str
    message: str
    usage: tuple[ModelUsage, ...] = ()


class Interrupt(Command, frozen=True, kw_only=True):
    """A person does not want this answer any more."""

    message_id: str


class RecordInterrupted(Command, frozen=True, kw_only=True):
    """Report that the answering agent is gone; ``text`` is what it had said."""

    attempt: int
    text: str = ""
    usage: tuple[ModelUsage, ...] = ()


class RecordSpend(Command, frozen=True, kw_only=True):
    """Report the whole spend of a place's agents on one answer; what is known of it adds nothing."""

    answer: int
    place: str
    usage: tuple[ModelUsage, ...] = ()


class Propose(Command, frozen=True, kw_only=True):
    """The answering agent proposes something."""

    attempt: int
    proposal: Proposal


class Confirm(Command, frozen=True, kw_only=True):
    """A person wants what is proposed."""

    proposal_id: str
    approval: Approval = Approval.REQUIRED


class Dismiss(Command, frozen=True, kw_only=True):
    """A person does not want what is proposed."""

    proposal_id: str


class Rename(Command, frozen=True, kw_only=True):
    """Give the conversation a title; an empty one is that of its first message again."""

    title: str


class Archive(Command, frozen=True, kw_only=True):
    """Put the conversation away."""


class Unarchive(Command, frozen=True, kw_only=True):
    """Take the conversation out again."""


SessionCommand = (
    Say
    | RecordAnswer
    | Ask
    | StartAnswer
    | Claim
    | Answer
    | Fail
    | Interrupt
    | RecordInterrupted
    | RecordSpend
    | Propose
    | Confirm
    | Dismiss
    | Rename
    | Archive
    | Unarchive
)


# ---- events ----------------------------------------------------------------------------------------------------------


class Said(Event, frozen=True, kw_only=True):
    """A person said something that became a task."""

    message: str
    author: str
    task_id: str
    repo: str = ""
    approval: Approval = Approval.REQUIRED
    directive: Directive = Directive.AUTO


class AnswerRecorded(Event, frozen=True, kw_only=True):
    """A task that was a question has been answered."""

    task_id: str
    text: str


class Asked(Event, frozen=True, kw_only=True):
    """A person said something that the brain is to answer in the conversation."""

    message_id: str
    message: str
    author: str
    repo: str = ""
    attachments: tuple[Attachment, ...] = ()


class AnswerStarted(Event, frozen=True, kw_only=True):
    """A message is being answered. ``answer`` counts the answers of the session, 1, 2, 3 …"""

    answer: int
    message_id: str


class Claimed(Event, frozen=True, kw_only=True):
    """A worker took the answer. ``attempt`` counts claims over the session's whole life."""

    answer: int
    attempt: int
    worker: str
    session: str


class Answered(Event, frozen=True, kw_only=True):
    """The brain answered a message."""

    answer: int
    message_id: str
    attempt: int
    text: str
    usage: tuple[ModelUsage, ...] = ()
    asked_by: str = ""
    duration_ms: int = 0
    session: str = ""
    transcript: ArtifactRef | None = None


class Failed(Event, frozen=True, kw_only=True):
    """A message got no answer."""

    answer: int
    message_id: str
    attempt: int
    code: str
    message: str
    usage: tuple[ModelUsage, ...] = ()
    asked_by: str = ""


class InterruptRequested(Event, frozen=True, kw_only=True):
    """The answer is to be broken off."""

    answer: int
    message_id: str


class Interrupted(Event, frozen=True, kw_only=True):
    """The answer was broken off, or had not begun; ``text`` is what had been said by then."""

    answer: int
    message_id: str
    attempt: int
    text: str = ""
    usage: tuple[ModelUsage, ...] = ()
    asked_by: str = ""


class SpendRecorded(Event, frozen=True, kw_only=True):
    """A place's agents spent more on one answer than its reports had said: their work was overtaken or broken off."""

    answer: int
    place: str
    usage: tuple[ModelUsage, ...] = ()
    asked_by: str = ""


class Proposed(Event, frozen=True, kw_only=True):
    """The agent would like something to be done."""

    answer: int
    message_id: str
    proposal: Proposal


class Confirmed(Event, frozen=True, kw_only=True):
    """A person wants it done: whose word it is stands in the event's ``principal``."""

    proposal: Proposal
    approval: Approval = Approval.REQUIRED


class Dismissed(Event, frozen=True, kw_only=True):
    """A person does not want it done."""

    proposal_id: str


class Renamed(Event, frozen=True, kw_only=True):
    """The conversation has another title."""

    title: str


class Archived(Event, frozen=True, kw_only=True):
    """The conversation was put away."""


class Unarchived(Event, frozen=True, kw_only=True):
    """The conversation was taken out again."""


SessionEvent = (
    Said
    | AnswerRecorded
    | Asked
    | AnswerStarted
    | Claimed
    | Answered
    | Failed
    | InterruptRequested
    | Interrupted
    | SpendRecorded
    | Proposed
    | Confirmed
    | Dismissed
    | Renamed
    | Archived
    | Unarchived
)


# ---- state -----------------------------------------------------------------------------------------------------------


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the conversation; ``author`` is empty for the brain's own."""

    author: str
    text: str
    task_id: str


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a session's events: its last 200 lines, the messages that wait, and the answer that is being given.

    ``heard`` are the ids of the last messages, ``open`` the proposals that nobody has decided, ``decided`` the ids of
    the last ones that somebody has. ``resumes`` is the CLI's conversation and ``transcript`` its record, which the
    next answer goes on from. ``asked_by`` is whose message the newest answer is to. ``accounts`` is the spend of each
    place.
    """

    lines: tuple[Line, ...] = ()
    heard: tuple[str, ...] = ()
    waiting: tuple[Asked, ...] = ()
    answer: int = 0
    answering: Asked | None = None
    asked_by: str = ""
    attempt: int = 0
    claimed_answer: int = 0
    worker: str = ""
    interrupting: bool = False
    resumes: str = ""
    transcript: ArtifactRef | None = None
    open: tuple[Proposal, ...] = ()
    decided: tuple[str, ...] = ()
    title: str = ""
    archived: bool = False
    accounts: Accounts = {}
