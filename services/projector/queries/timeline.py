"""What happened to one task, event by event."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from services.projector.queries.asking import Connection, Question, Refused, Seq, Text, page, read_cursor, records
from services.projector.sentences import UNREAD, sentence


class Timeline(Question, frozen=True, kw_only=True):
    """A task's events, oldest first, after a stream sequence."""

    id: Text
    after: Seq = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 200
    cursor: Text = ""


def answer(connection: Connection, asked: Timeline) -> dict[str, Any]:
    """``next_cursor`` is the ``after`` of the next page. A task without any event is refused as ``not-found``."""
    after = read_cursor(asked.cursor) if asked.cursor else asked.after
    rows = records(
        connection,
        "SELECT seq, kind, event, version, time, principal, data, unread.seq IS NOT NULL AS unread"
        " FROM timeline LEFT JOIN unread USING (seq) WHERE task_id = ? AND seq > ? ORDER BY seq LIMIT ?",
        [asked.id, after, asked.limit + 1],
    )
    if not rows and not records(connection, "SELECT 1 FROM timeline WHERE task_id = ? LIMIT 1", [asked.id]):
        raise Refused("not-found", f"There is no task {asked.id}.")
    items, cursor = page([_item(row) for row in rows], asked.limit, "seq")
    return {"items": items, "next_cursor": cursor}


def _item(row: dict[str, Any]) -> dict[str, Any]:
    data = row.pop("data").encode()
    # Data that could not be read may look like today's and mean something else.
    summary = UNREAD if row.pop("unread") else sentence(row["kind"], row["event"], data)
    return {**row, "summary": summary, "data": msgspec.Raw(data)}
