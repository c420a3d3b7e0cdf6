"""Triage: rules first, then a Claude call with a JSON schema where rules do not decide."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import msgspec

from services.brain.actors.wishes import text_of
from services.brain.policy import ReactionPolicy
from services.brain.rules import SCHEMA, Judgement, by_model, by_rules, repo_of
from services.brain.webhook_drafts import BUDGET_USD, is_draft, prompt_of, verdict_of
from shared.claude.agent_activity import AgentActivity, AgentWork
from shared.claude.conversation.outcome import Outcome
from shared.claude.orphans import fate_of
from shared.claude.role import RoleInvalid
from shared.claude.runner import quoted
from shared.claude.work_dirs import remove_run_dirs
from shared.contracts import task
from shared.contracts.task import RecordFailure, RecordTriage, Stage, Task, Verdict
from shared.contracts.webhook_draft import SCHEMA as DRAFT
from shared.event_store.envelope import RecordedEvent, utc_now
from shared.ops.config import BadConfig, Config, load_config
from shared.ops.crash_points import crash_point
from shared.ops.settings import Settings
from shared.runtime.activity import ActivityContext
from shared.workspace.gateway_git import GatewayGit, RepositoryRefused
from shared.workspace.git import GitFailed

AGENT = "brain"


class Triage:
    """The activity behind `task.triage-requested`."""

    def __init__(self, settings: Settings, agents: AgentActivity, policy: ReactionPolicy, gateway: GatewayGit) -> None:
        self._settings = settings
        self._agents = agents
        self._policy = policy
        self._gateway = gateway

    async def triage(self, event: RecordedEvent, context: ActivityContext) -> None:
        """Decide what becomes of a task, and from which commit the work starts."""
        await self._agents.perform(event, context, self._triage(event, context))

    async def give_up(self, event: RecordedEvent, reason: str) -> None:
        """Report a triage that failed again and again for a reason of ours."""
        failure = RecordFailure(
            stage=Stage.TRIAGE,
            code="internal-error",
            message=f"The brain could not judge the task ({reason}): see its log, then retry the task.",
            attempt=event.data.attempt,
        )
        await self._agents.host.report(event.actor, failure)

    async def _triage(self, event: RecordedEvent, context: ActivityContext) -> None:
        asked: task.TriageRequested = event.data
        work = self._agents.work(event.actor, asked.attempt)
        state: Task = await self._agents.host.state(event.actor)
        if state.triage_attempt != asked.attempt or not state.triaging:
            await self._clear(work, context)
            return
        try:
            config = load_config(self._settings.config_path)
            report = await self._with_base(await self._judge(event, work, state, config, context), config)
        except RepositoryRefused as error:
            report = RecordFailure(stage=Stage.TRIAGE, code="repo-refused", message=str(error))
        except (BadConfig, GitFailed, RoleInvalid) as error:
            report = RecordFailure(stage=Stage.TRIAGE, code="triage-failed", message=str(error))
        crash_point("triage.judged")
        await self._agents.report(event.actor, report)  # refused when the task has ended meanwhile
        crash_point("triage.reported")
        await self._clear(work, context)

    async def _judge(
        self, event: RecordedEvent, work: AgentWork, state: Task, config: Config, context: ActivityContext
    ) -> RecordTriage | RecordFailure:
        if is_draft(state):
            budget_usd = min(BUDGET_USD, self._settings.run_budget_usd)
            outcome = await self._ask_model(event, work, prompt_of(state), DRAFT, context, budget_usd=budget_usd)
            return self._verdict(state, outcome, partial(verdict_of, state))
        if (judged := by_rules(state, config)) is not None:
            return judged
        await self._start_of_work(repo_of(state, config), config)  # before the model is paid for
        outcome = await self._ask_model(event, work, _prompt(state), SCHEMA, context)
        return self._verdict(state, outcome, lambda told: by_model(state, msgspec.convert(told, Judgement), config))

    async def _ask_model(
        self,
        event: RecordedEvent,
        work: AgentWork,
        prompt: str,
        schema: dict[str, object],
        context: ActivityContext,
        *,
        budget_usd: float | None = None,
    ) -> Outcome:
        await self._agents.until_agents_run(context)
        agent = self._agents.runner.agent(AGENT)
        empty_dir = work.local.empty_dir(self._agents.runner.data_dir)
        empty_dir.mkdir(parents=True, exist_ok=True)
        return await self._agents.run_read_only(
            work,
            agent,
            cwd=empty_dir,
            prompt=prompt,
            schema=schema,
            budget_usd=budget_usd,
            hears=f"evt.task.{event.actor.id}.cancelled",
            after=event.position,
            ends=lambda _: True,
        )

    def _verdict(
        self, state: Task, outcome: Outcome, judged: Callable[[object], RecordTriage]
    ) -> RecordTriage | RecordFailure:
        """What a model's answer makes of the task, with the place where it was paid for."""
        verdict = _verdict(state, outcome, self._policy, judged)
        return msgspec.structs.replace(verdict, place=self._agents.runner.node_id)

    async def _with_base(self, report: RecordTriage | RecordFailure, config: Config) -> RecordTriage | RecordFailure:
        """Pin the commit that the work starts from."""
        if not isinstance(report, RecordTriage) or report.verdict not in (Verdict.PLAN, Verdict.IMPLEMENT):
            return report
        commit = await self._start_of_work(report.repo, config)
        return msgspec.structs.replace(report, base_commit=commit, approval=self._policy.strict)

    async def _start_of_work(self, name: str, config: Config) -> str:
        """The commit, when the repository can be read, and as far as can be known also be published in."""
        repo = config.repo_for(name)
        assert repo is not None, "rules decline a task without a configured repository"
        return await self._gateway.start_of_work(config.name_for(name), repo)

    async def _clear(self, work: AgentWork, context: ActivityContext) -> None:
        """Leave nothing on this machine of a triage that is over, and nothing unpaid here or where it was begun."""
        await asyncio.to_thread(work.end_processes)
        events = await self._agents.journal.load(work.actor)
        if fate_of(events, work.number, self._agents.runner.node_id).accountable:
            # What the verdict told already adds nothing.
            await work.reconcile_here()
            if context.delivered > 1:
                await work.reconcile_elsewhere()
        crash_point("triage.reconciled")
        work.remove_run_dirs()
        crash_point("triage.cleaned")
        remove_run_dirs(work.local.empty_dir(self._agents.runner.data_dir))


def _verdict(
    state: Task, outcome: Outcome, policy: ReactionPolicy, judged: Callable[[object], RecordTriage]
) -> RecordTriage | RecordFailure:
    if not outcome.ok or outcome.structured is None:
        return RecordFailure(
            stage=Stage.TRIAGE,
            attempt=state.triage_attempt,
            code=outcome.code,
            message=outcome.message,
            usage=outcome.usage,
            retries_at=policy.retries_at(utc_now(), outcome.retry_at) if outcome.retryable else (),
        )
    try:
        verdict = judged(outcome.structured)
    except msgspec.ValidationError as error:
        return RecordFailure(
            stage=Stage.TRIAGE,
            code="agent-no-structured-output",
            message=f"The model's verdict does not fit its schema ({error}): retry the task.",
            usage=outcome.usage,
        )
    return msgspec.structs.replace(verdict, usage=outcome.usage)


def _prompt(state: Task) -> str:
    where = f"{state.source.kind} {state.source.reference}".strip()
    return f"Triage what arrived.\n\n{quoted(where, text_of(state), title=state.title)}"
