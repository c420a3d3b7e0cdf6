"""A gateway's asking for missed events, in memory: the log, the position, and webhooks that come or do not come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from services.gateway.inbound.acceptance import Acceptance, Delivery
from services.gateway.inbound.missed_events import MissedEvents, Source
from services.gateway.inbound.registry import ADAPTERS
from services.gateway.inbound.rereading import understood
from services.gateway.inbound.sender import Ignored
from shared.contracts.delivery import Accepted, Signal
from shared.event_store.in_memory import MemoryJournal
from shared.event_store.journal import Journal
from shared.ops.config import Config
from shared.ops.settings import Settings
from testing.rest_server import RestServer

MakeSource = Callable[[Settings, Callable[[], Config], Journal], Source | None]


class Kept:
    """A position that outlives its gateway."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}

    async def get(self, name: str) -> float | None:
        return self.at.get(name)

    async def put(self, name: str, at: float) -> None:
        self.at[name] = at


class Asking:
    """A sender of ours with its own clock, the log, and gateways that come and go.

    ``settings`` has the credentials for the sender at an address, which is ``url``.
    """

    def __init__(
        self,
        name: str,
        server: RestServer,
        settings: Callable[[str], Settings],
        make: MakeSource,
        config: Config,
    ) -> None:
        self.name, self.url, self.config = name, server.url, config
        self.time = 1_790_000_000.0 - 7 * 3600
        self.journal, self.positions = MemoryJournal(), Kept()
        self._server, self._settings, self._make = server, settings, make
        self.keeps_time()

    def keeps_time(self) -> None:
        """The sender's clock is ours."""
        self._server.clock = lambda: self.time

    @property
    def acceptance(self) -> Acceptance:
        return Acceptance(cast(Any, self.journal), cast(Any, None))

    def gateway(self) -> MissedEvents:
        """A new one, that remembers nothing."""
        source = self._make(self._settings(self.url), lambda: self.config, self.journal)
        assert source is not None
        return MissedEvents(
            self.name,
            source,
            sender=ADAPTERS[self.name],
            acceptance=self.acceptance,
            positions=self.positions,
            config=lambda: self.config,
        )

    async def look(self, later: float = 300.0) -> int:
        """Time passes; then a new gateway asks once."""
        self.time += later
        gateway = self.gateway()
        try:
            return await gateway.look()
        finally:
            gateway.drain()
            await gateway.run()

    async def tell(self, event: str, body: bytes) -> None:
        """The webhook comes."""
        reading = understood(ADAPTERS[self.name], event, body, self.config)
        if isinstance(reading.meaning, Ignored):
            return
        delivery = Delivery(
            webhook=self.name,
            event=event,
            action=reading.action,
            id="by-webhook",
            principal=f"{self.name}:ada",
            signal=reading.meaning,
            json=body,
            body=body,
            content=reading.content,
        )
        await self.acceptance.keep(delivery)

    @property
    def signals(self) -> list[Signal]:
        return [each.data.signal for each in self.journal.log if isinstance(each.data, Accepted)]
