"""A conversation."""

from __future__ import annotations

from typing import Any, Final

from services.projector.queries.asking import Connection, Question, Refused, Text, page, records

MOST_LINES: Final = 200


class Get(Question, frozen=True, kw_only=True):
    """One session by its id."""

    id: Text


def answer(connection: Connection, asked: Get) -> dict[str, Any]:
    """The newest 200 lines (fewer when they are long), oldest first; refused as ``not-found``."""
    newest_first = records(
        connection,
        "SELECT author, text, task_id, said_at AS at, seq FROM session_lines WHERE session_id = ?"
        " ORDER BY seq DESC LIMIT ?",
        [asked.id, MOST_LINES],
    )
    if not newest_first:
        raise Refused("not-found", f"There is no session {asked.id}.")
    lines, _ = page(newest_first, MOST_LINES, "seq")
    return {"session": {"id": asked.id, "lines": lines[::-1]}}
