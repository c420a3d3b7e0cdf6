"""Executing: whoever holds a round claims it and makes an attempt at it."""

from __future__ import annotations

import structlog

from services.executor.attempt import Attempt, Means
from services.executor.workplace import Workplace
from shared.activity import HandOver, Turn
from shared.actor import ActorHost
from shared.claude.workshop import Workshop
from shared.contracts import run
from shared.crash import crash_point
from shared.deciding import Rejected
from shared.envelope import Recorded
from shared.ids import derived_id
from shared.nats.journal import NatsJournal
from shared.nats.objects import Artifacts
from shared.settings import Settings
from shared.takeover import Takeover

log = structlog.get_logger(__name__)


class Executing:
    """The activity behind `run.requested`."""

    def __init__(
        self, settings: Settings, host: ActorHost, journal: NatsJournal, artifacts: Artifacts, workshop: Workshop
    ) -> None:
        self._means = Means(settings, host, journal, artifacts, workshop)
        self._takeover = Takeover(settings.drain_seconds)

    async def execute(self, event: Recorded, turn: Turn) -> None:
        """Do one round of work; whoever takes it over attaches to its agent or goes on from the last checkpoint."""
        if self._means.workshop.problem() is not None:
            await turn.draining.wait()
            raise HandOver
        await self._takeover.run(event, turn, self._execute(event))

    async def give_up(self, event: Recorded, reason: str) -> None:
        """Report a round that failed again and again for a reason of ours."""
        host = self._means.host
        try:
            claimed = await host.report(event.actor, self._claim(event))
            if claimed is not None:
                sentence = f"The executor could not do the work ({reason}): see its log, then retry the task."
                failed = run.Fail(attempt=claimed.data.attempt, code="internal-error", message=sentence)
                await host.report(event.actor, failed)
        except Rejected as rejection:
            log.info("nobody waits for this round", code=rejection.code)

    async def _execute(self, event: Recorded) -> None:
        asked: run.Requested = event.data
        actor = event.actor
        means = self._means
        place = Workplace(means.settings, means.artifacts, actor, asked, means.workshop)
        state: run.Run = await means.host.state(actor)
        if state.claimed_round == asked.round and not means.workshop.holds(state.worker):
            await place.retire()
        claim = self._claim(event)
        try:
            claimed = await means.host.report(actor, claim)
        except Rejected as rejection:
            log.info("this round is settled already", code=rejection.code)
            await place.leave(means.host.report)
            return
        assert claimed is not None
        crash_point("run.claimed")
        await Attempt(means, event, claimed.data.attempt, claim.session, place).perform()

    def _claim(self, event: Recorded) -> run.Claim:
        asked: run.Requested = event.data
        session = derived_id("run", event.actor.id, str(asked.round))
        return run.Claim(round=asked.round, worker=self._means.workshop.worker, session=session)
