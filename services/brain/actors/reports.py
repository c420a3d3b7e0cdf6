"""What a task hears of its plan, its run and its publication: facts, so a late one is no error; it changes nothing."""

from __future__ import annotations

from services.brain.actors.pull_requests import completed, has_open_pull_request, in_review, reviewed_further
from services.brain.actors.stages import working_base, working_stage
from services.brain.actors.triage import stricter
from services.brain.actors.waits import decide_failure
from shared.contracts.evidence import Evidence, Outcome
from shared.contracts.messages import ArtifactRef
from shared.contracts.task import (
    Approval,
    Cancelled,
    Completed,
    PlanReady,
    QuestionAsked,
    RecordFailure,
    RecordPlanReady,
    RecordPublished,
    RecordQuestion,
    RecordRunSucceeded,
    RecordStopped,
    RecordWorkResumed,
    Result,
    RunSucceeded,
    Stage,
    Status,
    Task,
    TaskEvent,
    WorkResumed,
)

Report = (
    RecordPlanReady
    | RecordQuestion
    | RecordWorkResumed
    | RecordRunSucceeded
    | RecordPublished
    | RecordFailure
    | RecordStopped
)


def decide_report(task: Task, report: Report) -> TaskEvent | None:
    """The fact a report makes, or None when it is late, told twice, or about work that is over."""
    if not _is_current(task, report):
        return None
    return _decide_while_stopping(task, report) if task.stopping else _decide_while_working(task, report)


def _is_current(task: Task, report: Report) -> bool:
    stage = working_stage(task)
    if stage is None or stage != _stage_of(report) or 0 < report.cause <= task.seen.get(stage, 0):
        return False
    match report:
        case RecordPlanReady():
            return report.version > task.plan_version
        case RecordPublished(attempt=0):
            return report.commit == task.commit
        case RecordPublished():
            # Not by the commit: a target that signs makes it anew.
            return (report.attempt, report.publication) == (task.attempt, task.publication)
        case RecordFailure(stage=Stage.TRIAGE | Stage.REVIEWING):
            return report.attempt in (0, task.triage_attempt)
        case RecordFailure(stage=Stage.PUBLISHING) if task.review is not None:
            return report.attempt in (0, task.triage_attempt)
        case RecordFailure(stage=Stage.PUBLISHING):
            return report.attempt in (0, task.attempt) and report.publication in (0, task.publication)
        case _:
            return True


def _stage_of(report: Report) -> str:
    match report:
        case RecordPlanReady():
            return Stage.PLANNING
        case RecordQuestion() | RecordWorkResumed() | RecordRunSucceeded():
            return Stage.EXECUTING
        case RecordPublished():
            return Stage.PUBLISHING
        case RecordFailure() | RecordStopped():
            return report.stage


def _decide_while_stopping(task: Task, report: Report) -> Cancelled | Completed | None:
    """A stop wins over whatever the agent still brought about; what ends the work ends the task."""
    pull = task.pull_request
    match report:
        case RecordQuestion() | RecordWorkResumed():
            return None
        case _ if task.leaving and pull is not None and pull.merge is not None:
            return completed(task, pull.merge, report.cause)
        case _:
            closed = pull.number if task.leaving and pull is not None else 0
            return Cancelled(reason=task.stop_reason, result=_made(report), cause=report.cause, pull_request=closed)


def _decide_while_working(task: Task, report: Report) -> TaskEvent | None:
    match report:
        case RecordPlanReady():
            approval = stricter(task.approval, report.approval)
            return PlanReady(
                version=report.version,
                digest=report.digest,
                base_commit=report.base_commit,
                summary=report.summary,
                approval=approval,
                expires_at=None if approval is Approval.AUTO else report.expires_at,
                cause=report.cause,
            )
        case RecordQuestion():
            return QuestionAsked(
                attempt=report.attempt, question=report.question, options=report.options, cause=report.cause
            )
        case RecordWorkResumed():
            waits = task.status is Status.WAITING_INPUT
            return WorkResumed(attempt=report.attempt, cause=report.cause) if waits else None
        case RecordRunSucceeded(commit="") if has_open_pull_request(task):
            return reviewed_further(task, done=report)
        case RecordRunSucceeded(commit=""):
            return Completed(
                summary=report.summary,
                # What an earlier round has published is as well proven as it was.
                evidence=report.evidence or (task.published_evidence if task.commit else None),
                outcome=Outcome.NOTHING_TO_CHANGE,
                cause=report.cause,
            )
        case RecordRunSucceeded():
            return RunSucceeded(
                attempt=report.attempt,
                repo=task.repo,
                base_commit=working_base(task),
                commit=report.commit,
                branch=report.branch,
                summary=report.summary,
                bundle=report.bundle,
                tree=report.tree,
                evidence=report.evidence,
                outcome=report.outcome or Outcome.CHANGED,
                cause=report.cause,
            )
        case RecordPublished() if report.pull_request:
            return in_review(task, report)
        case RecordPublished():
            return Completed(
                summary=task.summary,
                commit=report.commit,
                branch=report.branch,
                url=report.url,
                evidence=task.evidence,
                outcome=Outcome.CHANGED,
                cause=report.cause,
            )
        case RecordFailure():
            return decide_failure(task, report)
        case RecordStopped():
            reason = "The agent was stopped from outside the task."
            return Cancelled(reason=reason, result=report.result, cause=report.cause)


def _made(report: Report) -> Result | None:
    """The commit that a report brings although the task is being stopped: it is paid for, and kept."""
    match report:
        case RecordStopped(result=result) | RecordFailure(result=result):
            return result
        case RecordRunSucceeded(bundle=ArtifactRef() as bundle):
            return Result(
                commit=report.commit,
                branch=report.branch,
                bundle=bundle,
                tree=report.tree,
                evidence=report.evidence or Evidence.UNVERIFIED,
                summary=report.summary,
                attempt=report.attempt,
            )
        case _:
            return None
