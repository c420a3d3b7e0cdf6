"""The task's rules: the life of docs/architecture.md as two pure functions."""

from __future__ import annotations

from typing import assert_never

from msgspec.structs import replace

from services.brain.actors.approval import approve
from services.brain.actors.reports import decide_report
from services.brain.actors.stages import due_stage, next_stage, working_base, working_stage
from services.brain.actors.triage import decide_triage
from services.brain.actors.waits import decide_timer
from shared.contracts.decider import Decider, Rejected
from shared.contracts.rules import ACTION_OF, Standing, refusal
from shared.contracts.task import (
    Answered,
    ApprovalExpired,
    Approve,
    Approved,
    Cancelled,
    Completed,
    Declined,
    ExecutionRequested,
    ExpireApproval,
    Failed,
    GiveInput,
    InputGiven,
    Paused,
    PlanningRequested,
    PlanReady,
    QuestionAsked,
    RecordSpend,
    RecordTriage,
    Reject,
    RequestExecution,
    RequestPlanning,
    RequestTriage,
    Resume,
    Resumed,
    Retried,
    Retry,
    Revise,
    RevisionRequested,
    RunSucceeded,
    SpendRecorded,
    Stage,
    Status,
    Stop,
    StopRequested,
    Submit,
    Submitted,
    Task,
    TaskCommand,
    TaskEvent,
    Triaged,
    TriageRequested,
    Verdict,
    WorkResumed,
)
from shared.contracts.task import Rejected as PlanRejected
from shared.contracts.usage import account_of, booked, unbooked
from shared.ops.visible import is_blank


def decide(task: Task, command: TaskCommand) -> TaskEvent | None:
    """What comes of a command. Raises `Rejected`; what was told twice or came late gives None."""
    match command:
        case Submit() if task.status is not Status.NEW:
            return None
        case Submit() if is_blank(f"{command.title}{command.text}"):
            raise Rejected("text-empty", "There is nothing to do: say what is to be done.")
        case Submit():
            return _submitted(command)
        case RecordTriage():
            return decide_triage(task, command)
        case RequestTriage() | RequestPlanning() | RequestExecution():
            return _requested(task, command)
        case Approve() | Reject() | Revise() | GiveInput() | Stop() | Retry():
            return _told_by_a_person(task, command)
        case Resume() | ExpireApproval():
            return decide_timer(task, command)
        case RecordSpend():
            return _spent(task, command)
        case _:
            return decide_report(task, command)


def _submitted(command: Submit) -> Submitted:
    return Submitted(
        title=command.title,
        text=command.text,
        source=command.source,
        repo=command.repo,
        directive=command.directive,
        approval=command.approval,
        session_id=command.session_id,
        parent=command.parent,
    )


def _requested(task: Task, command: RequestTriage | RequestPlanning | RequestExecution) -> TaskEvent | None:
    match command, due_stage(task):
        case RequestTriage(), Stage.TRIAGE:
            return TriageRequested(attempt=task.triage_attempt + 1)
        case RequestPlanning(), Stage.PLANNING:
            return PlanningRequested(repo=task.repo, base_commit=task.base_commit, title=task.title, text=task.text)
        case RequestExecution(), Stage.EXECUTING:
            return ExecutionRequested(
                round=task.round + 1,
                repo=task.repo,
                base_commit=working_base(task),
                title=task.title,
                text=task.text,
                plan=task.approved,
            )
        case _:
            return None


def _told_by_a_person(task: Task, command: Approve | Reject | Revise | GiveInput | Stop | Retry) -> TaskEvent | None:
    if task.status is not Status.NEW:
        _refuse_empty(command)
    standing = Standing(status=task.status, stopping=task.stopping, approved=task.approved is not None)
    if refused := refusal(ACTION_OF[type(command)], standing):
        raise Rejected(refused.code, refused.sentence)
    match command:
        case Approve():
            return approve(task, command)
        case Reject():
            return PlanRejected(version=task.plan_version, reason=command.reason)
        case Revise():
            return RevisionRequested(version=task.plan_version, feedback=command.feedback)
        case GiveInput():
            return InputGiven(message=command.message)
        case Stop():
            return _stopped(task, command)
        case Retry():
            return Retried(stage=next_stage(task))


def _refuse_empty(command: Approve | Reject | Revise | GiveInput | Stop | Retry) -> None:
    match command:
        case Revise(feedback=feedback) if is_blank(feedback):
            raise Rejected("feedback-empty", "A revision needs feedback: say what the next plan should do differently.")
        case GiveInput(message=message) if is_blank(message):
            raise Rejected("input-empty", "There is nothing to hand to the agent: write a message.")
        case _:
            return


