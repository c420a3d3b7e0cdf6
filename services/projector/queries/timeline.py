"""What happened to one task, event by event."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from services.projector.queries.asking import Connection, Question, Seq, Text, page, read_cursor, records
from services.projector.sentences import sentence


class Timeline(Question, frozen=True, kw_only=True):
    """A task's events, oldest first, after a stream sequence."""

    id: Text
    after: Seq = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 200
    cursor: Text = ""


def answer(connection: Connection, asked: Timeline) -> dict[str, Any]:
    """``next_cursor`` is the ``after`` of the next page."""
    after = read_cursor(asked.cursor) if asked.cursor else asked.after
    rows = records(
        connection,
        "SELECT seq, kind, event, version, time, principal, data FROM timeline"
        " WHERE task_id = ? AND seq > ? ORDER BY seq LIMIT ?",
        [asked.id, after, asked.limit + 1],
    )
    items, cursor = page([_item(row) for row in rows], asked.limit, "seq")
    return {"items": items, "next_cursor": cursor}


def _item(row: dict[str, Any]) -> dict[str, Any]:
    data = row.pop("data").encode()
    return {**row, "summary": sentence(row["kind"], row["event"], data), "data": msgspec.Raw(data)}
