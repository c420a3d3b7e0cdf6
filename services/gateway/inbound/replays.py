"""Acting on a stored delivery once more, in the name of the person who asks for it."""

from __future__ import annotations

from collections.abc import Callable, Container

from services.gateway.inbound.authorisation import must_ask
from services.gateway.inbound.registry import ADAPTERS
from services.gateway.inbound.rereading import reread
from services.gateway.inbound.sender import Ignored, Sender, Unreadable
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
        asked: Container[str] = (),
        sender_of: Callable[[str], Sender | None] = lambda name: None,
    ) -> None:
        self._client = client
        self._journal = journal
        self._artifacts = artifacts
        self._config = config
        self._asked = asked
        self._sender_of = sender_of

    async def replay(self, id: str, *, principal: str) -> CommandResult:
        """The event that comes of it. Raises what `Client.send` raises, `ArtifactLost`, and `Rejected` for a delivery
        that there is not, or that would be ignored today."""
        about = actor("delivery", id)
        events = await self._journal.load(about)
        if not events:
            raise Rejected("delivery-unknown", f"There is no delivery {about.id}: look its id up in the list of them.")
        try:
            first = events[0].data
            sender = self._sender_of(first.webhook)
            if sender is None and first.webhook not in ADAPTERS:
                raise Rejected(
                    "webhook-elsewhere",
                    f"It came by {first.webhook}, a webhook that people have made, which only the gateway can read: "
                    f"POST /api/deliveries/{about.id}/replay.",
                )
            reading = await reread(first, self._artifacts, self._config(), sender=sender)
        except Unreadable as error:
            raise Rejected("delivery-unreadable", str(error)) from error
        match reading.meaning:
            case Ignored(reason=reason):
                raise Rejected("delivery-ignored", f"Today it would be ignored: {reason}.")
            case signal:
                # What had to be judged is judged again, whoever replays it.
                asks = must_ask(self._asked, first.webhook, signal) or first.asks_permission
                replay = Replay(signal=signal, asks_permission=asks)
                return await self._client.send(about, replay, principal=principal)
