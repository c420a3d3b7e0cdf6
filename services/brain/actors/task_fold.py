"""The fold of a task: what each fact makes of it (pure)."""

from __future__ import annotations

from typing import Final, assert_never

from msgspec.structs import replace

from services.brain.actors.stages import working_stage
from services.brain.actors.watch_fold import answered, published, watched
from shared.contracts.evidence import Evidence, Outcome
from shared.contracts.pull_request import PullRequest, PullState
from shared.contracts.task import (
    TERMINAL,
    ActionRefused,
    Answered,
    ApprovalExpired,
    Approved,
    AutomaticSet,
    Cancelled,
    CatchUpRequested,
    CheckEnded,
    ChecksPassed,
    Completed,
    Declined,
    Edited,
    ExecutionRequested,
    Failed,
    FollowedUp,
    FollowUpRefused,
    GoingOn,
    HeadSeen,
    InputGiven,
    InReview,
    Paused,
    PersonNeeded,
    PlanningRequested,
    PlanReady,
    PublicationRequested,
    QuestionAsked,
    Rejected,
    Result,
    Resumed,
    Retried,
    Reverted,
    Reviewed,
    ReviewRequested,
    ReviewWritten,
    RevisionRequested,
    RunSucceeded,
    SpendRecorded,
    Stage,
    StartingPoint,
    Status,
    StopRequested,
    Submitted,
    Task,
    TaskEvent,
    ThingClosed,
    Triaged,
    TriageRequested,
    Verdict,
    Wish,
    WorkResumed,
)
from shared.contracts.usage import account_of, booked
from shared.ops.visible import is_blank

REMEMBERED_ORIGINS: Final = 100
"""How many of the newest messages a task knows again."""


def evolve(task: Task, event: TaskEvent) -> Task:
    """The task after a fact."""
    after = _heard(_after(task, event), event)
    match event:
        case Triaged() | Answered() | Declined() | ReviewWritten() | Failed() | Paused() if event.place:
            account = account_of(task.triage_attempt, event.place)
        case SpendRecorded():
            account = account_of(event.attempt, event.place)
        case _:
            return after
    return replace(after, accounts=booked(task.accounts, account, event.usage))


def _after(task: Task, event: TaskEvent) -> Task:
    match event:
        case Submitted():
            return _of_moment(_submitted(task, event), event.origin, event.as_of_ms)
        case FollowedUp():
            return _followed_up(task, event)
        case InputGiven():
            return _of_moment(replace(task, told=event.message), event.part, event.as_of_ms)
        case FollowUpRefused() | ActionRefused() | SpendRecorded():
            return task
        case Edited():
            return _of_moment(_edited(task, event), event.part, event.as_of_ms)
        case GoingOn():
            watch = replace(task.watch, due=event.due or task.watch.due, told=(), attention="")
            return replace(task, goes_on=True, chain=0, closing_until=None, stop_reason="", watch=watch)
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
            return replace(
                task,
                status=Status.COMPLETED,
                triaging=False,
                verdict=Verdict.ANSWER,
                summary=event.answer,
                outcome=Outcome.ANSWERED,
                unfinished=False,
            )
        case Declined():
            return replace(task, status=Status.DECLINED, triaging=False, verdict=Verdict.DECLINE, summary=event.reason)
        case ReviewRequested():
            return replace(task, status=Status.REVIEWING, triage_attempt=event.attempt, review=event.review)
        case ReviewWritten():
            return replace(task, status=Status.PUBLISHING, summary=event.summary, tries=0)
        case PlanningRequested():
            return replace(task, status=Status.PLANNING)
        case RevisionRequested():
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
            return replace(task, approved=event.plan, budget_microusd=0, chain=0)
        case Rejected():
            return replace(task, status=Status.CANCELLED, stop_reason=event.reason)
        case ApprovalExpired():
            return replace(task, status=Status.CANCELLED, stop_reason="Nobody approved the plan in time.")
        case ExecutionRequested():
            return replace(task, status=Status.EXECUTING, round=event.round)
        case QuestionAsked():
            return replace(_seeing(task, event.cause), status=Status.WAITING_INPUT, attempt=event.attempt)
        case WorkResumed():
            return replace(_seeing(task, event.cause), status=Status.EXECUTING, attempt=event.attempt)
        case RunSucceeded() | PublicationRequested():
            return _publishing(task, event)
        case StopRequested():
            stopping = replace(task, stopping=True, stop_reason=event.reason, closed=event.closed)
            if not event.pull_request:
                return stopping
            return replace(_left(stopping, event), leaving=True, broken_off=_breaks_off(task))
        case InReview():
            return _in_review(task, event)
        case (
            HeadSeen()
            | CatchUpRequested()
            | CheckEnded()
            | Reviewed()
            | AutomaticSet()
            | PersonNeeded()
            | ChecksPassed()
        ):
            return replace(task, watch=watched(task.watch, event))
        case ThingClosed():
            return replace(task, closing_until=event.until, stop_reason=event.reason)
        case Reverted():
            pull = task.pull_request and replace(task.pull_request, reverted_by=event.by or "somebody")
            return replace(task, pull_request=pull)
        case Completed():
            return _completed(task, event)
        case Failed():
            return _failed(task, event)
        case Cancelled():
            return _cancelled(task, event)
        case Retried():
            return _retried(task, event)
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


