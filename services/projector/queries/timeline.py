"""What happened to one task, event by event."""

from __future__ import annotations

from typing import Any

import msgspec

from services.projector.queries.params import Connection, Place, Refused, page, read_cursor, rows
from services.projector.sentences import UNREAD, sentence
from shared.contracts.queries import GetTimeline, TimelineItem, TimelinePage


def answer(connection: Connection, asked: GetTimeline, place: Place) -> TimelinePage:
    """``next_cursor`` is the ``after`` of the next page. A task without any event is refused as ``not-found``."""
    after = read_cursor(asked.cursor) if asked.cursor else asked.after
    found = rows(
        connection,
        "SELECT seq, kind, event, version, time, principal, data, unread.seq IS NOT NULL AS unread"
        " FROM timeline LEFT JOIN unread USING (seq) WHERE task_id = ? AND seq > ? ORDER BY seq LIMIT ?",
        [asked.id, after, asked.limit + 1],
    )
    if not found and not rows(connection, "SELECT 1 FROM timeline WHERE task_id = ? LIMIT 1", [asked.id]):
        raise Refused("not-found", f"There is no task {asked.id}.")
    items, cursor = page([_item(row) for row in found], asked.limit, lambda item: item.seq)
    return TimelinePage(seq=place.seq, items=items, next_cursor=cursor)


def _item(row: dict[str, Any]) -> TimelineItem:
    data = row.pop("data").encode()
    # Data that could not be read may look like today's and mean something else.
    summary = UNREAD if row.pop("unread") else sentence(row["kind"], row["event"], data)
    return TimelineItem(**row, summary=summary, data=msgspec.Raw(data))
