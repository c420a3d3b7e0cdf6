"""The lines of a conversation."""

from __future__ import annotations

from services.projector.projection.facts import Fact
from services.projector.projection.rows import LineRow
from shared.contracts import session


def rows(fact: Fact) -> list[LineRow]:
    """One line for each thing said or answered."""
    match fact.data:
        case session.Said() as data:
            return [_line(fact, data.author, data.message, data.task_id)]
        case session.AnswerRecorded() as data:
            return [_line(fact, "", data.text, data.task_id)]
        case _:
            return []


def _line(fact: Fact, author: str, text: str, task_id: str) -> LineRow:
    return LineRow(seq=fact.seq, session_id=fact.actor_id, author=author, text=text, task_id=task_id, said_at=fact.at)
