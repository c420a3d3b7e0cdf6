"""How an activity tells the reply what became of an effect."""

from __future__ import annotations

import msgspec

from shared.contracts import reply
from shared.contracts.decider import Rejected
from shared.contracts.ids import derived_id
from shared.event_store.envelope import RecordedEvent
from shared.runtime.activity import ActivityContext
from shared.runtime.actor_host import ActorHost


class Report:
    """Tells the reply how it goes; ids are derived, so that a report made twice counts once."""

    def __init__(self, host: ActorHost, event: RecordedEvent, turn: ActivityContext) -> None:
        self._host = host
        self._event = event
        self._turn = turn

    async def claim(self, effect: str, worker: str) -> int:
        """The attempt that is ours; raises `Rejected` when there is nothing left to do."""
        claimed = await self.tell(reply.Claim(effect=effect, worker=worker))
        if claimed is None:
            raise Rejected("attempt-stale", f"The effect {effect!r} needs nothing more.")
        data: reply.Claimed = claimed.data
        return data.attempt

    async def tell(self, command: reply.Claim | reply.Post | reply.Fail | reply.Show) -> RecordedEvent | None:
        """Let the reply decide."""
        named = msgspec.structs.replace(command, id=self._event.actor.id)
        return await self._host.execute(
            self._event.actor,
            named,
            id=derived_id(self._event.id, str(self._turn.delivered), type(command).__name__),
            principal="service:gateway",
            correlation_id=self._event.correlation_id,
            traceparent=self._event.traceparent,
        )
