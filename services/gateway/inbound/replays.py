"""Acting on a stored delivery once more, in the name of the person who asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from services.gateway.inbound.authorisation import Authority, must_ask
from services.gateway.inbound.rereading import reread
from services.gateway.inbound.sender import Ignored, Unreadable
from shared.contracts.decider import Rejected
from shared.contracts.delivery import Replay
from shared.contracts.subjects import actor
from shared.nats.journal import NatsJournal
from shared.nats.objects import Artifacts
from shared.ops.config import Config
from shared.runtime.client import Client, CommandResult


class DeliveryReplays:
    """Sends `delivery.replay` with what the delivery means by the version and the configuration of today."""

    def __init__(
        self,
        client: Client,
        journal: NatsJournal,
        artifacts: Artifacts,
        config: Callable[[], Config],
        *,
        authorities: Mapping[str, Authority] = MappingProxyType({}),
    ) -> None:
        self._client = client
        self._journal = journal
        self._artifacts = artifacts
        self._config = config
        self._authorities = authorities

    async def replay(self, id: str, *, principal: str) -> CommandResult:
        """The event that comes of it. Raises what `Client.send` raises, `ArtifactLost`, and `Rejected` for a delivery
        that there is not, or that would be ignored today."""
        about = actor("delivery", id)
        events = await self._journal.load(about)
        if not events:
            raise Rejected("delivery-unknown", f"There is no delivery {about.id}: look its id up in the list of them.")
        try:
            reading = await reread(events[0].data, self._artifacts, self._config())
        except Unreadable as error:
            raise Rejected("delivery-unreadable", str(error)) from error
        match reading.meaning:
            case Ignored(reason=reason):
                raise Rejected("delivery-ignored", f"Today it would be ignored: {reason}.")
            case signal:
                asks = must_ask(self._authorities, events[0].data.webhook, signal)
                replay = Replay(signal=signal, asks_permission=asks)
                return await self._client.send(about, replay, principal=principal)