def _submitted(task: Task, event: Submitted) -> Task:
    return replace(
        task,
        status=Status.RECEIVED,
        title=event.title,
        text=event.text,
        request=event.request,
        requested_in=event.origin,
        source=event.source,
        repo=event.repo,
        directive=event.directive,
        approval=event.approval,
        session_id=event.session_id,
        parent=event.parent,
        agent=event.agent,
        review=event.review,
    )


def _followed_up(task: Task, event: FollowedUp) -> Task:
    """On the way to another round. What was published stays; what was approved was another wish."""
    wish = Wish(text=event.text, author=event.author, origin=event.origin, by_program=event.by_program, at=event.at)
    # Who asks for a review once more need not say a word, and is counted all the same.
    says_nothing = is_blank(event.text) and event.review is None
    wishes = task.wishes if says_nothing else (*task.wishes, wish)
    is_published = task.status in (Status.COMPLETED, Status.IN_REVIEW)
    return replace(
        _again(task, event.stage),
        wishes=wishes,
        chain=task.chain + 1 if event.by_program else 0,
        directive=event.directive,
        verdict=event.verdict,
        base_commit=event.base_commit,
        approved=None,
        budget_microusd=0,
        commit=task.commit if is_published else "",
        branch=task.branch if is_published else "",
        result=None,
        start=None,
        publication=0,
        stop_reason="",
        closing_until=None,
        tries=0,
        watch=answered(task.watch, event),
        unfinished=True,
        broken_off=False,
        review=event.review or task.review,
    )


def _publishing(task: Task, event: RunSucceeded | PublicationRequested) -> Task:
    match event:
        case RunSucceeded():
            return replace(
                _seeing(task, event.cause),
                status=Status.PUBLISHING,
                attempt=event.attempt,
                commit=event.commit,
                branch=event.branch,
                summary=event.summary,
                result=_result_of(event),
                start=None,
                publication=1,
                evidence=event.evidence,
            )
        case PublicationRequested(result=result):
            return replace(
                _open_again(task, event),
                status=Status.PUBLISHING,
                attempt=event.attempt,
                commit=result.commit,
                branch=result.branch,
                summary=result.summary,
                result=result,
                start=None,
                publication=event.publication,
                evidence=result.evidence,
                ended_in="",
                error_code="",
                error_message="",
                stop_reason="",
            )


def _result_of(done: RunSucceeded) -> Result | None:
    """What the run made; an older one may have left no bundle, and does not say how well it is proven."""
    if done.bundle is None:
        return None
    return Result(
        commit=done.commit,
        branch=done.branch,
        bundle=done.bundle,
        tree=done.tree,
        evidence=done.evidence or Evidence.UNVERIFIED,
        summary=done.summary,
        attempt=done.attempt,
    )


def _in_review(task: Task, event: InReview) -> Task:
    anew = task.pull_request is None or task.pull_request.number != event.pull_request
    return replace(
        _seeing(task, event.cause),
        status=Status.IN_REVIEW,
        attempt=event.attempt,
        summary=event.summary,
        commit=event.commit,
        branch=event.branch,
        published=event.commit,
        published_evidence=task.published_evidence if event.unchanged else event.evidence,
        result=None,
        start=None,
        evidence=event.evidence,
        outcome=event.outcome,
        pull_request=PullRequest(number=event.pull_request, url=event.url, branch=event.branch),
        watch=published(task.watch, event, anew=anew),
        error_code="",
        error_message="",
        stop_reason="",
        ended_in="",
        closed=False,
        closing_until=None,
        tries=0,
        unfinished=task.unfinished and bool(event.attention),
        broken_off=False,
    )


def _breaks_off(task: Task) -> bool:
    """Whether the closing of the pull request is what ends the round, and nothing before it was."""
    return task.unfinished and not task.stopping and task.status not in TERMINAL


def _open_again(task: Task, event: Retried | PublicationRequested) -> Task:
    """With its pull request, where that was reopened."""
    again = replace(task, broken_off=False)
    pull = task.pull_request
    if not event.pull_request or pull is None:
        return again
    return replace(again, pull_request=replace(pull, state=PullState.OPEN))


def _left(task: Task, event: StopRequested | Completed | Cancelled) -> Task:
    """Its pull request is open no longer."""
    pull = task.pull_request
    if pull is None:
        return task
    merge = None if isinstance(event, Cancelled) else event.merge
    state = PullState.MERGED if merge else PullState.CLOSED
    return replace(task, pull_request=replace(pull, state=state, merge=merge), closing_until=None)


