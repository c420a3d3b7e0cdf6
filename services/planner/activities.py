"""Drafting: Claude with read-only tools in a worktree at the base commit, and the plan it writes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path

import structlog

from shared.activity import HandOver, Turn
from shared.actor import ActorHost
from shared.claude.accounts import settle_elsewhere, settle_here
from shared.claude.agent import AgentInvalid
from shared.claude.outcome import Outcome
from shared.claude.sweep import sweep
from shared.claude.workshop import CONSULTATIONS, Job, Workshop, forget, mark_of, quoted
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
from shared.watcher import supervised, watch
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
        self._takeover = Takeover(settings.drain_seconds)

    async def draft(self, event: Recorded, turn: Turn) -> None:
        """Write one draft; whoever takes it over attaches to its agent or starts a new one."""
        if self._workshop.problem() is not None:
            await turn.draining.wait()
            raise HandOver
        await self._takeover.run(event, turn, self._draft(event, turn))

    async def give_up(self, event: Recorded, reason: str) -> None:
        """Report a draft that failed again and again for a reason of ours."""
        asked: plan.DraftingStarted = event.data
        try:
            claimed = await self._host.report(event.actor, self._claim(event.actor, asked))
            if claimed is not None:
                sentence = f"The planner could not write a plan ({reason}): see its log, then retry the task."
                failure = plan.Fail(attempt=claimed.data.attempt, code="internal-error", message=sentence)
                await self._host.report(event.actor, failure)
        except Rejected as rejection:
            log.info("nobody waits for this draft", code=rejection.code)

    async def _draft(self, event: Recorded, turn: Turn) -> None:
        asked: plan.DraftingStarted = event.data
        actor = event.actor
        try:
            claimed = await self._host.report(actor, self._claim(actor, asked))
        except Rejected as rejection:
            log.info("this draft is settled already", code=rejection.code)
            await self._settle_elsewhere(actor, asked, turn)
            await self._clear(actor, asked)
            return
        assert claimed is not None
        crash_point("drafting.claimed")
        report = await self._write(event, claimed.data.attempt)
        current = await self._report(actor, report)
        crash_point("drafting.reported")
        if current:
            await self._settle_elsewhere(actor, asked, turn)
        await self._clear(actor, asked)
        if not current:
            raise HandOver

    def _claim(self, actor: Actor, asked: plan.DraftingStarted) -> plan.Claim:
        return plan.Claim(draft=asked.draft, worker=self._workshop.worker, session=_session(actor, asked.draft, 1))

    async def _write(self, event: Recorded, attempt: int) -> plan.Propose | plan.Fail | plan.RecordStopped:
        """The agent's work, from the worktree to what is to be reported."""
        actor, asked, began = event.actor, event.data, time.monotonic()
        try:
            worktree = await self._worktree(actor, asked)
            agent = self._workshop.agent(AGENT)
        except (GitFailed, BadConfig, AgentInvalid) as error:
            return plan.Fail(attempt=attempt, code="workspace-failed", message=str(error))
        crash_point("drafting.worktree")
        stop = asyncio.Event()

        def job(number: int) -> Job:
            return Job(
                actor,
                agent,
                run_dir=self._run_dirs(actor, asked.draft)[number - 1],
                cwd=worktree.path,
                session=_session(actor, asked.draft, number),
                prompt=_prompt(asked),
                stop=stop,
            )

        def hear(heard: Recorded) -> None:
            match heard.data:
                case plan.StopRequested():
                    stop.set()
                case plan.Claimed(attempt=newest) if newest > attempt:
                    stop.set()
                case _:
                    return

        async with supervised(watch(self._journal, event_filter(actor), after=event.position, handle=hear)):
            outcome = await self._workshop.consult(job)
        crash_point("drafting.talked")
        stopped = (await self._host.state(actor)).stopping
        return _report(attempt, outcome, stopped, int((time.monotonic() - began) * 1000))

    async def _worktree(self, actor: Actor, asked: plan.DraftingStarted) -> Worktree:
        mirror = self._mirror(asked)
        await mirror.ensure(asked.base_commit)
        return await Worktree.create(mirror, self._worktree_path(actor, asked), asked.base_commit)

    def _mirror(self, asked: plan.DraftingStarted) -> Mirror:
        repo = load_config(self._settings.config_path).repo_for(asked.repo)
        if repo is None:
            raise BadConfig(f"The repository {asked.repo!r} is not in journeyman.toml: add it and retry.")
        return Mirror(self._settings.data_dir / "mirrors", repo.target)

    def _worktree_path(self, actor: Actor, asked: plan.DraftingStarted) -> Path:
        return self._settings.data_dir / "worktrees" / f"plan-{actor.id}-{asked.draft}"

    def _run_dirs(self, actor: Actor, draft: int) -> list[Path]:
        runs = self._workshop.runs_dir
        return [runs / f"plan-{actor.id}-{draft}-{number}" for number in range(1, CONSULTATIONS + 1)]

    async def _settle_elsewhere(self, actor: Actor, asked: plan.DraftingStarted, turn: Turn) -> None:
        """Have the log know what was spent on a draft that is over at the places it was taken over from."""
        if turn.delivered > 1:
            # Not before it is over: the report of one who takes it back tells its whole spend.
            await settle_elsewhere(self._workshop, actor, asked.draft, self._host.report)

    async def _clear(self, actor: Actor, asked: plan.DraftingStarted) -> None:
        """Leave nothing of the draft on this machine."""
        run_dirs, place = self._run_dirs(actor, asked.draft), self._workshop.place
        await asyncio.to_thread(sweep, mark_of(run_dirs[0], place))
        # What the plan was told already adds nothing.
        await settle_here(place, actor, asked.draft, run_dirs, self._host.report)
        crash_point("drafting.settled")
        forget(*run_dirs)
        crash_point("drafting.cleaned")
        path = self._worktree_path(actor, asked)
        with contextlib.suppress(GitFailed, BadConfig):
            if path.exists() or path.with_name(f"{path.name}.git").exists():
                await Worktree(self._mirror(asked), path, asked.base_commit).remove()

    async def _report(self, actor: Actor, command: plan.Propose | plan.Fail | plan.RecordStopped) -> bool:
        """Tell how it ended; False when another worker has taken over meanwhile."""
        try:
            await self._host.report(actor, command)
        except Rejected as rejection:
            log.info("the report was refused", code=rejection.code)
            if rejection.code == "plan-stopping":
                return await self._report(actor, plan.RecordStopped(attempt=command.attempt, usage=command.usage))
            return rejection.code != "attempt-stale"
        return True


def _session(actor: Actor, draft: int, number: int) -> str:
    """The conversation of the n-th process."""
    return derived_id("plan", actor.id, str(draft), *([] if number == 1 else [str(number)]))


def _report(
    attempt: int, outcome: Outcome, stopped: bool, duration_ms: int
) -> plan.Propose | plan.Fail | plan.RecordStopped:
    if stopped:
        return plan.RecordStopped(attempt=attempt, usage=outcome.usage)
    if not outcome.ok:
        return plan.Fail(
            attempt=attempt,
            code=outcome.code,
            message=outcome.message,
            usage=outcome.usage,
            retryable=outcome.retryable,
            retry_at=outcome.retry_at,
        )
    markdown = within(outcome.text.strip())
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


def within(markdown: str) -> str:
    """The plan, cut where it is longer than one may be; who approves it sees that."""
    if len(markdown) <= MAX_PLAN_CHARS:
        return markdown
    return f"{markdown[:MAX_PLAN_CHARS]}\n\n[cut here by Journeyman: {len(markdown) - MAX_PLAN_CHARS} more characters]"


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
