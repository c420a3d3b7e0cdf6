"""The run's rules: one round at a time, reported by the newest attempt only."""

from __future__ import annotations

from typing import Final, assert_never

from msgspec.structs import replace

from services.executor.actors.reports import decide_report
from shared.contracts.decider import Decider, Rejected
from shared.contracts.run import (
    Checkpointed,
    Claim,
    Claimed,
    Committed,
    Failed,
    GiveInput,
    InputGiven,
    InputMissed,
    QuestionAsked,
    RecordSpend,
    Reopened,
    Request,
    Requested,
    Resumed,
    Run,
    RunCommand,
    RunEvent,
    SpendRecorded,
    Started,
    Status,
    Stop,
    Stopped,
    StopRequested,
    Succeeded,
)
from shared.contracts.usage import account_of, booked, unbooked
from shared.ops.visible import is_blank

OPEN: Final = frozenset({Status.QUEUED, Status.RUNNING, Status.WAITING_INPUT})
"""The states of a round that has not ended."""


def decide(run: Run, command: RunCommand) -> RunEvent | None:
    """What comes of a command. Raises `Rejected`; what was told twice or came late gives None."""
    match command:
        case Request() | GiveInput() | Stop() if 0 < command.cause <= run.cause:
            return None
        case Request():
            return _requested(run, command)
        case Claim():
            return _claimed(run, command)
        case GiveInput():
            return _input(run, command)
        case Stop():
            return _stopping(run, command)
        case RecordSpend():
            return _spent(run, command)
        case _:
            return decide_report(run, command)


def _requested(run: Run, command: Request) -> Requested | None:
    if command.round <= run.round:
        return None
    if run.status in OPEN:
        raise Rejected(
            "run-wrong-state", f"Round {run.round} is still {_words(run)}: stop it, or wait until it has ended."
        )
    return Requested(
        round=command.round,
        repo=command.repo,
        base_commit=command.base_commit,
        title=command.title,
        text=command.text,
        plan=command.plan,
        start=command.start,
        budget_microusd=command.budget_microusd,
        agent=command.agent,
        cause=command.cause,
    )


def _claimed(run: Run, command: Claim) -> Claimed:
    """A round may be claimed again, also while it is being stopped: its worker may be gone."""
    if run.status not in OPEN or command.round != run.round:
        raise Rejected(
            "attempt-stale",
            f"Round {command.round} needs no worker: round {run.round} is the newest and it is {_words(run)}.",
        )
    return Claimed(round=run.round, attempt=run.attempt + 1, worker=command.worker, session=command.session)


def _input(run: Run, command: GiveInput) -> InputGiven | InputMissed:
    if is_blank(command.message):
        raise Rejected("input-empty", "There is nothing to hand to the agent: write a message.")
    if command.cause and run.status is Status.SUCCEEDED:
        # The task took it while it had not heard of the end.
        return InputMissed(message=command.message, cause=command.cause)
    if run.stopping or run.status not in OPEN:
        state = "being stopped" if run.stopping else _words(run)
        raise Rejected("run-not-running", f"The run is {state}, so no agent can take it: retry the task first.")
    awaited = run.status is Status.WAITING_INPUT and not run.question_answered
    return InputGiven(
        number=run.inputs + 1,
        message=command.message,
        request_id=run.question_id if awaited else "",
        cause=command.cause,
    )


def _stopping(run: Run, command: Stop) -> StopRequested | Stopped | None:
    match run.status:
        case Status.QUEUED:
            return Stopped(round=run.round, attempt=run.attempt, cause=command.cause)
        case Status.RUNNING | Status.WAITING_INPUT if not run.stopping:
            return StopRequested(attempt=run.attempt, reason=command.reason, cause=command.cause)
        case _:
            return None


def _spent(run: Run, command: RecordSpend) -> SpendRecorded | None:
    late = unbooked(run.accounts, account_of(command.round, command.place), command.usage)
    if not late or run.status is Status.NEW:
        return None
    return SpendRecorded(round=command.round, place=command.place, usage=late)


def _words(run: Run) -> str:
    return run.status.replace("-", " ")


def evolve(run: Run, event: RunEvent) -> Run:
    """The run after a fact."""
    after = _after(run, event)
    match event:
        case Checkpointed() | Committed() | Succeeded() | Failed() | Stopped():
            account = account_of(run.round, run.worker)
        case SpendRecorded():
            account = account_of(event.round, event.place)
        case _:
            return after
    return replace(after, accounts=booked(run.accounts, account, event.usage))


def _after(run: Run, event: RunEvent) -> Run:
    match event:
        case Requested():
            # A new round starts from its base commit; only the counters go on.
            return Run(
                status=Status.QUEUED,
                round=event.round,
                attempt=run.attempt,
                claimed_round=run.claimed_round,
                repo=event.repo,
                base_commit=event.base_commit,
                title=event.title,
                text=event.text,
                plan=event.plan,
                start=event.start,
                budget_microusd=event.budget_microusd,
                inputs=run.inputs,
                inputs_before=run.inputs,
                cause=max(run.cause, event.cause),
                accounts=run.accounts,
            )
        case Claimed():
            # A question dies with the attempt that asked it.
            return replace(
                run,
                status=Status.RUNNING,
                attempt=event.attempt,
                claimed_round=event.round,
                worker=event.worker,
                session=event.session,
                started=False,
                question_id="",
                question_answered=False,
            )
        case Started():
            return replace(run, started=True)
        case Checkpointed():
            return replace(
                run,
                turn=event.turn,
                checkpoint=event.bundle or run.checkpoint,
                checkpoint_commit=event.commit or run.checkpoint_commit,
                checkpoint_attempt=event.attempt,
                transcript=event.transcript or run.transcript,
                process=event.process,
                offset=event.offset,
            )
        case QuestionAsked():
            return replace(run, status=Status.WAITING_INPUT, question_id=event.request_id, question_answered=False)
        case InputGiven():
            return replace(
                run,
                inputs=event.number,
                question_answered=run.question_answered or event.request_id != "",
                cause=max(run.cause, event.cause),
            )
        case InputMissed():
            return replace(run, cause=max(run.cause, event.cause))
        case Resumed():
            return replace(run, status=Status.RUNNING)
        case Committed():
            return replace(run, committed=event.commit)
        case Reopened():
            repairs = run.repairs + 1 if event.checks else run.repairs
            return replace(run, committed="", repairs=repairs, blamed=event.checks, ended_process=run.process)
        case Succeeded():
            return replace(run, status=Status.SUCCEEDED, commit=event.commit, branch=event.branch)
        case Failed():
            return replace(run, status=Status.FAILED, stopping=False)
        case StopRequested():
            return replace(run, stopping=True, cause=max(run.cause, event.cause))
        case Stopped():
            return replace(run, status=Status.STOPPED, stopping=False, cause=max(run.cause, event.cause))
        case SpendRecorded():
            return run
        case _:
            assert_never(event)


DECIDER = Decider("run", Run(), decide, evolve)
