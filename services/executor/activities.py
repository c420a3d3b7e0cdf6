"""Executing: whoever holds a round claims it and makes an attempt at it."""

from __future__ import annotations

from services.executor.attempt import Attempt, Means
from services.executor.run_workspace import Workplace
from shared.claude.agent_activity import AgentActivity, AgentWork
from shared.contracts import run
from shared.event_store.envelope import Recorded
from shared.nats.objects import Artifacts
from shared.ops.crash_points import crash_point
from shared.ops.settings import Settings
from shared.ops.timings import PRODUCTION, Timings
from shared.runtime.activity import Turn


class Executing:
    """The activity behind `run.requested`."""

    def __init__(
        self, settings: Settings, agents: AgentActivity, artifacts: Artifacts, *, timings: Timings = PRODUCTION
    ) -> None:
        self._means = Means(settings, agents, artifacts, timings)
        self._agents = agents

    async def execute(self, event: Recorded, turn: Turn) -> None:
        """Do one round of work; whoever takes it over attaches to its agent or goes on from the last checkpoint."""
        await self._agents.until_agents_run(turn)
        await self._agents.perform(event, turn, self._execute(event))

    async def give_up(self, event: Recorded, reason: str) -> None:
        """Report a round that failed again and again for a reason of ours."""
        sentence = f"The executor could not do the work ({reason}): see its log, then retry the task."
        await self._agents.give_up(
            event.actor,
            self._claim(self._work(event)),
            lambda attempt: run.Fail(attempt=attempt, code="internal-error", message=sentence),
        )

    async def _execute(self, event: Recorded) -> None:
        asked: run.Requested = event.data
        means, work = self._means, self._work(event)
        place = Workplace(means.settings, means.artifacts, asked, self._agents.workshop, work)
        state: run.Run = await self._agents.host.state(event.actor)
        if state.claimed_round == asked.round and not self._agents.workshop.holds(state.worker):
            await place.retire()
        attempt = await self._agents.claim(event.actor, self._claim(work))
        if attempt is None:
            await place.leave()
            return
        crash_point("run.claimed")
        await Attempt(means, event, attempt, place).perform()

    def _work(self, event: Recorded) -> AgentWork:
        return self._agents.work(event.actor, event.data.round, most=self._means.settings.max_agent_processes)

    def _claim(self, work: AgentWork) -> run.Claim:
        return run.Claim(round=work.number, worker=self._agents.workshop.worker, session=work.session())