def _cancelled(task: Task, event: Cancelled) -> Task:
    watched = task.status is Status.IN_REVIEW and not event.pull_request
    cancelled = replace(
        _seeing(task, event.cause),
        status=Status.CANCELLED,
        triaging=False,
        stopping=False,
        stop_reason=event.reason,
        closed=task.closed or event.closed,
        closing_until=None,
        leaving=False,
        ended_in=Stage.REVIEW if watched else working_stage(task) or "",
        broken_off=task.broken_off or bool(event.pull_request and _breaks_off(task)),
    )
    left = _left(cancelled, event) if event.pull_request else cancelled
    return left if event.result is None else _keeping(left, event.result)


def _completed(task: Task, event: Completed) -> Task:
    """At its end; an older event does not say what came of the task, but whether there is a commit."""
    left = _left(task, event) if event.pull_request else task
    return replace(
        _seeing(left, event.cause),
        status=Status.COMPLETED,
        triaging=False,
        stopping=False,
        leaving=False,
        stop_reason="",
        error_code="",
        error_message="",
        ended_in="",
        closed=False,
        summary=event.summary,
        # A round that changed nothing leaves what an earlier one has published.
        commit=event.commit or task.commit,
        branch=event.branch if event.commit else task.branch,
        published=event.commit or task.published,
        published_evidence=event.evidence if event.commit else task.published_evidence,
        result=None,
        start=None,
        evidence=event.evidence,
        outcome=event.outcome or (Outcome.CHANGED if event.commit else Outcome.NOTHING_TO_CHANGE),
        unfinished=False,
    )


def _failed(task: Task, event: Failed) -> Task:
    failed = replace(
        _seeing(task, event.cause),
        status=Status.FAILED,
        triaging=False,
        error_code=event.code,
        error_message=event.message,
        ended_in=event.stage,
        reached_microusd=event.budget_microusd,
    )
    return failed if event.result is None else _keeping(failed, event.result)


def _keeping(task: Task, result: Result) -> Task:
    """With a result that is there although the work did not end well."""
    return replace(
        task,
        attempt=result.attempt,
        result=result,
        publication=0,
        summary=result.summary,
        evidence=result.evidence,
    )


def _retried(task: Task, event: Retried) -> Task:
    """On the way to that stage, afresh or from what is there; a result that is gone on from stays until there is
    another one."""
    again = replace(
        _again(_open_again(task, event), event.stage),
        stop_reason="",
        commit="",
        branch="",
        tries=0,
        chain=0,
        budget_microusd=event.budget_microusd or task.budget_microusd,
        goes_on=task.goes_on or event.goes_on,
    )
    if event.review:
        again = replace(again, status=Status.PUBLISHING)
    if not event.from_result:
        return replace(again, result=None, start=None, publication=0)
    result, start = task.result, task.start
    if result is not None and (start is None or start.commit != result.commit):
        start = StartingPoint(commit=result.commit, bundle=result.bundle, reason=task.error_message or task.stop_reason)
    return replace(again, start=start)


def _again(task: Task, stage: str) -> Task:
    """On the way to that stage."""
    status = Status.RECEIVED if stage == Stage.TRIAGE else Status.TRIAGED
    return replace(
        task,
        status=status,
        error_code="",
        error_message="",
        paused_until=None,
        evidence=None,
        outcome=None,
        ended_in="",
        closed=False,
        told="",
    )


def _edited(task: Task, event: Edited) -> Task:
    """With the new words, where they count."""
    match event:
        case Edited(counts=False):
            return replace(task, edited=True)
        case Edited(part=""):
            return replace(task, title=event.title or task.title, text=event.text)
        case Edited(part=part) if part == task.requested_in:
            return replace(task, request=event.text)
        case Edited(part=part):
            wishes = (replace(wish, text=event.text) if wish.origin == part else wish for wish in task.wishes)
            return replace(task, wishes=tuple(wishes))


MAX_PARTS: Final = 200
"""Messages of which it is known when their words came to read so."""


def _of_moment(task: Task, part: str, as_of_ms: int) -> Task:
    """Remember of which moment the words of a message are, of the newest ones."""
    if not as_of_ms:
        return task
    others = [(name, at) for name, at in task.words_at.items() if name != part]
    return replace(task, words_at=dict([*others, (part, as_of_ms)][-MAX_PARTS:]))


def _heard(task: Task, event: TaskEvent) -> Task:
    """Remember the message, so that it changes nothing when it comes a second time."""
    match event:
        case (
            Submitted()
            | FollowedUp()
            | FollowUpRefused()
            | ActionRefused()
            | InputGiven()
            | RevisionRequested()
            | Edited()
            | GoingOn()
            | Approved()
            | Rejected()
            | StopRequested()
            | Cancelled()
            | InReview()
            | Reviewed()
            | AutomaticSet()
            | Retried()
        ) if event.origin:
            return replace(task, origins=(*task.origins, event.origin)[-REMEMBERED_ORIGINS:])
        case _:
            return task


def _seeing(task: Task, cause: int) -> Task:
    """Remember the report, so that nothing older from the same stage is taken for news."""
    stage = working_stage(task)
    if stage is None or cause == 0:
        return task
    return replace(task, seen={**task.seen, stage.value: max(cause, task.seen.get(stage, 0))})
