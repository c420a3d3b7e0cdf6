"""A conversation."""

from __future__ import annotations

from typing import Final

from services.projector.queries.params import Connection, Place, Refused, page, records
from shared.contracts.queries import GetSession, Session, SessionAnswer, SessionLine

MOST_LINES: Final = 200


def answer(connection: Connection, asked: GetSession, place: Place) -> SessionAnswer:
    """The newest 200 lines (fewer when they are long), oldest first; refused as ``not-found``."""
    newest_first = records(
        connection,
        SessionLine,
        "SELECT author, text, task_id, said_at AS at, seq FROM session_lines WHERE session_id = ?"
        " ORDER BY seq DESC LIMIT ?",
        [asked.id, MOST_LINES],
    )
    if not newest_first:
        raise Refused("not-found", f"There is no session {asked.id}.")
    lines, _ = page(newest_first, MOST_LINES, lambda line: line.seq)
    return SessionAnswer(seq=place.seq, session=Session(id=asked.id, lines=lines[::-1]))
