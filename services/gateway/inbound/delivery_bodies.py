"""The bodies of stored deliveries, as people may see them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from services.gateway.inbound.receiver import SHOWN_BYTES
from services.gateway.inbound.redaction import shown_body
from services.gateway.problems import Problem
from shared.contracts.delivery import Accepted
from shared.contracts.subjects import actor
from shared.event_store.journal import Journal
from shared.nats.objects import Artifacts


class DeliveryBody(msgspec.Struct, frozen=True, kw_only=True):
    """The beginning of a delivery's body without secrets, and how long it was as it came."""

    body: str
    body_bytes: int


class DeliveryBodies:
    """Reads them from the log. ``secrets_of`` has the secrets of a webhook, which no body may show."""

    def __init__(
        self, journal: Journal, artifacts: Artifacts, secrets_of: Callable[[str], Awaitable[Sequence[bytes]]]
    ) -> None:
        self._journal = journal
        self._artifacts = artifacts
        self._secrets_of = secrets_of

    async def get(self, id: str) -> DeliveryBody:
        """Raises `BadAddress`, `ArtifactLost`, the connection's errors, and `Problem` for no delivery at all."""
        about = actor("delivery", id)
        events = await self._journal.load(about)
        if not events:
            raise Problem(404, "not-found", f"There is no delivery {about.id}.")
        accepted: Accepted = events[0].data
        raw = await self._artifacts.get(accepted.artifact) if accepted.artifact else bytes(accepted.body)
        secrets = await self._secrets_of(accepted.webhook)
        return DeliveryBody(body=shown_body(raw[:SHOWN_BYTES], secrets), body_bytes=accepted.body_size)
