"""Drafting: Claude with read-only tools in a worktree at the base commit, and the plan it writes."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from pathlib import Path

import structlog

from shared.activity import HandOver, Turn
from shared.actor import ActorHost
from shared.claude.agent import AgentInvalid
from shared.claude.outcome import Outcome
from shared.claude.workshop import Job, Workshop, forget, quoted
from shared.config import BadConfig, load_config
from shared.contracts import plan
from shared.crash import crash_point
from shared.deciding import Rejected
from shared.envelope import Recorded
from shared.ids import derived_id
from shared.nats.journal import NatsJournal
from shared.settings import Settings
from shared.subjects import Actor, event_filter
from shared.takeover import Takeover
from shared.workspace.git import GitFailed
from shared.workspace.mirror import Mirror
from shared.workspace.worktree import Worktree

AGENT = "planner"
MAX_PLAN_CHARS = 64 * 1024

log = structlog.get_logger(__name__)


class Drafting:
    """The activity behind `plan.drafting-started`."""

    def __init__(self, settings: Settings, host: ActorHost, journal: NatsJournal, workshop: Workshop) -> None:
        self._settings = settings
        self._host = host
        self._journal = journal
        self._workshop = workshop
        self._takeover = Takeover()

    async def draft(self, event: Recorded, turn: Turn) -> None:
        """Write one draft; whoever takes it over attaches to its agent or starts a new one."""
        if self._workshop.problem() is not None:
            await turn.draining.wait()
            raise HandOver
        await self._takeover.run(event.actor, turn, self._draft(event))

    async def _draft(self, event: Recorded) -> None:
        asked: plan.DraftingStarted = event.data
        actor = event.actor
        session = derived_id("plan", actor.id, str(asked.draft))
        try:
            claimed = await self._tell(
                actor, plan.Claim(draft=asked.draft, worker=self._settings.worker, session=session)
            )
        except Rejected as rejection:
            log.info("this draft is settled already", code=rejection.code)
            self._clean_up(actor, asked.draft)
            return
        assert claimed is not None
        attempt = claimed.data.attempt
        crash_point("drafting.claimed")
        began = time.monotonic()
        try:
            worktree = await self._worktree(actor, asked)
            agent = self._workshop.agent(AGENT)
        except (GitFailed, BadConfig, AgentInvalid) as error:
            await self._report(actor, plan.Fail(attempt=attempt, code="workspace-failed", message=str(error)))
            return
        crash_point("drafting.worktree")
        job = Job(
            actor,
            agent,
            run_dir=self._run_dir(actor, asked.draft),
            cwd=worktree.path,
            session=session,
            prompt=_prompt(asked),
        )
        watching = asyncio.create_task(self._watch(actor, attempt, event.position, job))
        try:
            outcome = await self._workshop.work(job)
        finally:
            watching.cancel()
        crash_point("drafting.talked")
        stopped = (await self._host.state(actor)).stopping
        await self._report(actor, _report(attempt, outcome, stopped, int((time.monotonic() - began) * 1000)))
        crash_point("drafting.reported")
        self._clean_up(actor, asked.draft)
        crash_point("drafting.cleaned")
        with contextlib.suppress(GitFailed):
            await worktree.remove()

    async def _worktree(self, actor: Actor, asked: plan.DraftingStarted) -> Worktree:
        repo = load_config(self._settings.config_path).repo_for(asked.repo)
        if repo is None:
            raise BadConfig(f"The repository {asked.repo!r} is not in journeyman.toml: add it and retry.")
        mirror = Mirror(self._settings.data_dir / "mirrors", repo.target)
        await mirror.fetch()
        return await Worktree.create(
            mirror, self._settings.data_dir / "worktrees" / f"plan-{actor.id}", asked.base_commit
        )

    async def _watch(self, actor: Actor, attempt: int, after: int, job: Job) -> None:
        """Hear of a stop, and of another worker that took over, whichever instance took the command."""
        async for event in self._journal.follow(event_filter(actor), after=after):
            match event.data:
                case plan.StopRequested():
                    job.stop.set()
                case plan.Claimed(attempt=newest) if newest > attempt:
                    job.stop.set()
                case _:
                    continue

    async def _report(self, actor: Actor, command: plan.PlanCommand) -> None:
        try:
            await self._tell(actor, command)
        except Rejected as rejection:
            if rejection.code != "plan-stopping" or not isinstance(command, plan.Propose):
                log.info("the report came too late", code=rejection.code)
                return
            await self._tell(actor, plan.RecordStopped(attempt=command.attempt, usage=command.usage))

    async def _tell(self, actor: Actor, command: plan.PlanCommand) -> Recorded | None:
        return await self._host.tell(
            actor, command, id=str(uuid.uuid4()), principal="service:planner", correlation_id=actor.id
        )

    def _run_dir(self, actor: Actor, draft: int) -> Path:
        return self._settings.data_dir / "runs" / f"plan-{actor.id}-{draft}"

    def _clean_up(self, actor: Actor, draft: int) -> None:
        forget(self._run_dir(actor, draft))


def _report(attempt: int, outcome: Outcome, stopped: bool, duration_ms: int) -> plan.PlanCommand:
    if stopped:
        return plan.RecordStopped(attempt=attempt, usage=outcome.usage)
    if not outcome.ok:
        return plan.Fail(attempt=attempt, code=outcome.code, message=outcome.message, usage=outcome.usage)
    markdown = outcome.text.strip()[:MAX_PLAN_CHARS]
    if not markdown:
        return plan.Fail(
            attempt=attempt,
            code="plan-empty",
            message="The planner ended without a plan: retry, or ask for a revision with more detail.",
            usage=outcome.usage,
        )
    return plan.Propose(
        attempt=attempt,
        markdown=markdown,
        summary=_summary(markdown),
        usage=outcome.usage,
        duration_ms=duration_ms,
    )


def _summary(markdown: str) -> str:
    """The first line of prose: what the plan says its goal is."""
    lines = (line.strip() for line in markdown.splitlines())
    return next((line[:300] for line in lines if line and not line.startswith(("#", "```", "---"))), "")


def _prompt(asked: plan.DraftingStarted) -> str:
    parts = [
        "Write a plan for the task below. Your working directory is the repository at the commit the work starts from.",
        f"Title: {asked.title}",
        quoted("task", asked.text),
    ]
    if asked.previous:
        parts += ["Your plan before this one:", quoted("previous plan", asked.previous)]
    if asked.feedback:
        parts += ["What the reviewer asks you to change:", quoted("reviewer", asked.feedback)]
    return "\n\n".join(parts)
