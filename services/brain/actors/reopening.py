"""What goes on when the task's pull request is reopened."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from services.brain.actors.pull_requests import reviewed_further
from services.brain.actors.retries import retried
from shared.contracts.pull_request import PullState
from shared.contracts.task import (
    ActionRefused,
    InReview,
    PublicationRequested,
    RecordPullRequest,
    Retried,
    Retry,
    Status,
    Task,
)

_STILL_STOPPING: Final = (
    "The pull request was reopened while the agent was still being stopped, and is not followed by itself: say `retry` "
    "once it has ended."
)


def reopened(task: Task, report: RecordPullRequest) -> InReview | Retried | PublicationRequested | ActionRefused | None:
    """The round that the closing has broken off goes on; else people decide about what is there.

    What a person had stopped, or has failed, does not go on by itself: then the review says that a person is needed.
    """
    pull = task.pull_request
    if pull is None or pull.number != report.number or pull.state is not PullState.CLOSED:
        return None
    if task.stopping:
        return ActionRefused(action="record-pull-request", code="task-stopping", reason=_STILL_STOPPING)
    if task.status is not Status.CANCELLED:
        return None
    if not task.broken_off:
        return reviewed_further(task, by=report.by)
    again = retried(task, Retry())
    return again if isinstance(again, InReview) else replace(again, pull_request=pull.number)
