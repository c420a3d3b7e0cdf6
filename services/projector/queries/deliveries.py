"""The webhooks that were received."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from services.projector.queries.asking import Connection, Question, Text, page, read_cursor, records


class List(Question, frozen=True, kw_only=True):
    """Newest first."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    cursor: Text = ""


def answer(connection: Connection, asked: List) -> dict[str, Any]:
    """``task_id`` is null while the delivery's thread has no task."""
    rows = records(
        connection,
        "SELECT d.id, webhook, event, action, delivery, thread, author, received_at AS at, t.id AS task_id, d.seq"
        " FROM deliveries d LEFT JOIN tasks t ON t.id = d.task_id WHERE d.seq < ? ORDER BY d.seq DESC LIMIT ?",
        [read_cursor(asked.cursor) if asked.cursor else 2**63 - 1, asked.limit + 1],
    )
    items, cursor = page(rows, asked.limit, "seq")
    return {"items": items, "next_cursor": cursor}
