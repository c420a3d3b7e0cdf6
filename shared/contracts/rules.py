"""What people may do with a task in each state, and why not: the brain decides by it, the CLI and the API show it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from shared.contracts.messages import Command, Event
from shared.contracts.task import (
    BUDGET_REACHED,
    TERMINAL,
    Answered,
    ApprovalExpired,
    Approve,
    Cancelled,
    Completed,
    Declined,
    Failed,
    FollowUp,
    GiveInput,
    InReview,
    Publish,
    Reject,
    Rejected,
    Retry,
    Revise,
    Stage,
    Status,
    Stop,
)

RETRYABLE: Final = frozenset({Status.FAILED, Status.CANCELLED, Status.DECLINED, Status.PAUSED})
"""The statuses from which a task can be tried again; a completed one can where nothing was changed."""

PUBLISHABLE: Final = frozenset({Status.FAILED, Status.CANCELLED})
"""The statuses in which a result that is kept can be published."""

TAKES_ANOTHER_ROUND: Final = TERMINAL | {Status.TRIAGED, Status.PAUSED, Status.IN_REVIEW}
"""The statuses in which a further wish makes another round: nothing is under way that would be lost."""

NEEDS_PERSON: Final = frozenset({Status.AWAITING_APPROVAL, Status.WAITING_INPUT})
"""The statuses in which a task goes on only when a person says something."""

TAKES_INPUT: Final = frozenset({Status.EXECUTING, Status.WAITING_INPUT})
"""The statuses in which an agent is at work that hears people."""

ENDS: Final[tuple[type[Event], ...]] = (Answered, ApprovalExpired, Cancelled, Completed, Declined, Failed, Rejected)
"""The events after which nothing more happens to a task by itself: they make its status a `TERMINAL` one."""


RESTS: Final[tuple[type[Event], ...]] = (*ENDS, InReview)
"""The events after which nothing more is done for a task until somebody outside does something."""


class Action(StrEnum):
    """What a person may want of a task; the value is the action's name in answers."""

    APPROVE = "approve"
    REJECT = "reject"
    REVISE = "revise"
    INPUT = "input"
    STOP = "stop"
    RETRY = "retry"
    PUBLISH = "publish"
    FOLLOW_UP = "follow-up"


ACTION_OF: Final[dict[type[Command], Action]] = {
    Approve: Action.APPROVE,
    Reject: Action.REJECT,
    Revise: Action.REVISE,
    GiveInput: Action.INPUT,
    Stop: Action.STOP,
    Retry: Action.RETRY,
    Publish: Action.PUBLISH,
    FollowUp: Action.FOLLOW_UP,
}
"""The action that a person's command asks for."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of a task that the rules depend on.

    ``approved``: its plan has been approved. ``result``: a commit was made that is not published. ``ended_in``: the
    stage in which it failed or was stopped. ``nothing_changed``: its work is done and changed nothing. ``error_code``:
    why it failed or pauses. ``reviews``: it reviews a pull request.
    """

    status: Status
    stopping: bool = False
    approved: bool = False
    result: bool = False
    ended_in: str = ""
    nothing_changed: bool = False
    error_code: str = ""
    reviews: bool = False

    @property
    def was_in_review(self) -> bool:
        """Whether it was stopped while its pull request was in review."""
        return self.status is Status.CANCELLED and self.ended_in == Stage.REVIEW

    @property
    def needs_budget(self) -> bool:
        """Whether its work cost as much as it was allowed to, and would again."""
        return self.status is Status.FAILED and self.ended_in == Stage.EXECUTING and self.error_code == BUDGET_REACHED

    @property
    def unpublished(self) -> bool:
        """Whether it ended on the way from its result to the target repository."""
        return self.status in PUBLISHABLE and self.result and self.ended_in == Stage.PUBLISHING

    @property
    def unshown(self) -> bool:
        """Whether it ended on the way from its review to the pull request."""
        return self.status in PUBLISHABLE and self.reviews and self.ended_in == Stage.PUBLISHING


class Refusal(msgspec.Struct, frozen=True):
    """Why an action is not allowed: a stable code, and a sentence that says what to do instead."""

    code: str
    sentence: str


