"""A review of somebody's pull request, of which a task makes one each time that somebody asks."""

from __future__ import annotations

from typing import Final

from shared.contracts.decider import Rejected
from shared.contracts.evidence import Outcome
from shared.contracts.task import (
    Completed,
    FollowedUp,
    FollowUp,
    RecordReviewShown,
    RecordReviewWritten,
    ReviewRequested,
    ReviewWritten,
    Stage,
    Status,
    Task,
    Verdict,
)
from shared.ops.visible import is_blank

_UNDER_WAY: Final = frozenset({Status.RECEIVED, Status.TRIAGED, Status.REVIEWING, Status.PUBLISHING, Status.PAUSED})
NO_REVIEW: Final = "This task reviews no pull request: ask for the review on the pull request itself."


def requested(task: Task) -> ReviewRequested:
    """What the reviewer is asked for."""
    assert task.review is not None, "only what has a pull request comes to be reviewed"
    return ReviewRequested(attempt=task.triage_attempt + 1, repo=task.repo, review=task.review)


def written(task: Task, report: RecordReviewWritten) -> ReviewWritten | None:
    """The review, or None where nobody waits for it; raises `Rejected` ``attempt-stale``."""
    if report.attempt != task.triage_attempt:
        raise Rejected(
            "attempt-stale",
            f"Review {report.attempt} is over, {task.triage_attempt} is the current attempt: leave this one.",
        )
    if task.status is not Status.REVIEWING or task.review is None:
        return None
    return ReviewWritten(
        attempt=report.attempt,
        repo=task.repo,
        thread=task.source.reference,
        review=task.review,
        summary=report.summary,
        findings=report.findings,
        left_out=report.left_out,
        usage=report.usage,
        place=report.place,
    )


def shown(task: Task, report: RecordReviewShown) -> Completed | None:
    """The end of the task: people see its review."""
    if task.status is not Status.PUBLISHING or task.review is None or report.attempt != task.triage_attempt:
        return None
    return Completed(summary=task.summary, url=report.url, outcome=Outcome.REVIEWED, cause=report.cause)


def is_double(task: Task, wish: FollowUp) -> bool:
    """Whether what is asked for is being done already: somebody asks by a comment, a label and as a reviewer."""
    if wish.review is None or task.review is None or not is_blank(wish.text):
        return False
    return task.status in _UNDER_WAY and wish.review.head == task.review.head


def refused(task: Task, wish: FollowUp) -> Rejected | None:
    """Why there is no further review, or None."""
    if task.review is None:
        return Rejected("review-elsewhere", NO_REVIEW)
    if wish.review is None:
        return None
    if task.status in _UNDER_WAY:
        return Rejected(
            "review-under-way",
            f"The commit {task.review.head[:12]} is being reviewed: say it again once that review is there.",
        )
    return None


def another(task: Task, wish: FollowUp) -> FollowedUp:
    """One more review: of the pull request as it is now, where that is known."""
    return FollowedUp(
        text=wish.text,
        author=wish.author,
        stage=Stage.REVIEWING,
        base_commit="",
        verdict=Verdict.REVIEW,
        origin=wish.origin,
        by_program=wish.by_program,
        at=wish.at,
        review=wish.review or task.review,
    )
