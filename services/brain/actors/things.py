"""What happens outside to the thing that a task is about: it is closed, its words are edited, and somebody says that
the work goes on nevertheless."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from services.brain.actors.pull_requests import closing
from services.brain.actors.retries import retried
from services.brain.actors.stages import working_stage
from shared.contracts.decider import Rejected
from shared.contracts.rules import TAKES_INPUT, UNKNOWN
from shared.contracts.task import (
    TERMINAL,
    ActionRefused,
    Approval,
    Cancelled,
    Edited,
    GoingOn,
    GoOn,
    InputGiven,
    InReview,
    PublicationRequested,
    RecordClosed,
    RecordEdit,
    RecordReopened,
    Retried,
    Retry,
    Stage,
    Status,
    StopRequested,
    Task,
    ThingClosed,
)

_STILL_STOPPING: Final = (
    "It was reopened while the agent was still being stopped, and does not go on by itself: say `go on` once it has "
    "ended."
)
_UNDER_WAY: Final = TAKES_INPUT | {Status.PLANNING, Status.AWAITING_APPROVAL, Status.PUBLISHING}


def closed(task: Task, report: RecordClosed) -> StopRequested | Cancelled | ThingClosed | None:
    """The end of the work on a thing that is closed, or None where it has ended or goes on nevertheless."""
    match task.status:
        case Status.NEW:
            return None
        case status if task.goes_on or status in TERMINAL:
            return None
        case Status.IN_REVIEW:
            return closing(task, report)
        case _:
            return stopped(task, report.reason, closed=True)


def reopened(task: Task, report: RecordReopened) -> Retried | PublicationRequested | InReview | ActionRefused | None:
    """The work that the closing of its thing has stopped goes on; what a person stopped, or has failed, does not.

    Where the agent has not ended yet, that is said: nothing would go on by itself.
    """
    if task.stopping and task.closed:
        return ActionRefused(action="record-reopened", code="task-stopping", reason=_STILL_STOPPING)
    if not task.closed or task.status is not Status.CANCELLED or report.origin in task.origins:
        return None
    return retried(task, Retry(origin=report.origin))


def stopped(task: Task, reason: str, *, origin: str = "", closed: bool = False) -> StopRequested | Cancelled | None:
    """What a stop makes of a task that has not ended: an agent at work must be gone first."""
    match working_stage(task):
        case _ if task.stopping:
            return None
        case (Stage.PLANNING | Stage.EXECUTING) as stage:
            return StopRequested(stage=stage, reason=reason, origin=origin, closed=closed)
        case _:
            return Cancelled(reason=reason, origin=origin, closed=closed)


def go_on(task: Task, command: GoOn) -> GoingOn | Retried | PublicationRequested | InReview | None:
    """The work goes on whatever becomes of its thing: also where the closing has stopped it already.

    Raises `Rejected` ``task-unknown``, ``task-stopping`` and ``task-finished``.
    """
    match task:
        case Task(status=Status.NEW):
            raise Rejected(UNKNOWN.code, UNKNOWN.sentence)
        case Task(stopping=True):
            raise Rejected("task-stopping", "The task is being stopped: say it again once it has ended.")
        case Task(status=Status.CANCELLED, closed=True):
            again = retried(task, Retry(origin=command.origin))
            return replace(again, goes_on=True) if isinstance(again, Retried) else again
        case Task(status=status) if status in TERMINAL:
            raise Rejected(
                "task-finished", f"The task is already {status}: retry it, or say what is further to be done."
            )
        case Task(goes_on=True, chain=0, closing_until=None):
            return None
        case _:
            # What was held back by the closing, or for want of a person, is looked at again.
            due = task.closing_until or (command.at if task.status is Status.IN_REVIEW else None)
            return GoingOn(origin=command.origin, due=due)


def edited(task: Task, report: RecordEdit) -> Edited | InputGiven | None:
    """Other words: they count until planning begins, then they are shown, and told to an agent that is at work.

    Senders promise no order: what is older than the words that are known has been replaced already.
    """
    if task.status is Status.NEW or report.origin in task.origins or _reads_so(task, report):
        return None
    if 0 < report.as_of_ms < task.words_at.get(report.part, 0):
        return None
    if not _has_begun(task) and (report.trusted or _is_still_to_be_judged(task)):
        return _edit(report, counts=True)
    if report.trusted and task.status in TAKES_INPUT and not task.stopping:
        what = "the text that you work on" if not report.part else "what was asked for"
        return InputGiven(
            message=f"{report.author or 'Somebody'} has changed {what} since the work began. It reads now:\n\n"
            f"{report.text}",
            origin=report.origin,
            part=report.part,
            as_of_ms=report.as_of_ms,
        )
    return _edit(report, counts=False)


def _edit(report: RecordEdit, *, counts: bool) -> Edited:
    return Edited(
        text=report.text,
        title=report.title,
        part=report.part,
        origin=report.origin,
        author=report.author,
        counts=counts,
        as_of_ms=report.as_of_ms,
    )


def _has_begun(task: Task) -> bool:
    """Whether a plan was written, or an agent has had the words in its hands."""
    return task.round > 0 or task.plan_version > 0 or task.status in _UNDER_WAY


def _is_still_to_be_judged(task: Task) -> bool:
    """Whether a person will see the words before they are carried out.

    Else somebody trusted has asked for them as they were, and a stranger must not put others in their place.
    """
    return not task.requested_in and task.approval is not Approval.AUTO


def _reads_so(task: Task, report: RecordEdit) -> bool:
    match report.part:
        case "":
            return (report.text, report.title or task.title) == (task.text, task.title)
        case part if part == task.requested_in:
            return report.text == task.request
        case part:
            # A message that was no wish changes nothing by other words.
            return report.text in {wish.text for wish in task.wishes if wish.origin == part} or all(
                wish.origin != part for wish in task.wishes
            )
