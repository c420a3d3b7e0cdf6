"""The webhooks that were received."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from services.projector.queries.params import Connection, Place, Refused, page, read_cursor, records, rows
from services.projector.sentences import sentence
from shared.contracts.delivery import Accepted
from shared.contracts.queries import (
    CountDeliveries,
    Delivery,
    DeliveryAnswer,
    DeliveryCount,
    DeliveryCounts,
    DeliveryDetail,
    DeliveryPage,
    DeliveryStep,
    GetDelivery,
    ListDeliveries,
)

_FIELDS: Final = (
    "SELECT d.id, webhook, event, action, delivery, thread, author, received_at AS at, t.id AS task_id, d.seq"
    " FROM deliveries d LEFT JOIN tasks t ON t.id = d.task_id"
)
MOST_WEBHOOKS: Final = 1_000
_accepted: Final = msgspec.json.Decoder(Accepted)


def answer_list(connection: Connection, asked: ListDeliveries, place: Place) -> DeliveryPage:
    """``task_id`` is null while the delivery's thread has no task."""
    found = records(
        connection,
        Delivery,
        f"{_FIELDS} WHERE d.seq < ? ORDER BY d.seq DESC LIMIT ?",
        [read_cursor(asked.cursor) if asked.cursor else 2**63 - 1, asked.limit + 1],
    )
    items, cursor = page(found, asked.limit, lambda delivery: delivery.seq)
    return DeliveryPage(seq=place.seq, items=items, next_cursor=cursor)


def answer_count(connection: Connection, asked: CountDeliveries, place: Place) -> DeliveryCounts:
    """Every webhook that has delivered; its newest delivery is of any day."""
    day = asked.day or datetime.now(UTC).date()
    counted = rows(
        connection,
        "SELECT webhook, count(*) FILTER (received_at >= ? AND received_at < ?) AS today, max(seq) AS newest"
        " FROM deliveries GROUP BY webhook ORDER BY webhook LIMIT ?",
        [day, day + timedelta(days=1), MOST_WEBHOOKS],
    )
    newest = records(
        connection, Delivery, f"{_FIELDS} WHERE d.seq IN (SELECT max(seq) FROM deliveries GROUP BY webhook)", []
    )
    last = {delivery.seq: delivery for delivery in newest}
    items = tuple(
        DeliveryCount(webhook=each["webhook"], today=each["today"], last=last[each["newest"]]) for each in counted
    )
    return DeliveryCounts(seq=place.seq, items=items)


def answer_get(connection: Connection, asked: GetDelivery, place: Place) -> DeliveryAnswer:
    """A delivery with all its events; refused as ``not-found``."""
    found = rows(connection, f"{_FIELDS} WHERE d.id = ?", [asked.id])
    if not found:
        raise Refused("not-found", f"There is no delivery {asked.id}.")
    told = rows(
        connection,
        "SELECT seq, event, time, principal, data FROM timeline WHERE kind = 'delivery' AND actor_id = ? ORDER BY seq",
        [asked.id],
    )
    signal = _accepted.decode(told[0]["data"]).signal
    detail = DeliveryDetail(
        **found[0],
        kind=signal.kind,
        title=signal.title,
        repo=signal.repo,
        url=signal.url,
        directive=signal.directive,
        argument=signal.argument,
        trusted=signal.trusted,
        origin=signal.origin,
        steps=tuple(_step(row) for row in told),
    )
    return DeliveryAnswer(seq=place.seq, delivery=detail)


def _step(row: dict[str, Any]) -> DeliveryStep:
    return DeliveryStep(summary=sentence("delivery", row["event"], row.pop("data").encode()), **row)