class ActionState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether an action is allowed now. If not, ``code`` is stable and ``reason`` is a sentence for a person.

    ``effect`` is a sentence about what an allowed action does now, where its name does not say it. A list of tasks
    leaves all three out.
    """

    allowed: bool
    code: str = ""
    reason: str = ""
    effect: str = ""


UNKNOWN: Final = Refusal("task-unknown", "There is no such task: look its id up in the task list.")
NONE_HERE: Final = "No task is under way here, so that changes nothing: say `plan`, `implement` or `ask` to begin one."
"""The same for somebody who said it where a thing is talked about, and has no list of tasks."""


def refusal(action: Action, task: Standing) -> Refusal | None:
    """Why the action is not allowed on a task that stands so, or None when it is allowed."""
    if task.status is Status.NEW:
        return UNKNOWN
    match action:
        case Action.STOP if task.status in TERMINAL:
            return Refusal("task-finished", f"The task is already {task.status}: there is nothing left to stop.")
        case Action.INPUT | Action.FOLLOW_UP if task.stopping:
            return Refusal("task-stopping", "The task is being stopped: retry it once it has ended, then talk to it.")
        case Action.PUBLISH if task.status in PUBLISHABLE and not task.result:
            return Refusal("result-missing", "The task has kept no result that could be published: retry it.")
        case _ if _is_allowed(action, task):
            return None
        case _:
            return Refusal("task-wrong-state", _why_not(action, task))


def actions(task: Standing) -> dict[str, ActionState]:
    """Every action by name, with whether it is allowed, and why not."""
    return {action.value: _state(action, task) for action in Action}


def actions_in_brief(task: Standing) -> dict[str, ActionState]:
    """The same without the codes and reasons, for a list of many tasks."""
    return {action.value: ActionState(allowed=refusal(action, task) is None) for action in Action}


def _state(action: Action, task: Standing) -> ActionState:
    refused = refusal(action, task)
    if refused is None:
        return ActionState(allowed=True, effect=effect(action, task))
    return ActionState(allowed=False, code=refused.code, reason=refused.sentence)


def effect(action: Action, task: Standing) -> str:
    """What an allowed action does now, where its name does not say it, else nothing."""
    match action:
        case Action.STOP if task.status is Status.IN_REVIEW:
            return "Ends the task; its pull request stays as it is."
        case Action.RETRY if task.was_in_review:
            return "Follows its pull request again; no agent works."
        case Action.RETRY if task.needs_budget:
            return "Has the work done anew, with a larger budget, which has to be named."
        case Action.RETRY if task.unpublished:
            return "Publishes the commit that is there; no agent works again."
        case Action.RETRY if task.unshown:
            return "Shows the review that is there; no agent works again."
        case Action.RETRY if task.result and task.status in PUBLISHABLE:
            return "Has the work done anew, unless it is to go on from the result that is there."
        case Action.RETRY if task.nothing_changed:
            return "Has the work done again, although nothing had to change."
        case Action.PUBLISH:
            return "Publishes the result as it is; no agent works again."
        case Action.FOLLOW_UP if task.reviews:
            return "Has the pull request reviewed again, at the same commit."
        case Action.FOLLOW_UP if task.status in TAKES_INPUT:
            return "Is said to the agent at work."
        case Action.FOLLOW_UP if task.status is Status.AWAITING_APPROVAL:
            return "Asks for another plan."
        case Action.FOLLOW_UP:
            return "Makes another round of the task."
        case _:
            return ""


def _is_allowed(action: Action, task: Standing) -> bool:
    """Whether the state fits. A second approval of the same plan does: it changes nothing."""
    match action:
        case Action.APPROVE:
            return task.status is Status.AWAITING_APPROVAL
        case Action.REJECT | Action.REVISE:
            return task.status is Status.AWAITING_APPROVAL and not task.approved
        case Action.INPUT:
            return task.status in TAKES_INPUT
        case Action.RETRY:
            return task.status in RETRYABLE or (task.status is Status.COMPLETED and task.nothing_changed)
        case Action.STOP:
            return task.status not in TERMINAL
        case Action.PUBLISH:
            return task.status in PUBLISHABLE
        case Action.FOLLOW_UP if task.status is Status.AWAITING_APPROVAL:
            return not task.approved
        case Action.FOLLOW_UP:
            return task.status in TAKES_INPUT | TAKES_ANOTHER_ROUND


def _why_not(action: Action, task: Standing) -> str:
    match action:
        case Action.INPUT:
            what = "no agent is at work that could take it"
        case Action.RETRY:
            what = "there is nothing to retry"
        case Action.PUBLISH:
            what = "no result of it waits to be published"
        case _ if task.status is Status.AWAITING_APPROVAL:
            return "The plan is approved already: wait until the work on it begins, or stop the task."
        case Action.FOLLOW_UP:
            what = "it takes no further wish now"
        case _:
            what = "there is no plan to decide on"
    return f"The task is {task.status.replace('-', ' ')}, so {what}: {_mend(task)}."


def _mend(task: Standing) -> str:
    match task.status:
        case Status.COMPLETED if task.nothing_changed:
            return "retry it, or say what is further to be done"
        case Status.CANCELLED if task.was_in_review:
            return "retry it, which follows its pull request again"
        case Status.FAILED if task.needs_budget:
            return "retry it with a larger budget, or submit a new task"
        case Status.FAILED | Status.CANCELLED if task.unpublished:
            return "retry it, which publishes the commit that is there"
        case Status.FAILED | Status.CANCELLED if task.result:
            return "publish its result as it is, go on from it, or retry it afresh"
        case _:
            return _MEND[task.status]


_MEND: Final = {
    Status.RECEIVED: "wait until triage has looked at it",
    Status.TRIAGED: "wait a moment, its next step is being asked for",
    Status.PLANNING: "wait for its plan",
    Status.AWAITING_APPROVAL: "approve, reject or revise its plan, unless that is done",
    Status.EXECUTING: "wait for the result, or stop it",
    Status.WAITING_INPUT: "answer the agent's question, or stop it",
    Status.PAUSED: "wait until it goes on by itself, retry it at once, or stop it",
    Status.REVIEWING: "wait for the review, or stop it",
    Status.PUBLISHING: "wait until the result is published, or stop it",
    Status.IN_REVIEW: "merge or close its pull request, say what is further to be done, or stop it",
    Status.COMPLETED: "say what is further to be done, or submit a new task",
    Status.FAILED: "retry it, or submit a new task",
    Status.CANCELLED: "retry it, or submit a new task",
    Status.DECLINED: "retry it, or submit a new task",
}
