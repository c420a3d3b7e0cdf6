"""Drafting: Claude with read-only tools in a worktree at the base commit, and the plan it writes."""

from __future__ import annotations

import asyncio
import time

from shared.claude.agent_activity import AgentActivity, AgentWork, Reception
from shared.claude.conversation.outcome import Outcome
from shared.claude.role import RoleInvalid
from shared.claude.runner import quoted
from shared.claude.work_dirs import LocalWork
from shared.contracts import plan
from shared.contracts.subjects import Actor, event_filter
from shared.event_store.envelope import RecordedEvent
from shared.ops.config import BadConfig
from shared.ops.crash_points import crash_point
from shared.ops.settings import Settings
from shared.runtime.activity import ActivityContext, HandOver
from shared.workspace.gateway_git import GatewayGit
from shared.workspace.git import GitFailed
from shared.workspace.target import Target
from shared.workspace.worktree import Worktree

AGENT = "planner"
MAX_PLAN_CHARS = 64 * 1024

Report = plan.Propose | plan.Fail | plan.RecordStopped


class Drafting:
    """The activity behind `plan.drafting-started`."""

    def __init__(self, settings: Settings, agents: AgentActivity, gateway: GatewayGit) -> None:
        self._settings = settings
        self._agents = agents
        self._gateway = gateway

    async def draft(self, event: RecordedEvent, context: ActivityContext) -> None:
        """Write one draft; a worker that takes it over attaches to its agent or starts a new one."""
        await self._agents.until_agents_run(context)
        await self._agents.perform(event, context, self._draft(event, context))

    async def give_up(self, event: RecordedEvent, reason: str) -> None:
        """Report a draft that failed again and again for a reason of ours."""
        sentence = f"The planner could not write a plan ({reason}): see its log, then retry the task."
        await self._agents.give_up(
            event.actor,
            self._claim(self._agents.work(event.actor, event.data.draft)),
            lambda attempt: plan.Fail(attempt=attempt, code="internal-error", message=sentence),
        )

    async def _draft(self, event: RecordedEvent, context: ActivityContext) -> None:
        asked: plan.DraftingStarted = event.data
        work = self._agents.work(event.actor, asked.draft)
        attempt = await self._agents.claim(event.actor, self._claim(work))
        if attempt is None:
            await self._reconcile_elsewhere(work, context)
            await self._clear(work, asked)
            return
        crash_point("drafting.claimed")
        report = await self._write(event, work, attempt)
        current = await self._report(event.actor, report)
        crash_point("drafting.reported")
        if current:
            await self._reconcile_elsewhere(work, context)
        await self._clear(work, asked)
        if not current:
            raise HandOver

    def _claim(self, work: AgentWork) -> plan.Claim:
        return plan.Claim(draft=work.number, worker=self._agents.runner.worker, session=work.session())

    async def _write(self, event: RecordedEvent, work: AgentWork, attempt: int) -> Report:
        """The agent's work, from the worktree to what is to be reported."""
        actor, asked, began = event.actor, event.data, time.monotonic()
        try:
            worktree = await self._worktree(actor, asked)
            agent = self._agents.runner.agent(AGENT)
        except (GitFailed, BadConfig, RoleInvalid) as error:
            return plan.Fail(attempt=attempt, code="workspace-failed", message=str(error))
        crash_point("drafting.worktree")

        def ends(heard: RecordedEvent) -> bool:
            match heard.data:
                case plan.StopRequested():
                    return True
                case plan.Claimed(attempt=newest):
                    return newest > attempt
                case _:
                    return False

        outcome = await self._agents.run_read_only(
            work,
            agent,
            cwd=worktree.path,
            git=worktree.git_folders,
            prompt=_prompt(asked),
            hears=event_filter(actor),
            after=event.position,
            ends=ends,
        )
        crash_point("drafting.talked")
        stopped = (await self._agents.host.state(actor)).stopping
        return _report(attempt, outcome, stopped, int((time.monotonic() - began) * 1000))

    async def _worktree(self, actor: Actor, asked: plan.DraftingStarted) -> Worktree:
        target = self._target(asked)
        mirror = target.mirror()
        await mirror.ensure(asked.base_commit)
        path = LocalWork(actor, asked.draft).worktree(self._settings.data_dir)
        return await Worktree.create(mirror, path, asked.base_commit, target.submodule_mirrors())

    def _target(self, asked: plan.DraftingStarted) -> Target:
        return Target(self._settings, self._gateway, asked.repo, asked.base_commit)

    async def _reconcile_elsewhere(self, work: AgentWork, context: ActivityContext) -> None:
        """Have the log know what was spent on a draft that is over at the places it was taken over from."""
        if context.delivered > 1:
            # Not before it is over: a worker that takes the draft back reports its whole spend.
            await work.reconcile_elsewhere()

    async def _clear(self, work: AgentWork, asked: plan.DraftingStarted) -> None:
        """Leave nothing of the draft on this machine."""
        await asyncio.to_thread(work.end_processes)
        # What the plan was told already adds nothing.
        await work.reconcile_here()
        crash_point("drafting.reconciled")
        work.remove_run_dirs()
        crash_point("drafting.cleaned")
        await self._target(asked).remove_worktrees(work.local.worktree(self._settings.data_dir))

    async def _report(self, actor: Actor, command: Report) -> bool:
        """Tell how it ended; False when another worker has taken over meanwhile."""
        reception = await self._agents.report(
            actor, command, stopped=lambda: plan.RecordStopped(attempt=command.attempt, usage=command.usage)
        )
        return reception is not Reception.OVERTAKEN


def _report(attempt: int, outcome: Outcome, stopped: bool, duration_ms: int) -> Report:
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
        quoted("task", asked.text, title=asked.title),
    ]
    if asked.previous:
        parts += ["Your plan before this one:", quoted("previous plan", asked.previous)]
    if asked.feedback:
        parts += ["What the reviewer asks you to change:", quoted("reviewer", asked.feedback)]
    return "\n\n".join(parts)
