"""What becomes of the pull request in which a task's result is reviewed, and what that makes of the task."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from services.brain.actors.stages import working_stage
from shared.contracts.evidence import Outcome
from shared.contracts.pull_request import Merge, PullRequest, PullState, Watch
from shared.contracts.task import (
    Cancelled,
    Completed,
    InReview,
    RecordClosed,
    RecordPublished,
    RecordPullRequest,
    RecordRunSucceeded,
    Reverted,
    Stage,
    StopRequested,
    Task,
    ThingClosed,
)

CLOSING_GRACE: Final = timedelta(seconds=60)
"""A merge closes the issue that its pull request names, and the two are told in any order: so long it is waited for."""

UNFINISHED: Final = (
    "What the newest round was asked for was not seen to, for that was stopped or has failed: say `fix` to have it "
    "done, or see to it and review what is there."
)
"""Why a person is needed where a pull request is in review again after a round without an end."""


def in_review(task: Task, report: RecordPublished) -> InReview:
    """A new result stands in its pull request."""
    return InReview(
        attempt=task.attempt,
        commit=report.commit,
        branch=report.branch,
        url=report.url,
        pull_request=report.pull_request,
        summary=task.summary,
        evidence=task.evidence or task.published_evidence,
        outcome=Outcome.CHANGED,
        due=report.due if _waits(task.watch) else None,
        cause=report.cause,
    )


def _waits(watch: Watch) -> bool:
    """Whether something was heard of the pull request meanwhile."""
    return bool(watch.notes or watch.conflict or watch.checks)


def reviewed_further(task: Task, *, by: str = "", origin: str = "", done: RecordRunSucceeded | None = None) -> InReview:
    """What is published already stands in its open pull request: again, or after a round that changed nothing.

    Where the newest round has not seen to what it was asked for, a person is needed.
    """
    pull = task.pull_request
    assert pull is not None, "what is published has its pull request"
    return InReview(
        attempt=done.attempt if done else task.attempt,
        commit=task.published,
        branch=pull.branch,
        url=pull.url,
        pull_request=pull.number,
        summary=done.summary if done else task.summary,
        evidence=(done.evidence or task.published_evidence) if done else task.evidence,
        outcome=Outcome.CHANGED,
        unchanged=done is not None,
        due=done.due if done else _again_due(task.watch),
        attention="" if done or not task.unfinished else UNFINISHED,
        by=by,
        origin=origin,
        cause=done.cause if done else 0,
    )


def _again_due(watch: Watch) -> datetime | None:
    """What waited is looked at once more, at once where that moment is over; each moment has its own look."""
    return None if watch.due is None else watch.due + timedelta(milliseconds=1)


def has_open_pull_request(task: Task) -> bool:
    """Whether people still decide about what was published."""
    return task.pull_request is not None and task.pull_request.state is PullState.OPEN


def pull_request(task: Task, report: RecordPullRequest) -> Completed | Cancelled | StopRequested | Reverted | None:
    """What its end makes of the task; None for another pull request than its own, and for what was told before."""
    pull = task.pull_request
    if pull is None or pull.number != report.number:
        return None
    match report.state, pull.state:
        case PullState.MERGED, _ if report.reverted:
            taken_back = pull.state is PullState.MERGED and not pull.reverted_by
            return Reverted(pull_request=pull.number, by=report.by, commit=report.commit) if taken_back else None
        case PullState.MERGED, PullState.OPEN | PullState.CLOSED:
            return _merged(task, pull, Merge(commit=report.commit, by=report.by))
        case PullState.CLOSED, PullState.OPEN:
            return _closed(task, pull, f"{report.by or 'Somebody'} has closed the pull request.")
        case _:
            return None


def _merged(task: Task, pull: PullRequest, merge: Merge) -> Completed | StopRequested:
    """The end of the task; an agent that works on it further is stopped first."""
    match working_stage(task):
        case (Stage.PLANNING | Stage.EXECUTING) as stage:
            why = f"{merge.by or 'Somebody'} has merged the pull request."
            return StopRequested(stage=stage, reason=why, pull_request=pull.number, merge=merge)
        case _:
            return completed(task, merge)


def _closed(task: Task, pull: PullRequest, reason: str) -> Cancelled | StopRequested | None:
    match working_stage(task):
        case (Stage.PLANNING | Stage.EXECUTING) as stage:
            return StopRequested(stage=stage, reason=reason, pull_request=pull.number)
        case _:
            return Cancelled(reason=reason, pull_request=pull.number)


def completed(task: Task, merge: Merge, cause: int = 0) -> Completed:
    """The result is where it was to go."""
    pull = task.pull_request
    assert pull is not None, "what is merged is the task's own pull request"
    return Completed(
        summary=task.summary,
        commit=task.published,
        branch=pull.branch,
        url=pull.url,
        evidence=task.evidence or task.published_evidence,
        outcome=Outcome.CHANGED,
        pull_request=pull.number,
        merge=merge,
        cause=cause,
    )


def closing(task: Task, report: RecordClosed) -> ThingClosed | Cancelled | None:
    """The thing is closed while its result is reviewed: a merge that has closed it is waited for."""
    if report.at is None:
        return Cancelled(reason=report.reason, closed=True)
    return None if task.closing_until else ThingClosed(reason=report.reason, until=report.at + CLOSING_GRACE)
