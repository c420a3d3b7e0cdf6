"""The session's rules: work becomes a task, other messages are answered one by one, and people decide on proposals."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from services.brain.actors import answers
from shared.contracts.decider import Decider, Rejected
from shared.contracts.session import (
    AnswerRecorded,
    Archive,
    Archived,
    Ask,
    Asked,
    Confirm,
    Confirmed,
    Dismiss,
    Dismissed,
    Line,
    Proposal,
    RecordAnswer,
    Rename,
    Renamed,
    Said,
    Say,
    Session,
    SessionCommand,
    SessionEvent,
    Unarchive,
    Unarchived,
)
from shared.ops.visible import is_blank

REMEMBERED_LINES: Final = 200
MOST_WAITING: Final = 20
MOST_ATTACHMENTS: Final = 10
MAX_TITLE_CHARS: Final = 120


def decide(session: Session, command: SessionCommand) -> SessionEvent | None:
    """What comes of a command. Raises `Rejected`; what was told twice gives None."""
    match command:
        case Say(message=message) | Ask(message=message) if is_blank(message):
            raise Rejected("message-empty", "There is nothing to answer: write a message.")
        case Say() if any(line.task_id == command.task_id for line in session.lines):
            return None
        case Say():
            return Said(
                message=command.message,
                author=command.author,
                task_id=command.task_id,
                repo=command.repo,
                approval=command.approval,
                directive=command.directive,
            )
        case RecordAnswer() if _answer(command) in session.lines:
            return None
        case RecordAnswer():
            return AnswerRecorded(task_id=command.task_id, text=command.text)
        case Ask():
            return _asked(session, command)
        case Confirm(proposal_id=id):
            proposal = _open_proposal(session, id)
            return None if proposal is None else Confirmed(proposal=proposal, approval=command.approval)
        case Dismiss(proposal_id=id):
            return None if _open_proposal(session, id) is None else Dismissed(proposal_id=id)
        case Rename(title=title):
            return _renamed(session, " ".join(title.split()))
        case Archive():
            return None if session.archived else Archived()
        case Unarchive():
            return Unarchived() if session.archived else None
        case _:
            return answers.decide(session, command)


def _asked(session: Session, command: Ask) -> Asked | None:
    if command.message_id in session.heard:
        return None
    if len(session.waiting) >= MOST_WAITING:
        raise Rejected(
            "too-many-waiting", f"So many messages wait already ({MOST_WAITING}): wait for an answer, or stop one."
        )
    if len(command.attachments) > MOST_ATTACHMENTS:
        raise Rejected("too-many-attachments", f"A message is about {MOST_ATTACHMENTS} things at most.")
    return Asked(
        message_id=command.message_id,
        message=command.message,
        author=command.author,
        repo=command.repo,
        attachments=command.attachments,
    )


def _open_proposal(session: Session, id: str) -> Proposal | None:
    """The proposal; None when somebody has decided on it before. Raises `Rejected` ``proposal-unknown``."""
    for proposal in session.open:
        if proposal.proposal_id == id:
            return proposal
    if id in session.decided:
        return None
    raise Rejected("proposal-unknown", "Nothing like this is proposed here any more: ask the brain again.")


def _renamed(session: Session, title: str) -> Renamed | None:
    if len(title) > MAX_TITLE_CHARS:
        raise Rejected("title-too-long", f"A title has {MAX_TITLE_CHARS} letters at most.")
    return None if title == session.title else Renamed(title=title)


def evolve(session: Session, event: SessionEvent) -> Session:
    """The conversation after a fact."""
    match event:
        case Said():
            return _with(session, Line(author=event.author, text=event.message, task_id=event.task_id))
        case AnswerRecorded():
            return _with(session, _answer(event))
        case Asked():
            line = Line(author=event.author, text=event.message, task_id="")
            heard = (*session.heard, event.message_id)[-REMEMBERED_LINES:]
            return _with(replace(session, heard=heard, waiting=(*session.waiting, event)), line)
        case Confirmed(proposal=proposal):
            return _decided(session, proposal.proposal_id)
        case Dismissed(proposal_id=id):
            return _decided(session, id)
        case Renamed(title=title):
            return replace(session, title=title)
        case Archived():
            return replace(session, archived=True)
        case Unarchived():
            return replace(session, archived=False)
        case _:
            after = answers.evolve(session, event)
            said = answers.said(event)
            return _with(after, Line(author="", text=said, task_id="")) if said else after


def _with(session: Session, line: Line) -> Session:
    return replace(session, lines=(*session.lines, line)[-REMEMBERED_LINES:])


def _decided(session: Session, id: str) -> Session:
    still_open = tuple(each for each in session.open if each.proposal_id != id)
    return replace(session, open=still_open, decided=(*session.decided, id)[-REMEMBERED_LINES:])


def _answer(message: RecordAnswer | AnswerRecorded) -> Line:
    return Line(author="", text=message.text, task_id=message.task_id)


DECIDER = Decider("session", Session(), decide, evolve)
