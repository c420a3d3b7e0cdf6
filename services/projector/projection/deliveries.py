"""The row of a delivery."""

from __future__ import annotations

from services.projector.projection.facts import Fact
from services.projector.projection.rows import DeliveryRow
from services.projector.projection.timeline import task_of
from shared.contracts import delivery


def rows(fact: Fact) -> list[DeliveryRow]:
    """One row for an accepted webhook, none for any other event."""
    match fact.data:
        case delivery.Accepted() as data:
            return [
                DeliveryRow(
                    seq=fact.seq,
                    id=fact.actor_id,
                    webhook=data.webhook,
                    event=data.event,
                    action=data.action,
                    delivery=data.delivery,
                    thread=data.signal.thread,
                    author=data.signal.author,
                    task_id=task_of(fact),
                    received_at=fact.at,
                )
            ]
        case _:
            return []
