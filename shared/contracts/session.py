"""The session: one conversation of a person with the brain, out of which tasks come."""

from __future__ import annotations

import msgspec

from shared.contracts.messages import Command, Event
from shared.contracts.task import Approval


class Say(Command, frozen=True, kw_only=True):
    """A person says something; it becomes the task ``task_id``."""

    message: str
    author: str
    task_id: str
    repo: str = ""
    approval: Approval = Approval.REQUIRED


class RecordAnswer(Command, frozen=True, kw_only=True):
    """The brain's answer to one message."""

    task_id: str
    text: str


SessionCommand = Say | RecordAnswer


class Said(Event, frozen=True, kw_only=True):
    """A person said something."""

    message: str
    author: str
    task_id: str
    repo: str = ""
    approval: Approval = Approval.REQUIRED


class AnswerRecorded(Event, frozen=True, kw_only=True):
    """The brain answered."""

    task_id: str
    text: str


SessionEvent = Said | AnswerRecorded


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the conversation; ``author`` is empty for the brain's own."""

    author: str
    text: str
    task_id: str


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a session's events: its last 200 lines."""

    lines: tuple[Line, ...] = ()
