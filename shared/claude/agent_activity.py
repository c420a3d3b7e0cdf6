"""The skeleton that triage, planning and execution share: what surrounds the work of an agent in an activity."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from enum import Enum, auto
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import structlog

from shared.claude.conversation.outcome import Outcome
from shared.claude.cost.reconcile import Report, reconcile_elsewhere, reconcile_here
from shared.claude.process.reaper import sweep
from shared.claude.role import AgentRole
from shared.claude.runner import READ_ONLY_PROCESSES, AgentRunner, Job
from shared.claude.work_dirs import LocalWork, remove_run_dirs
from shared.contracts import plan, run, session
from shared.contracts.decider import Rejected
from shared.contracts.ids import derived_id
from shared.contracts.messages import Command
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent
from shared.event_store.journal import Journal
from shared.ops.settings import Settings
from shared.runtime.activity import ActivityContext, HandOver
from shared.runtime.actor_host import ActorHost
from shared.runtime.single_flight import SingleFlight
from shared.runtime.watcher import supervised, watch
from shared.workspace.git_folders import GitFolders

STALE: Final = "attempt-stale"
UNHEARD: Final = "run-unheard"
STOPPING: Final = frozenset({"plan-stopping", "run-stopping", "answer-stopping"})
_CONVERSATIONS: Final = {"task": "triage"}
"""What the ids of an actor's conversations are derived from, where it is not its kind."""

Claim = plan.Claim | run.Claim | session.Claim

log = structlog.get_logger(__name__)


class Reception(Enum):
    """What became of a report."""

    TAKEN = auto()
    REFUSED = auto()
    UNHEARD = auto()
    """Somebody said something that no agent has heard: the work goes on."""
    OVERTAKEN = auto()
    """Another worker has claimed the work since: this one must leave it."""


class AgentWork:
    """One round, draft or triage on this machine: its processes, and what they have spent.

    ``number`` counts the rounds, drafts or triages of the actor; ``most`` is how many processes may work on it.
    ``local`` has the names of its files.
    """

    def __init__(
        self, runner: AgentRunner, tell: Report, actor: Actor, number: int, *, most: int = READ_ONLY_PROCESSES
    ) -> None:
        self.actor = actor
        self.number = number
        self.local = LocalWork(actor, number)
        self.run_dirs: list[Path] = self.local.run_dirs(runner.data_dir, most)
        self._runner = runner
        self._tell = tell

    @cached_property
    def mark(self) -> str:
        """What every process of the work carries in its environment."""
        return self.local.mark(self._runner.node_id)

    def session(self, process: int = 1) -> str:
        """The id of the conversation that the n-th process (1, 2 …) begins."""
        again = [] if process == 1 else [str(process)]
        return derived_id(_CONVERSATIONS.get(self.actor.kind, self.actor.kind), self.actor.id, str(self.number), *again)

    def end_processes(self) -> int:
        """End every process of the work on this machine (blocking); returns how many there were."""
        return sweep(self.mark)

    async def reconcile_here(self) -> None:
        """Have the log know what the processes of this machine have spent; none of them must run."""
        await reconcile_here(self._runner.node_id, self.actor, self.number, self.run_dirs, self._tell)

    async def reconcile_elsewhere(self) -> None:
        """Have the log know what the processes of other machines are known to have spent."""
        await reconcile_elsewhere(self._runner, self.actor, self.number, self._tell)

    def remove_run_dirs(self) -> None:
        """Remove the run directories."""
        remove_run_dirs(*self.run_dirs)


class AgentActivity:
    """What an activity does around the work of its agents, for one service on one machine."""

    def __init__(self, settings: Settings, host: ActorHost, journal: Journal, runner: AgentRunner) -> None:
        self.host = host
        self.journal = journal
        self.runner = runner
        self._single_flight = SingleFlight(settings.drain_seconds)

    def work(self, actor: Actor, number: int, *, most: int = READ_ONLY_PROCESSES) -> AgentWork:
        """The round, draft or triage with this number."""
        return AgentWork(self.runner, self.host.report, actor, number, most=most)

    async def until_agents_run(self, context: ActivityContext) -> None:
        """Return at once where agents can run; else hold the work until this service leaves, and hand it over."""
        if self.runner.problem() is not None:
            await context.draining.wait()
            raise HandOver

    async def perform(self, event: RecordedEvent, context: ActivityContext, work: Coroutine[Any, Any, None]) -> None:
        """Do the work once in this instance. Raises `HandOver` when it was left, and what the work raises."""
        await self._single_flight.run(event, context, work)

    async def claim(self, actor: Actor, claim: Claim) -> int | None:
        """Take the work over; returns the number of this attempt, or None when nobody waits for the work any more."""
        try:
            claimed = await self.host.report(actor, claim)
        except Rejected as rejection:
            log.info("this work is over already", code=rejection.code)
            return None
        assert claimed is not None
        attempt: int = claimed.data.attempt
        return attempt

    async def run_read_only(
        self,
        work: AgentWork,
        agent: AgentRole,
        *,
        cwd: Path,
        git: GitFolders | None = None,
        prompt: str,
        schema: dict[str, object] | None = None,
        budget_usd: float | None = None,
        forks: str = "",
        tools: str = "",
        hears: str,
        after: int,
        ends: Callable[[RecordedEvent], bool],
    ) -> Outcome:
        """Ask an agent that changes nothing, and stay with it to its end.

        It is stopped at the first event behind ``after`` that fits the filter ``hears`` and of which ``ends`` is true.
        """
        stop = asyncio.Event()

        def hear(event: RecordedEvent) -> None:
            if ends(event):
                log.info("the agent is to end", because=event.name, position=event.position)
                stop.set()

        def job(number: int) -> Job:
            return Job(
                work.actor,
                agent,
                run_dir=work.run_dirs[number - 1],
                cwd=cwd,
                git=git,
                session=work.session(number),
                prompt=prompt,
                schema=schema,
                budget_usd=budget_usd,
                forks=forks,
                tools=tools,
                stop=stop,
            )

        async with supervised(watch(self.journal, hears, after=after, handle=hear)):
            return await self.runner.run_read_only(job)

    async def report(
        self, actor: Actor, command: Command, *, stopped: Callable[[], Command] | None = None
    ) -> Reception:
        """Report to the actor; ``stopped`` makes the report for an actor that is being stopped."""
        try:
            await self.host.report(actor, command)
        except Rejected as rejection:
            log.info("a report was refused", code=rejection.code)
            if rejection.code == STALE:
                return Reception.OVERTAKEN
            if rejection.code == UNHEARD:
                return Reception.UNHEARD
            if rejection.code in STOPPING and stopped is not None:
                return await self.report(actor, stopped())
            return Reception.REFUSED
        return Reception.TAKEN

    async def give_up(
        self, actor: Actor, claim: Claim, failure: Callable[[int], plan.Fail | run.Fail | session.Fail]
    ) -> None:
        """Report work that failed again and again for a reason of ours, as the attempt that ``claim`` makes."""
        attempt = await self.claim(actor, claim)
        if attempt is not None:
            await self.report(actor, failure(attempt))
