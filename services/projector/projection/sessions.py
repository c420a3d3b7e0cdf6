"""What happened in a conversation."""

from __future__ import annotations

from services.projector.projection.facts import Fact
from services.projector.projection.rows import LineRow
from shared.contracts import session


def rows(fact: Fact) -> list[LineRow]:
    """One row for each event of a session that people see something of."""
    match fact.data:
        case session.Said() as data:
            return [_row(fact, data.message, author=data.author, task_id=data.task_id)]
        case session.AnswerRecorded() as data:
            return [_row(fact, data.text, task_id=data.task_id)]
        case session.Asked() as data:
            return [_row(fact, data.message, author=data.author, message_id=data.message_id)]
        case session.Answered(text=text) | session.Interrupted(text=text) | session.Failed(message=text) as data:
            return [_row(fact, text, message_id=data.message_id)]
        case session.AnswerStarted(message_id=id) | session.InterruptRequested(message_id=id):
            return [_row(fact, message_id=id)]
        case session.Proposed(proposal=proposal) as data:
            return [_row(fact, proposal.text, task_id=proposal.task_id, message_id=data.message_id)]
        case session.Confirmed(proposal=proposal):
            return [_row(fact, proposal.text, task_id=proposal.task_id)]
        case session.Renamed(title=title):
            return [_row(fact, title)]
        case session.Dismissed() | session.Archived() | session.Unarchived():
            return [_row(fact)]
        case _:
            return []


def _row(fact: Fact, text: str = "", *, author: str = "", task_id: str = "", message_id: str = "") -> LineRow:
    return LineRow(
        seq=fact.seq,
        session_id=fact.actor_id,
        event=fact.name,
        author=author,
        principal=fact.principal,
        text=text,
        task_id=task_id,
        message_id=message_id,
        data=fact.raw,
        said_at=fact.at,
    )
