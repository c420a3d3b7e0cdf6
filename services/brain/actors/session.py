"""The session's rules: what is said becomes a task, and its answer comes back here."""

from __future__ import annotations

from typing import Final, assert_never

from shared.contracts.decider import Decider, Rejected
from shared.contracts.session import (
    AnswerRecorded,
    Line,
    RecordAnswer,
    Said,
    Say,
    Session,
    SessionCommand,
    SessionEvent,
)
from shared.ops.visible import is_blank

REMEMBERED_LINES: Final = 200


def decide(session: Session, command: SessionCommand) -> SessionEvent | None:
    """What comes of a command. Raises `Rejected` ``message-empty``; what was told twice gives None."""
    match command:
        case Say(message=message) if is_blank(message):
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
            )
        case RecordAnswer() if _answer(command) in session.lines:
            return None
        case RecordAnswer():
            return AnswerRecorded(task_id=command.task_id, text=command.text)


def evolve(session: Session, event: SessionEvent) -> Session:
    """The conversation after a fact."""
    match event:
        case Said():
            line = Line(author=event.author, text=event.message, task_id=event.task_id)
        case AnswerRecorded():
            line = _answer(event)
        case _:
            assert_never(event)
    return Session(lines=(*session.lines, line)[-REMEMBERED_LINES:])


def _answer(message: RecordAnswer | AnswerRecorded) -> Line:
    return Line(author="", text=message.text, task_id=message.task_id)


DECIDER = Decider("session", Session(), decide, evolve)
