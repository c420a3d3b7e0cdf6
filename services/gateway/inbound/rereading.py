"""A stored delivery, read once more: by the version that runs now, and by the configuration of today."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from services.gateway.inbound.link import web_link
from services.gateway.inbound.registry import ADAPTERS
from services.gateway.inbound.sender import Ignored, Reading, Sender, Unreadable
from shared.contracts.delivery import Accepted
from shared.nats.objects import Artifacts
from shared.ops.config import Config

MAX_NAME_CHARS: Final = 500
"""Of accounts, things and messages: they stand in ids and in every event about them."""


def understood(sender: Sender, event: str, json: bytes, config: Config) -> Reading:
    """What a sender's adapter reads in a body; raises `Unreadable`. Of a link only one to a page of the web is left."""
    reading = sender.read(event, json, config)
    _named_within_bounds(action=reading.action, sender=reading.sender)
    match reading.meaning:
        case Ignored():
            return reading
        case signal:
            _named_within_bounds(thread=signal.thread, author=signal.author, origin=signal.origin)
            return replace(reading, meaning=replace(signal, url=web_link(signal.url)))


def _named_within_bounds(**names: str) -> None:
    for what, name in names.items():
        if len(name) > MAX_NAME_CHARS:
            raise Unreadable(f"The {what} of the delivery has a name of more than {MAX_NAME_CHARS} characters.")


async def reread(accepted: Accepted, artifacts: Artifacts, config: Config, *, sender: Sender | None = None) -> Reading:
    """What a stored delivery means today; its thread stays the one that it had. Raises `Unreadable`, `ArtifactLost`.

    ``sender`` is the webhook's, where people have made it.
    """
    body = bytes(accepted.body) if accepted.artifact is None else await artifacts.get(accepted.artifact)
    reading = understood(sender or ADAPTERS[accepted.webhook], accepted.event, body, config)
    match reading.meaning:
        case Ignored():
            return reading
        case signal:
            return replace(reading, meaning=replace(signal, thread=accepted.signal.thread))
