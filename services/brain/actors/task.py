"""The task's rules, the life of docs/architecture.md: what comes of a command. Its fold is in `task_fold`."""

from __future__ import annotations

from services.brain.actors import reopening, reviews
from services.brain.actors.approval import approve
from services.brain.actors.pull_requests import pull_request
from services.brain.actors.reports import decide_report
from services.brain.actors.retries import publication, retried
from services.brain.actors.stages import due_stage, standing_of, working_base
from services.brain.actors.task_fold import evolve
from services.brain.actors.things import closed, edited, go_on, reopened, stopped
from services.brain.actors.triage import decide_triage
from services.brain.actors.waits import decide_timer
from services.brain.actors.watch import base_moved, check_ended, head_seen, looked_at, reviewed, set_automatic
from services.brain.actors.wishes import follow_up, text_of
from shared.contracts.decider import Decider, Rejected
from shared.contracts.messages import name_of
from shared.contracts.pull_request import PullState
from shared.contracts.rules import ACTION_OF, NONE_HERE, UNKNOWN, refusal
from shared.contracts.task import (
    ActionRefused,
    Approve,
    ExecutionRequested,
    ExpireApproval,
    FollowUp,
    GiveInput,
    GoOn,
    HeedClosing,
    InputGiven,
    LookAtPullRequest,
    PlanningRequested,
    Publish,
    RecordBase,
    RecordCheck,
    RecordClosed,
    RecordEdit,
    RecordHead,
    RecordPullRequest,
    RecordReopened,
    RecordReview,
    RecordReviewShown,
    RecordReviewWritten,
    RecordSpend,
    RecordTriage,
    Reject,
    RequestExecution,
    RequestPlanning,
    RequestReview,
    RequestTriage,
    Resume,
    Retry,
    Revise,
    RevisionRequested,
    SaidCommand,
    SetAutomatic,
    SpendRecorded,
    Stage,
    Status,
    Stop,
    Submit,
    Submitted,
    Task,
    TaskCommand,
    TaskEvent,
    TriageRequested,
)
from shared.contracts.task import Rejected as PlanRejected
from shared.contracts.usage import account_of, unbooked
from shared.ops.visible import is_blank

MessagesCommand = Approve | Reject | Revise | Stop | Retry | GoOn
PersonsCommand = MessagesCommand | GiveInput | Publish


def decide(task: Task, command: TaskCommand) -> TaskEvent | None:
    """What comes of a command. Raises `Rejected`; what was told twice or came late gives None."""
    match command:
        case Submit() if task.status is not Status.NEW:
            return None
        case Submit() if is_blank(f"{command.title}{command.text}{command.request}"):
            raise Rejected("text-empty", "There is nothing to do: say what is to be done.")
        case Submit():
            return _submitted(command)
        case FollowUp():
            return follow_up(task, command)
        case RecordClosed():
            return closed(task, command)
        case RecordReopened():
            return reopened(task, command)
        case RecordEdit():
            return edited(task, command)
        case RecordTriage():
            return decide_triage(task, command)
        case RecordReviewWritten():
            return reviews.written(task, command)
        case RecordReviewShown():
            return reviews.shown(task, command)
        case RequestTriage() | RequestPlanning() | RequestReview() | RequestExecution():
            return _requested(task, command)
        case SaidCommand(origin=origin) if origin and origin in task.origins:
            return None
        case SetAutomatic():
            return set_automatic(task, command)
        case Approve() | Reject() | Revise() | Stop() | Retry() | GoOn() if command.recorded:
            return _told_in_a_message(task, command)
        case Approve() | Reject() | Revise() | GiveInput() | Stop() | Retry() | GoOn() | Publish():
            return _told_by_a_person(task, command)
        case RecordPullRequest(state=PullState.OPEN):
            return reopening.reopened(task, command)
        case RecordPullRequest():
            return pull_request(task, command)
        case RecordHead():
            return head_seen(task, command)
        case RecordBase():
            return base_moved(task, command)
        case RecordCheck():
            return check_ended(task, command)
        case RecordReview():
            return reviewed(task, command)
        case LookAtPullRequest():
            return looked_at(task, command)
        case Resume() | ExpireApproval() | HeedClosing():
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
        origin=command.origin,
        request=command.request,
        agent=command.agent,
        as_of_ms=command.as_of_ms,
        review=command.review,
    )


def _requested(
    task: Task, command: RequestTriage | RequestPlanning | RequestReview | RequestExecution
) -> TaskEvent | None:
    match command, due_stage(task):
        case RequestTriage(), Stage.TRIAGE:
            return TriageRequested(attempt=task.triage_attempt + 1)
        case RequestPlanning(), Stage.PLANNING:
            return PlanningRequested(repo=task.repo, base_commit=task.base_commit, title=task.title, text=text_of(task))
        case RequestReview(), Stage.REVIEWING:
            return reviews.requested(task)
        case RequestExecution(), Stage.EXECUTING:
            return ExecutionRequested(
                round=task.round + 1,
                repo=task.repo,
                base_commit=working_base(task),
                title=task.title,
                text=text_of(task),
                plan=task.approved,
                start=task.start,
                budget_microusd=task.budget_microusd,
                agent=task.agent,
            )
        case _:
            return None


def _told_in_a_message(task: Task, command: MessagesCommand) -> TaskEvent | None:
    """Nobody waits for the answer, so a refusal is a fact like others: who tells people things tells them this."""
    try:
        return _told_by_a_person(task, command)
    except Rejected as refused:
        reason = NONE_HERE if refused.code == UNKNOWN.code else refused.sentence
        return ActionRefused(action=name_of(command), code=refused.code, reason=reason, origin=command.origin)


def _told_by_a_person(task: Task, command: PersonsCommand) -> TaskEvent | None:
    if isinstance(command, GoOn):
        return go_on(task, command)
    if task.status is not Status.NEW:
        _refuse_empty(command)
    if refused := refusal(ACTION_OF[type(command)], standing_of(task)):
        raise Rejected(refused.code, refused.sentence)
    match command:
        case Approve():
            return approve(task, command)
        case Reject():
            return PlanRejected(version=task.plan_version, reason=command.reason, origin=command.origin)
        case Revise():
            return RevisionRequested(version=task.plan_version, feedback=command.feedback, origin=command.origin)
        case GiveInput():
            return InputGiven(message=command.message)
        case Stop():
            return stopped(task, command.reason, origin=command.origin)
        case Retry():
            return retried(task, command)
        case Publish():
            assert task.result is not None, "the rules refuse to publish nothing"
            return publication(task, task.result)


def _refuse_empty(command: PersonsCommand) -> None:
    match command:
        case Revise(feedback=feedback) if is_blank(feedback):
            raise Rejected("feedback-empty", "A revision needs feedback: say what the next plan should do differently.")
        case GiveInput(message=message) if is_blank(message):
            raise Rejected("input-empty", "There is nothing to hand to the agent: write a message.")
        case _:
            return


def _spent(task: Task, command: RecordSpend) -> SpendRecorded | None:
    late = unbooked(task.accounts, account_of(command.attempt, command.place), command.usage)
    if not late or task.status is Status.NEW:
        return None
    return SpendRecorded(attempt=command.attempt, place=command.place, usage=late)


DECIDER = Decider("task", Task(), decide, evolve)
