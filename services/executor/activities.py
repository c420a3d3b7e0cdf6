"""Executing: the worker that holds a round claims it and makes an attempt at it."""

from __future__ import annotations

import contextlib

import msgspec

from services.executor.attempt import Attempt, Dependencies
from services.executor.conclusion import broken_off, recorded_result
from services.executor.run_workspace import RunWorkspace
from services.executor.verification.verify import Verification
from shared.claude.agent_activity import AgentActivity, AgentWork
from shared.contracts import run
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent
from shared.nats.objects import Artifacts
from shared.ops.config import BadConfig
from shared.ops.crash_points import crash_point
from shared.ops.settings import Settings
from shared.ops.timings import PRODUCTION, Timings
from shared.runtime.activity import ActivityContext
from shared.workspace.branches import branch_name
from shared.workspace.gateway_git import GatewayGit
from shared.workspace.target import Target


class Executing:
    """The activity behind `run.requested`."""

    def __init__(
        self,
        settings: Settings,
        agents: AgentActivity,
        artifacts: Artifacts,
        gateway: GatewayGit,
        *,
        timings: Timings = PRODUCTION,
    ) -> None:
        verification = Verification(
            settings.data_dir,
            float(settings.run_timeout_seconds),
            artifacts,
            agents.runner.confining.sandbox,
            settings,
        )
        self._dependencies = Dependencies(settings, agents, artifacts, timings, verification)
        self._agents = agents
        self._gateway = gateway

    async def execute(self, event: RecordedEvent, context: ActivityContext) -> None:
        """Do one round of work; the next worker attaches to its agent or goes on from the last checkpoint."""
        await self._agents.until_agents_run(context)
        await self._agents.perform(event, context, self._execute(event))

    async def give_up(self, event: RecordedEvent, reason: str) -> None:
        """Report a round that failed again and again for a reason of ours."""
        sentence = f"The executor could not do the work ({reason}): see its log, then retry the task."
        failed = run.Fail(attempt=0, code="internal-error", message=sentence)
        state: run.Run = await self._agents.host.state(event.actor)
        if state.claimed_round == event.data.round and state.committed:
            result = await recorded_result(self._agents.journal, event.actor, state.committed)
            with contextlib.suppress(BadConfig, OSError):
                failed = broken_off(failed, result, self._branch(event.actor, state))
        await self._agents.give_up(
            event.actor,
            self._claim(self._work(event)),
            lambda attempt: msgspec.structs.replace(failed, attempt=attempt),
        )

    def _branch(self, actor: Actor, state: run.Run) -> str:
        repo = Target(self._dependencies.settings, self._gateway, state.repo, state.base_commit).repo()
        return branch_name(actor.id, state.title, repo.branch_prefix)

    async def _execute(self, event: RecordedEvent) -> None:
        asked: run.Requested = event.data
        dependencies, work = self._dependencies, self._work(event)
        workspace = RunWorkspace(
            dependencies.settings, dependencies.artifacts, self._gateway, asked, self._agents.runner, work
        )
        state: run.Run = await self._agents.host.state(event.actor)
        is_new = state.claimed_round != asked.round
        if is_new and (problem := await self._gateway.lost_standing(asked.repo, event.actor.id)):
            refused = run.Fail(attempt=0, code="standing-lost", message=problem)
            claim = self._claim(work)
            await self._agents.give_up(
                event.actor, claim, lambda attempt: msgspec.structs.replace(refused, attempt=attempt)
            )
            return
        if state.claimed_round == asked.round and not self._agents.runner.holds(state.worker):
            await workspace.retire()
        attempt = await self._agents.claim(event.actor, self._claim(work))
        if attempt is None:
            await workspace.leave()
            return
        crash_point("run.claimed")
        await Attempt(dependencies, event, attempt, workspace).perform()

    def _work(self, event: RecordedEvent) -> AgentWork:
        return self._agents.work(event.actor, event.data.round, most=self._dependencies.settings.max_agent_processes)

    def _claim(self, work: AgentWork) -> run.Claim:
        return run.Claim(round=work.number, worker=self._agents.runner.worker, session=work.session())
