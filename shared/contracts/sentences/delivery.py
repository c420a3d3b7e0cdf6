"""What happened to a delivery."""

from __future__ import annotations

from shared.contracts.delivery import DeliveryEvent
from shared.contracts.sentences.words import one_line


def sentence(event: DeliveryEvent) -> str:
    """One line."""
    what = f"{event.event} ({event.action})" if event.action else event.event
    return f"{event.webhook} sent {what} about {event.signal.thread}, signed: {one_line(event.signal.title)}"
