"""One attempt at a run's round: an agent in a worktree, checkpoints on the way, checks and a commit at the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import structlog

from services.executor.prompts import first_prompt, repair_prompt, revival_prompt, takeover_prompt
from services.executor.verification import blamed, verify
from services.executor.workplace import Exhausted, Workplace
from shared.activity import HandOver
from shared.claude.agent import AgentInvalid
from shared.claude.agent_activity import AgentActivity, Reception
from shared.claude.outcome import Outcome
from shared.claude.process import AgentProcess
from shared.claude.session import Answer, Question, Say, Step, TurnEnd
from shared.claude.transcript import SessionUnusable
from shared.claude.workshop import Begun, Job
from shared.config import BadConfig
from shared.contracts import plan, run
from shared.contracts.usage import ModelUsage, cost_of
from shared.crash import crash_point
from shared.envelope import Recorded, utc_now
from shared.nats.objects import ArtifactLost, Artifacts, ArtifactTooLarge
from shared.settings import Settings
from shared.subjects import Actor, event_filter
from shared.watcher import insist, supervised, watch
from shared.workspace.git import GitFailed
from shared.workspace.publish import branch_name
from shared.workspace.worktree import Author, Worktree

CHECKPOINT_EVERY_S: Final = 5.0
REPAIRS: Final = 1
REVIVALS: Final = 2
"""How often one attempt goes on with a new process after the old one was killed from outside."""
LEAST_BUDGET_MICROUSD: Final = 10_000
"""What a process gets when the budget is spent: enough to be told so by the CLI, which needs more than nothing."""
QUESTION_CHARS: Final = 20_000
MOST_OPTIONS: Final = 20
OPTION_CHARS: Final = 300
MOST_FILES: Final = 1000
FILES_BYTES: Final = 128 * 1024
"""Of the paths that one event names."""
WORKSPACE_FAILED: Final = "workspace-failed"
AUTHOR: Final = Author("Journeyman", "journeyman@localhost")

Report = run.Succeed | run.Fail | run.RecordStopped

log = structlog.get_logger(__name__)


class Means(msgspec.Struct, frozen=True):
    """What an executor works with."""

    settings: Settings
    agents: AgentActivity
    artifacts: Artifacts


class Attempt:
    """One claim of one round, from the worktree to the report."""

    def __init__(self, means: Means, event: Recorded, attempt: int, place: Workplace) -> None:
        self._settings = means.settings
        self._agents = means.agents
        self._journal = means.agents.journal
        self._artifacts = means.artifacts
        self._workshop = means.agents.workshop
        self._event = event
        self._actor: Actor = event.actor
        self._attempt = attempt
        self._session = place.work.session()
        self._place = place
        self._began = time.monotonic()
        self._checkpointed = time.monotonic()
        self._turn = 0
        self._job: Job | None = None
        self._stopping = asyncio.Event()
        self._lost = False
        self._inputs: list[Say | Answer] = []
        self._answered: asyncio.Queue[run.RecordResumed] = asyncio.Queue()

    async def perform(self) -> None:
        """Work, and report how it ended. Raises `HandOver` when another worker has taken over meanwhile."""
        state: run.Run = await self._agents.host.state(self._actor)
        await self._settle_elsewhere()
        async with supervised(self._watch(), self._report_answers()):
            try:
                worktree = await self._place.open(state)
                crash_point("run.worktree")
                report = await self._work(state, worktree)
            except EXPLAINED as error:
                report = self._failed(WORKSPACE_FAILED, str(error))
        # The agent must be gone before anybody hears that it is.
        crash_point("run.worked")
        killed = await asyncio.to_thread(self._place.sweep)
        crash_point("run.swept")
        if isinstance(report, run.RecordStopped):
            report = msgspec.structs.replace(report, killed=report.killed + killed)
        if isinstance(report, run.Fail) and report.code == WORKSPACE_FAILED:
            await self._place.work.settle_here()  # the work broke off around an agent
        await self._settle_elsewhere()
        if not self._lost and await self._report(report):
            crash_point("run.reported")
            await self._place.clear()
        else:
            await self._place.leave()
        if self._lost:
            raise HandOver

    async def _work(self, state: run.Run, worktree: Worktree) -> Report:
        markdown = await self._approved_plan(state)
        process, resume = self._place.last_process(), False
        if process is None:
            # An attempt here that another worker overtook may have left a conversation: its id cannot be begun again.
            resume = await self._place.restore_session(state) or self._place.has_session(self._session)
            process = self._place.next_process()
        prompt = takeover_prompt(state, markdown) if resume else first_prompt(state, markdown)
        repairs = revivals = 0
        while True:
            job = self._job_in(
                process, state, worktree, prompt, resume=resume, budget_usd=await self._budget_left(state)
            )
            outcome = await self._converse(job, worktree)
            crash_point("run.talked")
            if self._stopping.is_set():
                return run.RecordStopped(attempt=self._attempt, duration_ms=self._duration(), usage=outcome.unreported)
            if outcome.code == "agent-killed" and revivals < REVIVALS:
                revivals += 1
                log.warning("the agent was killed from outside; going on from where it was")
                resume = self._place.has_session(self._session)
                prompt = revival_prompt(state, markdown) if resume else first_prompt(state, markdown)
            elif not outcome.ok:
                failed = self._failed(outcome.code, outcome.message, outcome.unreported)
                return msgspec.structs.replace(failed, retryable=outcome.retryable, retry_at=outcome.retry_at)
            else:
                checks = await self._verify(worktree, process)
                crash_point("run.checked")
                guilty = blamed(checks)
                if not guilty:
                    return await self._succeeded(state, worktree, outcome, checks, outcome.unreported)
                if repairs == REPAIRS:
                    return self._checks_failed(guilty, checks, outcome.unreported)
                repairs += 1
                prompt, resume = repair_prompt(guilty), True
            # Priced before the next process begins: from then on nobody looks at this one again.
            await self._checkpoint(process, worktree, AgentProcess.attach(process).output_size(), outcome.unreported)
            crash_point("run.settled")
            process = self._place.next_process()

    async def _settle_elsewhere(self) -> None:
        """Have the log know what agents of other places have spent on this round, once it was taken over from one."""
        events = await self._journal.load(self._actor)
        claims = [each.data for each in events if isinstance(each.data, run.Claimed)]
        number = self._event.data.round
        if not all(self._workshop.holds(claim.worker) for claim in claims if claim.round == number):
            await self._place.work.settle_elsewhere()

    async def _budget_left(self, state: run.Run) -> float:
        """What the next process of this round may spend, in dollars: the CLI counts each process for itself."""
        approved = state.plan.budget_microusd if state.plan is not None else 0
        budget = approved or int(self._settings.run_budget_usd * 1_000_000)
        events = await self._journal.load(self._actor)
        number = self._event.data.round
        spent = sum(
            cost_of(getattr(each.data, "usage", ()))
            for each in events
            if each.position > self._event.position and getattr(each.data, "round", number) == number
        )
        return max(budget - spent, LEAST_BUDGET_MICROUSD) / 1_000_000

    def _job_in(
        self, process: Path, state: run.Run, worktree: Worktree, prompt: str, *, resume: bool, budget_usd: float
    ) -> Job:
        """The work for the process in this directory, with everything that was said to this attempt so far."""
        job = self._job = Job(
            self._actor,
            self._workshop.agent(self._place.repo().agent),
            run_dir=process,
            cwd=worktree.path,
            session=self._session,
            prompt=prompt,
            resume=resume,
            budget_usd=budget_usd,
            offset=state.offset if state.process == self._workshop.name_of(process) else 0,
        )
        for each in self._inputs:
            job.inputs.put_nowait(each)
        if self._stopping.is_set():
            job.stop.set()
        return job

    def _checks_failed(
        self, guilty: list[run.Check], checks: list[run.Check], usage: tuple[ModelUsage, ...]
    ) -> run.Fail:
        names = ", ".join(check.command for check in guilty)
        return self._failed(
            "checks-failed",
            f"The repository's checks fail after the agent's work ({names}): look at their output, then retry.",
            usage,
            tuple(checks),
        )

    async def _converse(self, job: Job, worktree: Worktree) -> Outcome:
        async def started(begun: Begun) -> None:
            await self._tell(
                run.RecordStarted(
                    attempt=self._attempt, cli_version=begun.cli_version, model=begun.model, resumed=begun.resumed
                )
            )

        async def step(done: Step) -> bool:
            if time.monotonic() - self._checkpointed < CHECKPOINT_EVERY_S:
                return False
            return await self._checkpoint(job.run_dir, worktree, done.offset, done.usage)

        async def turn(done: TurnEnd) -> None:
            await self._checkpoint(job.run_dir, worktree, done.offset, done.usage)

        async def question(asked: Question) -> None:
            await self._answered.join()  # a run has one open question at a time
            await self._tell(
                run.Ask(
                    attempt=self._attempt,
                    request_id=asked.request_id,
                    question="\n".join(asked.questions)[:QUESTION_CHARS],
                    options=tuple(each[:OPTION_CHARS] for each in (asked.options or ((),))[0][:MOST_OPTIONS]),
                )
            )

        return await self._workshop.work(job, on_start=started, on_step=step, on_turn=turn, on_question=question)

    async def _checkpoint(self, process: Path, worktree: Worktree, offset: int, usage: tuple[ModelUsage, ...]) -> bool:
        """Record a point to go on from: the ``process`` up to ``offset``. Whether ``usage`` is recorded with it."""
        commit, bundle, transcript = await self._place.checkpoint(worktree, self._session, utc_now())
        crash_point("run.checkpoint-stored")
        self._checkpointed = time.monotonic()
        self._turn += 1
        return await self._tell(
            run.RecordCheckpoint(
                attempt=self._attempt,
                turn=self._turn,
                commit=commit,
                bundle=bundle,
                transcript=transcript,
                process=self._workshop.name_of(process),
                offset=offset,
                usage=usage,
            )
        )

    async def _verify(self, worktree: Worktree, process: Path) -> list[run.Check]:
        return await verify(
            worktree,
            self._place.repo().checks,
            base=self._place.base_path,
            home=process / "checks-home",
            mark=self._place.work.mark,
            timeout_s=float(self._settings.run_timeout_seconds),
        )

    async def _succeeded(
        self,
        state: run.Run,
        worktree: Worktree,
        outcome: Outcome,
        checks: list[run.Check],
        usage: tuple[ModelUsage, ...],
    ) -> run.Succeed:
        summary = outcome.text.strip()[:8000]
        done = run.Succeed(
            attempt=self._attempt,
            summary=summary,
            checks=tuple(checks),
            turns=outcome.turns,
            duration_ms=self._duration(),
            usage=usage,
        )
        # Dated by the request, so that doing it again after a crash makes the very same commit.
        commit = await worktree.commit(_message(state.title, summary, self._actor), AUTHOR, at=self._event.time)
        if commit is None:
            return done
        crash_point("run.committed")
        files = [
            run.FileChange(
                path=each.path,
                added=-1 if each.added is None else each.added,
                removed=-1 if each.removed is None else each.removed,
            )
            for each in await worktree.changed_files()
        ]
        diff = await worktree.diff()
        return msgspec.structs.replace(
            done,
            commit=commit.id,
            branch=branch_name(self._actor.id, state.title),
            bundle=await self._place.store_bundle(worktree, commit.id, "result"),
            files=first_files(files),
            diff=await self._artifacts.put(f"{self._actor.id}.diff", diff.encode()),
        )

    async def _approved_plan(self, state: run.Run) -> str:
        """The Markdown of exactly the plan that was approved; empty when the task needed none."""
        if state.plan is None:
            return ""
        for event in await self._journal.load(Actor("plan", self._actor.id)):
            match event.data:
                case plan.Proposed(version=version, digest=digest, base_commit=base, markdown=markdown) if (
                    version == state.plan.version and digest == state.plan.digest and base == state.base_commit
                ):
                    return markdown
        raise _PlanGone("The approved plan is not in the log as it was approved: retry the task from planning.")

    async def _watch(self) -> None:
        """Hear of stops, of input, and of another worker, whichever instance took the command."""
        await watch(self._journal, event_filter(self._actor), after=self._event.position, handle=self._hear)

    def _hear(self, event: Recorded) -> None:
        match event.data:
            case run.StopRequested():
                self._end()
            case run.Claimed(attempt=newest) if newest > self._attempt:
                log.warning("another worker has taken over; leaving", attempt=newest)
                self._lost = True
                self._end()
            case run.InputGiven(number=number, message=message, request_id=request):
                self._hand_over(number, message, request)
            case _:
                return

    async def _report_answers(self) -> None:
        """Tell that the agent was handed an answer, until the log has it: before that, it can ask nothing else."""
        while True:
            resumed = await self._answered.get()
            await insist(partial(self._tell, resumed))
            self._answered.task_done()

    def _end(self) -> None:
        self._stopping.set()
        if self._job is not None:
            self._job.stop.set()

    def _hand_over(self, number: int, message: str, request: str) -> None:
        said = Answer(request, message) if request else Say(f"{self._actor.id}:input:{number}", message)
        self._inputs.append(said)
        if self._job is not None:
            self._job.inputs.put_nowait(said)
        if request:
            self._answered.put_nowait(run.RecordResumed(attempt=self._attempt, request_id=request))

    async def _tell(self, command: run.RunCommand) -> bool:
        """Report on the way; a report that comes too late ends the work. Whether it was taken."""
        return self._was_taken(await self._agents.report(self._actor, command))

    async def _report(self, report: Report) -> bool:
        """Tell how it ended. Whether that was taken."""

        def stopped() -> run.RecordStopped:
            return run.RecordStopped(attempt=self._attempt, duration_ms=self._duration(), usage=report.usage)

        return self._was_taken(await self._agents.report(self._actor, report, stopped=stopped))

    def _was_taken(self, reception: Reception) -> bool:
        if reception is Reception.OVERTAKEN:
            self._lost = True
            self._end()
        return reception is Reception.TAKEN

    def _failed(
        self, code: str, message: str, usage: tuple[ModelUsage, ...] = (), checks: tuple[run.Check, ...] = ()
    ) -> run.Fail:
        return run.Fail(
            attempt=self._attempt,
            code=code,
            message=message,
            checks=checks,
            duration_ms=self._duration(),
            usage=usage,
        )

    def _duration(self) -> int:
        return int((time.monotonic() - self._began) * 1000)


def first_files(files: Sequence[run.FileChange]) -> tuple[run.FileChange, ...]:
    """As many changes as an event takes; the diff has them all."""
    kept: list[run.FileChange] = []
    size = 0
    for file in files[:MOST_FILES]:
        size += len(file.path.encode("utf-8", "replace"))
        if size > FILES_BYTES:
            break
        kept.append(file)
    if len(kept) < len(files):
        log.warning("not every changed file is named in the event", named=len(kept), changed=len(files))
    return tuple(kept)


class _PlanGone(Exception):
    """The plan that was approved cannot be found unchanged."""


EXPLAINED: Final = (
    GitFailed,
    BadConfig,
    AgentInvalid,
    ArtifactLost,
    ArtifactTooLarge,
    SessionUnusable,
    Exhausted,
    _PlanGone,
)
"""What ends the work with a sentence that says what to do."""


def _message(title: str, summary: str, actor: Actor) -> str:
    """The commit message: the task's title, the agent's summary, and where it came from."""
    subject = " ".join(title.split())[:72] or "Work of an agent"
    return f"{subject}\n\n{summary}\n\nJourneyman-Task: {actor.id}\n"
