"""Triage: rules first, then a Claude call with a JSON schema where rules do not decide."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import structlog

from services.brain.reactions import Policy
from services.brain.rules import SCHEMA, Judgement, by_model, by_rules
from shared.activity import HandOver, Turn
from shared.actor import ActorHost
from shared.claude.accounts import settle_elsewhere, settle_here
from shared.claude.agent import AgentInvalid
from shared.claude.leftovers import fate_of
from shared.claude.outcome import Outcome
from shared.claude.sweep import sweep
from shared.claude.workshop import CONSULTATIONS, Job, Workshop, forget, mark_of, quoted
from shared.config import BadConfig, Config, load_config
from shared.contracts import task
from shared.contracts.task import RecordFailure, RecordTriage, Stage, Task, Verdict
from shared.crash import crash_point
from shared.deciding import Rejected
from shared.envelope import Recorded, utc_now
from shared.ids import derived_id
from shared.nats.journal import NatsJournal
from shared.settings import Settings
from shared.subjects import Actor
from shared.takeover import Takeover
from shared.watcher import supervised, watch
from shared.workspace.git import GitFailed
from shared.workspace.remote import commit_at

AGENT = "brain"

log = structlog.get_logger(__name__)


class Triage:
    """The activity behind `task.triage-requested`."""

    def __init__(
        self, settings: Settings, host: ActorHost, journal: NatsJournal, workshop: Workshop, policy: Policy
    ) -> None:
        self._settings = settings
        self._policy = policy
        self._host = host
        self._journal = journal
        self._workshop = workshop
        self._takeover = Takeover(settings.drain_seconds)

    async def triage(self, event: Recorded, turn: Turn) -> None:
        """Decide what becomes of a task, and from which commit the work starts."""
        await self._takeover.run(event, turn, self._triage(event, turn))

    async def give_up(self, event: Recorded, reason: str) -> None:
        """Report a triage that failed again and again for a reason of ours."""
        failure = RecordFailure(
            stage=Stage.TRIAGE,
            code="internal-error",
            message=f"The brain could not judge the task ({reason}): see its log, then retry the task.",
            attempt=event.data.attempt,
        )
        await self._host.report(event.actor, failure)

    async def _triage(self, event: Recorded, turn: Turn) -> None:
        asked: task.TriageRequested = event.data
        state: Task = await self._host.state(event.actor)
        if state.triage_attempt != asked.attempt or not state.triaging:
            await self._clear(event.actor, asked.attempt, turn)
            return
        try:
            config = load_config(self._settings.config_path)
            judged = by_rules(state, config) or await self._ask_model(event, state, config, turn)
            report = await self._with_base(judged, config)
        except (BadConfig, GitFailed, AgentInvalid) as error:
            report = RecordFailure(stage=Stage.TRIAGE, code="triage-failed", message=str(error))
        crash_point("triage.judged")
        try:
            await self._host.report(event.actor, report)
        except Rejected as rejection:
            log.info("the verdict came too late", code=rejection.code)
        crash_point("triage.reported")
        await self._clear(event.actor, asked.attempt, turn)

    async def _ask_model(
        self, event: Recorded, state: Task, config: Config, turn: Turn
    ) -> RecordTriage | RecordFailure:
        if self._workshop.problem() is not None:
            await turn.draining.wait()
            raise HandOver
        actor, attempt, agent = event.actor, state.triage_attempt, self._workshop.agent(AGENT)
        desk = self._desk(actor, attempt)
        desk.mkdir(parents=True, exist_ok=True)
        stop = asyncio.Event()

        def job(number: int) -> Job:
            return Job(
                actor,
                agent,
                run_dir=self._run_dirs(actor, attempt)[number - 1],
                cwd=desk,
                session=derived_id("triage", actor.id, str(attempt), *([] if number == 1 else [str(number)])),
                prompt=_prompt(state),
                schema=SCHEMA,
                stop=stop,
            )

        def hear(heard: Recorded) -> None:
            log.info("the task was cancelled", position=heard.position)
            stop.set()

        cancelled = f"evt.task.{actor.id}.cancelled"
        async with supervised(watch(self._journal, cancelled, after=event.position, handle=hear)):
            outcome = await self._workshop.consult(job)
        return msgspec.structs.replace(_verdict(state, outcome, config, self._policy), place=self._workshop.place)

    async def _with_base(self, report: RecordTriage | RecordFailure, config: Config) -> RecordTriage | RecordFailure:
        """Pin the commit that the work starts from."""
        if not isinstance(report, RecordTriage) or report.verdict not in (Verdict.PLAN, Verdict.IMPLEMENT):
            return report
        repo = config.repo_for(report.repo)
        assert repo is not None, "rules decline a task without a configured repository"
        return msgspec.structs.replace(report, base_commit=await commit_at(repo.target, repo.base or None))

    def _run_dirs(self, actor: Actor, attempt: int) -> list[Path]:
        runs = self._workshop.runs_dir
        return [runs / f"task-{actor.id}-{attempt}-{number}" for number in range(1, CONSULTATIONS + 1)]

    def _desk(self, actor: Actor, attempt: int) -> Path:
        """An empty directory to think in."""
        return self._workshop.runs_dir / f"task-{actor.id}-{attempt}.desk"

    async def _clear(self, actor: Actor, attempt: int, turn: Turn) -> None:
        """Leave nothing on this machine of a triage that is over, and nothing unpaid here or where it was begun."""
        run_dirs, place = self._run_dirs(actor, attempt), self._workshop.place
        await asyncio.to_thread(sweep, mark_of(run_dirs[0], place))
        if fate_of(await self._journal.load(actor), attempt, place).accountable:
            # What the verdict told already adds nothing.
            await settle_here(place, actor, attempt, run_dirs, self._host.report)
            if turn.delivered > 1:
                await settle_elsewhere(self._workshop, actor, attempt, self._host.report)
        crash_point("triage.settled")
        forget(*run_dirs)
        crash_point("triage.cleaned")
        forget(self._desk(actor, attempt))


def _verdict(state: Task, outcome: Outcome, config: Config, policy: Policy) -> RecordTriage | RecordFailure:
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
        judgement = msgspec.convert(outcome.structured, Judgement)
    except msgspec.ValidationError as error:
        return RecordFailure(
            stage=Stage.TRIAGE,
            code="agent-no-structured-output",
            message=f"The model's verdict does not fit its schema ({error}): retry the task.",
            usage=outcome.usage,
        )
    return msgspec.structs.replace(by_model(state, judgement, config), usage=outcome.usage)


def _prompt(state: Task) -> str:
    where = state.source.kind + (f" ({state.source.reference})" if state.source.reference else "")
    return "\n\n".join(
        [f"Triage what arrived from {where}.", f"Title: {state.title}", quoted(state.source.kind, state.text)]
    )