def _stopped(task: Task, command: Stop) -> StopRequested | Cancelled | None:
    match working_stage(task):
        case _ if task.stopping:
            return None
        case (Stage.PLANNING | Stage.EXECUTING) as stage:
            return StopRequested(stage=stage, reason=command.reason)
        case _:
            return Cancelled(reason=command.reason)


def _spent(task: Task, command: RecordSpend) -> SpendRecorded | None:
    late = unbooked(task.accounts, account_of(command.attempt, command.place), command.usage)
    if not late or task.status is Status.NEW:
        return None
    return SpendRecorded(attempt=command.attempt, place=command.place, usage=late)


def evolve(task: Task, event: TaskEvent) -> Task:
    """The task after a fact."""
    after = _after(task, event)
    match event:
        case Triaged() | Answered() | Declined() | Failed() | Paused() if event.place:
            account = account_of(task.triage_attempt, event.place)
        case SpendRecorded():
            account = account_of(event.attempt, event.place)
        case _:
            return after
    return replace(after, accounts=booked(task.accounts, account, event.usage))


def _after(task: Task, event: TaskEvent) -> Task:
    match event:
        case Submitted():
            return replace(
                task,
                status=Status.RECEIVED,
                title=event.title,
                text=event.text,
                source=event.source,
                repo=event.repo,
                directive=event.directive,
                approval=event.approval,
                session_id=event.session_id,
                parent=event.parent,
            )
        case TriageRequested():
            return replace(task, triage_attempt=event.attempt, triaging=True)
        case Triaged():
            return replace(
                task,
                status=Status.TRIAGED,
                triaging=False,
                verdict=event.verdict,
                title=event.title,
                repo=event.repo,
                base_commit=event.base_commit,
                tries=0,
            )
        case Answered():
            return replace(task, status=Status.COMPLETED, triaging=False, verdict=Verdict.ANSWER, summary=event.answer)
        case Declined():
            return replace(task, status=Status.DECLINED, triaging=False, verdict=Verdict.DECLINE, summary=event.reason)
        case PlanningRequested() | RevisionRequested():
            return replace(task, status=Status.PLANNING)
        case PlanReady():
            return replace(
                _seeing(task, event.cause),
                status=Status.AWAITING_APPROVAL,
                plan_version=event.version,
                plan_digest=event.digest,
                plan_base=event.base_commit,
                expires_at=event.expires_at,
                tries=0,
            )
        case Approved():
            return replace(task, approved=event.plan)
        case PlanRejected():
            return replace(task, status=Status.CANCELLED, stop_reason=event.reason)
        case ApprovalExpired():
            return replace(task, status=Status.CANCELLED, stop_reason="Nobody approved the plan in time.")
        case ExecutionRequested():
            return replace(task, status=Status.EXECUTING, round=event.round)
        case QuestionAsked():
            return replace(_seeing(task, event.cause), status=Status.WAITING_INPUT, attempt=event.attempt)
        case WorkResumed():
            return replace(_seeing(task, event.cause), status=Status.EXECUTING, attempt=event.attempt)
        case InputGiven() | SpendRecorded():
            return task
        case RunSucceeded():
            return replace(
                _seeing(task, event.cause),
                status=Status.PUBLISHING,
                attempt=event.attempt,
                commit=event.commit,
                branch=event.branch,
                summary=event.summary,
            )
        case StopRequested():
            return replace(task, stopping=True, stop_reason=event.reason)
        case Completed():
            return replace(
                task, status=Status.COMPLETED, summary=event.summary, commit=event.commit, branch=event.branch
            )
        case Failed():
            return replace(
                _seeing(task, event.cause),
                status=Status.FAILED,
                triaging=False,
                error_code=event.code,
                error_message=event.message,
            )
        case Cancelled():
            return replace(
                _seeing(task, event.cause),
                status=Status.CANCELLED,
                triaging=False,
                stopping=False,
                stop_reason=event.reason,
            )
        case Retried():
            return replace(_again(task, event.stage), stop_reason="", commit="", branch="", tries=0)
        case Paused():
            return replace(
                _seeing(task, event.cause),
                status=Status.PAUSED,
                triaging=False,
                error_code=event.code,
                error_message=event.message,
                tries=event.tries,
                paused_until=event.until,
            )
        case Resumed():
            return _again(task, event.stage)
        case _:
            assert_never(event)


def _again(task: Task, stage: str) -> Task:
    """On the way to that stage."""
    status = Status.RECEIVED if stage == Stage.TRIAGE else Status.TRIAGED
    return replace(task, status=status, error_code="", error_message="", paused_until=None)


def _seeing(task: Task, cause: int) -> Task:
    """Remember the report, so that nothing older from the same stage is taken for news."""
    stage = working_stage(task)
    if stage is None or cause == 0:
        return task
    return replace(task, seen={**task.seen, stage.value: max(cause, task.seen.get(stage, 0))})


DECIDER = Decider("task", Task(), decide, evolve)
