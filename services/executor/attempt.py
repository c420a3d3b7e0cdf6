"""One attempt at a run's round: an agent in a worktree, its work as a commit, and what we observe of that commit."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

import msgspec
import structlog

from services.executor.attempt_state import Again, AttemptState, AttemptStep, Committed, Report
from services.executor.budget import budget_of
from services.executor.conclusion import broken_off, concluded, kept_of, recorded_result
from services.executor.inbox import Inbox
from services.executor.prompts import (
    beginning_prompt,
    first_prompt,
    late_words_prompt,
    opening_prompt,
    reopened_prompt,
    repair_prompt,
    revival_prompt,
    with_lost_edits,
)
from services.executor.result import commit_message, first_files, notes_on, notes_on_submodules
from services.executor.run_workspace import Exhausted, RunWorkspace
from services.executor.verification.judge import Judged
from services.executor.verification.verify import Verification
from shared.claude.agent_activity import AgentActivity, Reception
from shared.claude.conversation.converse import Question, Step, TurnEnd
from shared.claude.conversation.outcome import Outcome as AgentOutcome
from shared.claude.conversation.transcript import SessionUnusable
from shared.claude.process.process import AgentProcess
from shared.claude.role import RoleInvalid
from shared.claude.runner import Begun, Job
from shared.contracts import plan, run
from shared.contracts.evidence import Check, EvidencePolicy, Outcome
from shared.contracts.subjects import Actor
from shared.contracts.task import BUDGET_REACHED
from shared.contracts.usage import ModelUsage, cost_of, spent_on
from shared.event_store.envelope import RecordedEvent, utc_now
from shared.nats.objects import ArtifactLost, Artifacts, ArtifactTooLarge
from shared.ops.config import BadConfig
from shared.ops.crash_points import crash_point
from shared.ops.settings import Settings
from shared.ops.timings import Timings
from shared.runtime.activity import HandOver
from shared.runtime.watcher import supervised
from shared.workspace.branches import branch_name, refuse_branch_in_the_way
from shared.workspace.git import GitFailed
from shared.workspace.worktree import Author

REPAIRS: Final = 1
REVIVALS: Final = 2
"""How often one attempt goes on with a new process after the old one was killed from outside."""
LEAST_BUDGET_MICROUSD: Final = 10_000
"""What a process gets when the budget is spent: enough to be told so by the CLI, which needs more than nothing."""
QUESTION_CHARS: Final = 20_000
MOST_OPTIONS: Final = 20
OPTION_CHARS: Final = 300
MOST_BLAMED: Final = 10
"""Failing checks that an agent is shown."""
SUMMARY_CHARS: Final = 8000
WORKSPACE_FAILED: Final = "workspace-failed"
AUTHOR: Final = Author("Journeyman", "journeyman@localhost")

log = structlog.get_logger(__name__)


class Dependencies(msgspec.Struct, frozen=True):
    """What an executor works with."""

    settings: Settings
    agents: AgentActivity
    artifacts: Artifacts
    timings: Timings
    verification: Verification


class Attempt:
    """One claim of one round, from the worktree to the report."""

    def __init__(self, dependencies: Dependencies, event: RecordedEvent, attempt: int, workspace: RunWorkspace) -> None:
        self._settings = dependencies.settings
        self._agents = dependencies.agents
        self._artifacts = dependencies.artifacts
        self._runner = dependencies.agents.runner
        self._verification = dependencies.verification
        self._checkpoint_every_s = dependencies.timings.checkpoint_every_s
        self._event = event
        self._actor: Actor = event.actor
        self._attempt = attempt
        self._session = workspace.work.session()
        self._workspace = workspace
        self._inbox = Inbox(dependencies.agents.journal, event, attempt)
        self._began = time.monotonic()
        self._checkpointed = time.monotonic()
        self._turn = 0
        self._steps: tuple[AttemptStep, ...] = (
            self._run_agent,
            self._heed_stop,
            self._revive_killed_agent,
            self._fail_with_agent,
            self._commit,
            self._hear_late_words,
            self._verify,
            self._have_checks_repaired,
            self._hear_late_words,
            self._conclude,
        )

    async def perform(self) -> None:
        """Work, and report how it ended. Raises `HandOver` when another worker has taken over meanwhile."""
        await self._reconcile_elsewhere()
        while await self._work_and_report() is Reception.UNHEARD:
            log.info("somebody spoke when the work was about to end; the agent goes on")
            self._inbox = Inbox(self._agents.journal, self._event, self._attempt)
        if self._inbox.lost:
            raise HandOver

    async def _work_and_report(self) -> Reception:
        found: run.Run = await self._agents.host.state(self._actor)
        async with supervised(self._inbox.watch(), self._inbox.report_answers(self._tell)):
            try:
                report = await self._work(found)
            except EXPLAINED as error:
                report = await self._broken_off(str(error))
        crash_point("run.worked")
        report = await self._end_processes(report)
        await self._reconcile_elsewhere()
        return await self._hand_in(report)

    async def _work(self, found: run.Run) -> Report:
        """Take the steps, again for each new process, until one of them ends the attempt."""
        state = await self._begin(found)
        while isinstance(end := await self._take_steps(state), Again):
            await self._begin_again(state, end)
        return end

    async def _take_steps(self, state: AttemptState) -> Report | Again:
        for step in self._steps:
            if (end := await step(state)) is not None:
                return end
        raise AssertionError("the last step reports")

    async def _begin(self, found: run.Run) -> AttemptState:
        """The worktree, and the process to attach to or to start; or the committed result that is to be judged."""
        markdown = await self._approved_plan(found)
        if found.committed:
            result = await recorded_result(self._agents.journal, self._actor, found.committed)
            worktree = await self._workspace.provide(found, result.commit, result.bundle)
            crash_point("run.result-found")
            return AttemptState(
                found=found,
                worktree=worktree,
                plan=markdown,
                repairs=found.repairs,
                heard=result.heard,
                retold=result.heard,
                result=result,
            )
        worktree = await self._workspace.open(found)
        crash_point("run.worktree")
        # Known before anything is paid for. Whether the target can be written, only the gateway can know.
        await refuse_branch_in_the_way(worktree.mirror, self._branch(found))
        process, resume = self._workspace.last_process(), False
        if process is None:
            # An attempt here that another worker overtook may have left a conversation: its id cannot be begun again.
            resume = await self._workspace.restore_session(found) or self._workspace.has_session(self._session)
            process = self._workspace.next_process()
        state = AttemptState(
            found=found,
            worktree=worktree,
            plan=markdown,
            process=process,
            prompt=with_lost_edits(opening_prompt(found, markdown, resume=resume), worktree.submodules_lost),
            resume=resume,
            repairs=found.repairs,
        )
        if found.ended_process == self._runner.name_of(process):
            # An attempt here died between reopening the result and the process that is to go on with it.
            await self._begin_again(state, Again(reopened_prompt(found), resume=True))
        return state

    async def _begin_again(self, state: AttemptState, again: Again) -> None:
        """Record what the ended process has spent, and prepare the next one."""
        lost_edits: tuple[str, ...] = ()
        if state.process is None:
            state.worktree = await self._workspace.open(state.found)
            lost_edits = state.worktree.submodules_lost
            await self._workspace.restore_session(state.found)
        else:
            # Priced before the next process begins: from then on nobody looks at this one again.
            size = AgentProcess.attach(state.process).output_size()
            await self._checkpoint(state, state.process, size, state.unreported)
        crash_point("run.reconciled")
        state.process = self._workspace.next_process()
        state.resume = again.resume and self._workspace.has_session(self._session)
        lost = again.resume and not state.resume
        prompt = f"{beginning_prompt(state.found, state.plan)}\n\n{again.prompt}" if lost else again.prompt
        state.prompt = with_lost_edits(prompt, lost_edits)
        state.result, state.judged = None, Judged()

    # ---- the steps -------------------------------------------------------------------------------------------------

    async def _run_agent(self, state: AttemptState) -> None:
        if state.process is None:
            return
        job = Job(
            self._actor,
            self._runner.agent(self._event.data.agent or self._workspace.repo().agent),
            run_dir=state.process,
            cwd=state.worktree.path,
            git=state.worktree.git_folders,
            session=self._session,
            prompt=state.prompt,
            resume=state.resume,
            budget_usd=await self._budget_left(state.found),
            offset=state.found.offset if state.found.process == self._runner.name_of(state.process) else 0,
            stop=self._inbox.stop,
        )
        self._inbox.attach(job)
        state.ended = await self._converse(job, state, state.process)
        state.heard = max(self._inbox.detach(state.ended.unheard), state.found.inputs_before)
        crash_point("run.talked")

    async def _heed_stop(self, state: AttemptState) -> run.RecordStopped | None:
        return self._stopped(state.unreported) if self._inbox.stop.is_set() else None

    async def _revive_killed_agent(self, state: AttemptState) -> Again | None:
        if state.ended is None or state.ended.code != "agent-killed" or state.revivals == REVIVALS:
            return None
        state.revivals += 1
        log.warning("the agent was killed from outside; going on from where it was")
        if self._workspace.has_session(self._session):
            return Again(revival_prompt(state.found, state.plan), resume=True)
        return Again(first_prompt(state.found, state.plan), resume=False)

    async def _fail_with_agent(self, state: AttemptState) -> run.Fail | None:
        outcome = state.ended
        if outcome is None or outcome.ok:
            return None
        failed = self._failed(outcome.code, outcome.message, outcome.unreported)
        if outcome.code == BUDGET_REACHED:
            reached = budget_of(state.found, self._settings.run_budget_usd)
            return msgspec.structs.replace(failed, budget_microusd=reached)
        return msgspec.structs.replace(failed, retryable=outcome.retryable, retry_at=outcome.retry_at)

    async def _commit(self, state: AttemptState) -> None:
        """Commit and record the work before anything is run on it: what checks do to files is no part of it."""
        if state.result is not None:
            return
        summary = _summary(state.outcome)
        # Dated by the request, so that doing it again after a crash makes the very same commit.
        message = commit_message(state.found.title, summary, self._actor)
        commit = await state.worktree.commit(message, AUTHOR, at=self._event.time)
        state.lost = notes_on_submodules(await state.worktree.submodule_edits(), state.worktree.submodules_lost)
        if commit is None:
            return
        crash_point("run.committed")
        diff = await state.worktree.diff(commit)
        result = run.RecordCommit(
            attempt=self._attempt,
            commit=commit.id,
            tree=commit.tree,
            parent=commit.parent,
            bundle=await self._workspace.store_bundle(state.worktree, commit.id, "result"),
            diff=await self._artifacts.put(f"{self._actor.id}.diff", diff.encode()),
            files=first_files(await state.worktree.changed_files(commit)),
            summary=summary,
            turns=state.outcome.turns,
            heard=state.heard,
            notes=(*state.lost, *notes_on(commit, state.worktree.submodules_missing)),
            usage=state.unreported,
        )
        crash_point("run.commit-stored")
        if await self._tell(result):
            state.ended = msgspec.structs.replace(state.outcome, unreported=())
        state.result = result
        crash_point("run.commit-recorded")

    async def _verify(self, state: AttemptState) -> run.RecordStopped | None:
        """Judge the committed result; a stop ends that at once."""
        if state.result is None:
            return None
        verifying = asyncio.create_task(
            self._verification.judge(
                self._workspace.work.local,
                self._workspace.work.mark,
                state.found.repo,
                self._workspace.repo(),
                state.worktree.mirror,
                base=state.found.base_commit,
                commit=state.result.commit,
                submodules=self._workspace.submodules(),
            )
        )
        stopping = asyncio.create_task(self._inbox.stop.wait())
        try:
            done, _ = await asyncio.wait((verifying, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (verifying, stopping):
                task.cancel()  # what is done already stays as it is
            await asyncio.gather(verifying, stopping, return_exceptions=True)
        if verifying not in done:
            # Paid for, and nobody can tell any more: it is kept, and somebody may publish it or go on from it.
            return self._stopped(state.unreported, result=await self._sealed(state, state.result))
        state.judged = verifying.result()
        crash_point("run.checked")
        return None

    async def _have_checks_repaired(self, state: AttemptState) -> Again | None:
        blamed = state.judged.blamed
        if not blamed or state.repairs == REPAIRS:
            return None
        state.repairs += 1
        await self._reopen(blamed[:MOST_BLAMED])
        return Again(repair_prompt(blamed[:MOST_BLAMED]), resume=True)

    async def _hear_late_words(self, state: AttemptState) -> Again | None:
        """What people said after the agent's last turn is not lost: the agent goes on."""
        now: run.Run = await self._agents.host.state(self._actor)
        if now.stopping or now.inputs <= state.answered:
            return None
        state.retold = now.inputs
        if state.result is not None:
            await self._reopen(())
        return Again(late_words_prompt(), resume=True)

    async def _reopen(self, blamed: tuple[Check, ...]) -> None:
        """Record that the committed result is not the last word."""
        await self._tell(run.Reopen(attempt=self._attempt, checks=blamed))
        crash_point("run.reopened")

    async def _conclude(self, state: AttemptState) -> run.Succeed | run.Fail:
        """The report of a result; one that falls short of what the repository demands is kept all the same."""
        if state.result is None:
            return run.Succeed(
                attempt=self._attempt,
                summary=_summary(state.outcome),
                turns=state.outcome.turns,
                duration_ms=self._duration(),
                usage=state.unreported,
                outcome=Outcome.NOTHING_TO_CHANGE,
                notes=state.lost,
                heard=state.answered,
            )
        kept = await self._sealed(state, state.result)
        policy = EvidencePolicy(self._workspace.repo().evidence)
        return concluded(self._attempt, kept, state, policy, self._duration())

    async def _sealed(self, state: AttemptState, result: Committed) -> run.KeptResult:
        """The commit to publish: the very tree and parent that were checked, with what was observed in its message."""
        message = commit_message(state.found.title, result.summary, self._actor, state.judged.evidence)
        commit = await state.worktree.commit_tree(result.tree, result.parent, message, AUTHOR, at=self._event.time)
        crash_point("run.sealed")
        return run.KeptResult(
            commit=commit.id,
            branch=self._branch(state.found),
            bundle=await self._workspace.store_bundle(state.worktree, commit.id, "published"),
            tree=result.tree,
            checked_commit=result.commit,
            summary=result.summary,
            files=result.files,
            diff=result.diff,
            turns=result.turns,
        )

    def _branch(self, found: run.Run) -> str:
        return branch_name(self._actor.id, found.title, self._workspace.repo().branch_prefix)

    async def _broken_off(self, why: str) -> run.Fail:
        """The report of work that cannot go on; a result that is in the log is offered all the same."""
        failed = self._failed(WORKSPACE_FAILED, why)
        now: run.Run = await self._agents.host.state(self._actor)
        if not now.committed or self._inbox.lost:
            return failed
        try:
            branch = self._branch(now)
        except (BadConfig, OSError):
            return failed  # nobody can publish it as it is
        return broken_off(failed, await recorded_result(self._agents.journal, self._actor, now.committed), branch)

    # ---- with the agent --------------------------------------------------------------------------------------------

    async def _converse(self, job: Job, state: AttemptState, process: Path) -> AgentOutcome:
        async def started(begun: Begun) -> None:
            await self._tell(
                run.RecordStarted(
                    attempt=self._attempt, cli_version=begun.cli_version, model=begun.model, resumed=begun.resumed
                )
            )

        async def step(done: Step) -> bool:
            if time.monotonic() - self._checkpointed < self._checkpoint_every_s:
                return False
            return await self._checkpoint(state, process, done.offset, done.usage)

        async def turn(done: TurnEnd) -> None:
            await self._checkpoint(state, process, done.offset, done.usage)

        async def question(asked: Question) -> None:
            await self._inbox.answers_reported()
            await self._tell(
                run.Ask(
                    attempt=self._attempt,
                    request_id=asked.request_id,
                    question="\n".join(asked.questions)[:QUESTION_CHARS],
                    options=tuple(each[:OPTION_CHARS] for each in (asked.options or ((),))[0][:MOST_OPTIONS]),
                )
            )

        return await self._runner.run(job, on_start=started, on_step=step, on_turn=turn, on_question=question)

    async def _checkpoint(self, state: AttemptState, process: Path, offset: int, usage: tuple[ModelUsage, ...]) -> bool:
        """Record a point to go on from: the process up to ``offset``. Whether ``usage`` is recorded with it."""
        commit, bundle, transcript = await self._workspace.checkpoint(state.worktree, self._session, utc_now())
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
                process=self._runner.name_of(process),
                offset=offset,
                usage=usage,
            )
        )

    async def _budget_left(self, found: run.Run) -> float:
        """What the next process of this round may spend, in dollars: the CLI counts each process for itself."""
        now: run.Run = await self._agents.host.state(self._actor)
        spent = cost_of(spent_on(now.accounts, self._event.data.round))
        budget = budget_of(found, self._settings.run_budget_usd)
        return max(budget - spent, LEAST_BUDGET_MICROUSD) / 1_000_000

    async def _approved_plan(self, found: run.Run) -> str:
        """The Markdown of exactly the plan that was approved; empty when the task needed none."""
        approved = found.plan
        if approved is None:
            return ""
        for event in await self._agents.journal.load(Actor("plan", self._actor.id)):
            match event.data:
                case plan.Proposed(version=version, digest=digest, base_commit=base, markdown=markdown) if (
                    version == approved.version and digest == approved.digest and base == found.base_commit
                ):
                    return markdown
        raise _PlanGone("The approved plan is not in the log as it was approved: retry the task from planning.")

    # ---- the end ---------------------------------------------------------------------------------------------------

    async def _end_processes(self, report: Report) -> Report:
        """Leave no process behind: the agent must be gone before anybody hears that it is."""
        killed = await asyncio.to_thread(self._workspace.sweep)
        crash_point("run.swept")
        match report:
            case run.RecordStopped():
                return msgspec.structs.replace(report, killed=report.killed + killed)
            case run.Fail(code=code) if code == WORKSPACE_FAILED:
                await self._workspace.work.reconcile_here()  # the work broke off around an agent
        return report

    async def _hand_in(self, report: Report) -> Reception:
        """Report, and leave nothing of the round on this machine, unless the work goes on."""
        reception = Reception.OVERTAKEN if self._inbox.lost else await self._report(report)
        match reception:
            case Reception.TAKEN:
                crash_point("run.reported")
                await self._workspace.clear()
            case Reception.UNHEARD:
                pass
            case _:
                await self._workspace.leave()
        return reception

    async def _reconcile_elsewhere(self) -> None:
        """Have the log know what agents of other machines have spent on this round, once it was taken over from one."""
        events = await self._agents.journal.load(self._actor)
        claims = [each.data for each in events if isinstance(each.data, run.Claimed)]
        number = self._event.data.round
        if not all(self._runner.holds(claim.worker) for claim in claims if claim.round == number):
            await self._workspace.work.reconcile_elsewhere()

    async def _tell(self, command: run.RunCommand) -> bool:
        """Report on the way; a report that comes too late ends the work. Whether it was taken."""
        return self._was_taken(await self._agents.report(self._actor, command))

    async def _report(self, report: Report) -> Reception:
        """Tell how it ended. Where a stop came first, what was made is told with it."""
        kept = report.result if isinstance(report, run.Fail | run.RecordStopped) else kept_of(report)
        reception = await self._agents.report(
            self._actor, report, stopped=lambda: self._stopped(report.usage, result=kept)
        )
        self._was_taken(reception)
        return reception

    def _was_taken(self, reception: Reception) -> bool:
        if reception is Reception.OVERTAKEN:
            self._inbox.lose()
        return reception is Reception.TAKEN

    def _stopped(self, usage: tuple[ModelUsage, ...], *, result: run.KeptResult | None = None) -> run.RecordStopped:
        return run.RecordStopped(attempt=self._attempt, duration_ms=self._duration(), usage=usage, result=result)

    def _failed(self, code: str, message: str, usage: tuple[ModelUsage, ...] = ()) -> run.Fail:
        return run.Fail(attempt=self._attempt, code=code, message=message, duration_ms=self._duration(), usage=usage)

    def _duration(self) -> int:
        return int((time.monotonic() - self._began) * 1000)


def _summary(outcome: AgentOutcome) -> str:
    return outcome.text.strip()[:SUMMARY_CHARS]


class _PlanGone(Exception):
    """The plan that was approved cannot be found unchanged."""


EXPLAINED: Final = (
    GitFailed,
    BadConfig,
    RoleInvalid,
    ArtifactLost,
    ArtifactTooLarge,
    SessionUnusable,
    Exhausted,
    _PlanGone,
)
"""What ends the work with a sentence that says what to do."""
