"""What happened to a delivery."""

from __future__ import annotations

from typing import assert_never

from shared.contracts.delivery import Accepted, Authorised, DeliveryEvent, Refused, Replayed
from shared.contracts.sentences.words import one_line


def sentence(event: DeliveryEvent) -> str:
    """One line."""
    match event:
        case Accepted():
            what = f"{event.event} ({event.action})" if event.action else event.event
            return f"{event.webhook} sent {what} about {event.signal.thread}, signed: {one_line(event.signal.title)}"
        case Authorised(signal=signal, permission=permission):
            who = one_line(signal.author) or "its author"
            role = f": {who} has the role {permission} there" if permission else ""
            return f"Counts{role}, {'and may steer' if signal.trusted else 'but decides nothing'}"
        case Refused(reason=reason):
            return f"Not done. {one_line(reason)}"
        case Replayed(signal=signal):
            return f"Read and acted on once more, about {signal.thread}: {one_line(signal.title)}"
        case _:
            assert_never(event)
