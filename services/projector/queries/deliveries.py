"""The webhooks that were received."""

from __future__ import annotations

from services.projector.queries.params import Connection, Place, page, read_cursor, records
from shared.contracts.queries import Delivery, DeliveryPage, ListDeliveries


def answer(connection: Connection, asked: ListDeliveries, place: Place) -> DeliveryPage:
    """``task_id`` is null while the delivery's thread has no task."""
    found = records(
        connection,
        Delivery,
        "SELECT d.id, webhook, event, action, delivery, thread, author, received_at AS at, t.id AS task_id, d.seq"
        " FROM deliveries d LEFT JOIN tasks t ON t.id = d.task_id WHERE d.seq < ? ORDER BY d.seq DESC LIMIT ?",
        [read_cursor(asked.cursor) if asked.cursor else 2**63 - 1, asked.limit + 1],
    )
    items, cursor = page(found, asked.limit, lambda delivery: delivery.seq)
    return DeliveryPage(seq=place.seq, items=items, next_cursor=cursor)
