"""A stored delivery, read once more: by the version that runs now, and by the configuration of today."""

from __future__ import annotations

from msgspec.structs import replace

from services.gateway.inbound.link import web_link
from services.gateway.inbound.registry import ADAPTERS
from services.gateway.inbound.sender import Ignored, Reading, Sender
from shared.contracts.delivery import Accepted
from shared.nats.objects import Artifacts
from shared.ops.config import Config


def understood(sender: Sender, event: str, json: bytes, config: Config) -> Reading:
    """What a sender's adapter reads in a body; raises `Unreadable`. Of a link only one to a page of the web is left."""
    reading = sender.read(event, json, config)
    match reading.meaning:
        case Ignored():
            return reading
        case signal:
            return replace(reading, meaning=replace(signal, url=web_link(signal.url)))


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
