"""The task: one piece of work from the moment it arrives until it is completed, failed, cancelled or declined."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from shared.contracts.evidence import Evidence, Outcome
from shared.contracts.messages import ArtifactRef, CausedCommand, CausedEvent, Command, Event, TimedCommand
from shared.contracts.pull_request import CatchUp, CheckSeen, Merge, PullRequest, PullState, ReviewNote, Watch
from shared.contracts.review import Finding, ReviewTarget
from shared.contracts.usage import Accounts, ModelUsage
from shared.ops.visible import is_blank

MAX_TITLE: Final = 120
"""Characters of a title that is made of a task's text."""

BUDGET_REACHED: Final = "agent-budget"
"""The code of a failure whose work cost as much as it was allowed to."""


class Status(StrEnum):
    """A task's place in its life (docs/architecture.md)."""

    NEW = "new"
    RECEIVED = "received"
    TRIAGED = "triaged"
    PLANNING = "planning"
    AWAITING_APPROVAL = "awaiting-approval"
    EXECUTING = "executing"
    WAITING_INPUT = "waiting-input"
    PAUSED = "paused"
    REVIEWING = "reviewing"
    PUBLISHING = "publishing"
    IN_REVIEW = "in-review"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DECLINED = "declined"


TERMINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.DECLINED})


class Directive(StrEnum):
    """What the person asked for in so many words (``@agent plan``); AUTO lets triage decide."""

    AUTO = "auto"
    PLAN = "plan"
    IMPLEMENT = "implement"


class Approval(StrEnum):
    """Who must approve a plan: a person, or the policy itself.

    REQUIRED: a person, unless one who may steer asks for the work at once. ALWAYS: a person, whoever asks.
    AUTO: nobody.
    """

    REQUIRED = "required"
    AUTO = "auto"
    ALWAYS = "always"


class Verdict(StrEnum):
    """What triage decides to do with a task."""

    PLAN = "plan"
    IMPLEMENT = "implement"
    REVIEW = "review"
    ANSWER = "answer"
    DECLINE = "decline"


class Stage(StrEnum):
    """Whose turn it is: what a failure, a stop or a retry is about.

    REVIEWING: our agent reviews somebody's pull request. REVIEW: people review ours.
    """

    TRIAGE = "triage"
    PLANNING = "planning"
    EXECUTING = "executing"
    REVIEWING = "reviewing"
    PUBLISHING = "publishing"
    REVIEW = "review"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a task came from.

    ``kind`` is ``github``, ``api``, ``cli``, ``chat`` …; ``reference`` is the sender's own name for it.
    """

    kind: str
    reference: str = ""
    url: str = ""
    author: str = ""


class ApprovedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What exactly was approved. ``budget_microusd`` 0 means: no own limit."""

    version: int
    digest: str
    base_commit: str
    budget_microusd: int = 0


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A commit that the run's ``attempt`` made, in a bundle; ``evidence`` says how well it is proven."""

    commit: str
    branch: str
    bundle: ArtifactRef
    tree: str
    evidence: Evidence
    summary: str = ""
    attempt: int = 0


class StartingPoint(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier result that the work goes on from; the base stays below it. ``reason`` says what it lacks."""

    commit: str
    bundle: ArtifactRef
    reason: str = ""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wished further of the task, in that person's or program's words. ``at`` is when it was heard."""

    text: str
    author: str = ""
    origin: str = ""
    by_program: bool = False
    at: datetime | None = None


# ---- commands ----------------------------------------------------------------------------------------------


class SaidCommand(Command, frozen=True, kw_only=True):
    """What a person says. ``origin`` names the message it is said in: one that was heard before changes nothing.

    ``recorded`` has a refusal recorded as an event, for somebody who does not wait for an answer.
    """

    origin: str = ""
    recorded: bool = False


class Submit(Command, frozen=True, kw_only=True):
    """Open the task. ``repo`` is a configured repository's name, or empty where triage finds it.

    ``origin`` names the message that asks for it, so that it is not taken for a second wish as well; ``request`` is
    what that message says, where it is not the thing's own ``text``. ``agent`` is to do the work instead of the
    repository's. ``as_of_ms`` is that of the signal. With a ``review`` the task is to review that pull request, and
    changes nothing.
    """

    title: str
    text: str
    request: str = ""
    source: Source
    repo: str = ""
    directive: Directive = Directive.AUTO
    approval: Approval = Approval.REQUIRED
    session_id: str = ""
    parent: str = ""
    origin: str = ""
    agent: str = ""
    as_of_ms: int = 0
    review: ReviewTarget | None = None


class FollowUp(SaidCommand, frozen=True, kw_only=True):
    """A further wish for a task that exists: a message to its agent, another plan, or another round of work.

    ``directive`` says whether another round plans first. The message that opened the task is no further wish. ``at`` is
    when it was said, and ``by_program`` that no person says it: so many rounds in a row, or in an hour, are refused.
    ``approval`` is the policy of now, which may be stricter than the task's. ``review`` is the pull request as it is
    to be reviewed now.
    """

    text: str
    author: str = ""
    directive: Directive = Directive.AUTO
    approval: Approval | None = None
    by_program: bool = False
    at: datetime | None = None
    review: ReviewTarget | None = None


class Publish(Command, frozen=True, kw_only=True):
    """Publish the result that fell short, as it is."""


class RequestTriage(Command, frozen=True, kw_only=True):
    """Ask for triage (again)."""


class RecordTriage(Command, frozen=True, kw_only=True):
    """Report triage's verdict. ``decided_by`` is ``rules`` or ``model``; ``attempt`` is the triage it answers.

    ``usage`` is the whole spend of the agents at ``place`` on it. ``approval`` is the policy of now, which may be
    stricter than the task's.
    """

    attempt: int
    verdict: Verdict
    decided_by: str
    reason: str
    title: str = ""
    work_kind: str = ""
    risk: str = ""
    repo: str = ""
    base_commit: str = ""
    answer: str = ""
    usage: tuple[ModelUsage, ...] = ()
    place: str = ""
    approval: Approval | None = None


class RequestReview(Command, frozen=True, kw_only=True):
    """Ask the reviewer for a review."""


class RecordReviewWritten(Command, frozen=True, kw_only=True):
    """Report the review that ``attempt`` was asked for; ``usage`` is the whole spend of the agents at ``place`` on it.

    ``left_out`` counts the findings beyond `MAX_FINDINGS`.
    """

    attempt: int
    summary: str
    findings: tuple[Finding, ...] = ()
    left_out: int = 0
    usage: tuple[ModelUsage, ...] = ()
    place: str = ""


class RecordReviewShown(CausedCommand, frozen=True, kw_only=True):
    """Report that the review which ``attempt`` has written stands at its pull request, at ``url``."""

    attempt: int
    url: str = ""


class RequestPlanning(Command, frozen=True, kw_only=True):
    """Ask the planner for a plan."""


class RecordPlanReady(CausedCommand, frozen=True, kw_only=True):
    """Report that a plan waits for approval, until ``expires_at`` where the policy sets an end.

    ``approval`` is the policy of now, which may be stricter than the task's.
    """

    version: int
    digest: str
    base_commit: str
    summary: str = ""
    expires_at: datetime | None = None
    approval: Approval | None = None


class Approve(SaidCommand, frozen=True, kw_only=True):
    """Approve one plan: this version, this digest (all 64 hex digits, or at least the first 8), this base commit."""

    version: int
    digest: str
    base_commit: str = ""
    budget_microusd: int = 0


class Reject(SaidCommand, frozen=True, kw_only=True):
    """Turn the plan down and end the task."""

    reason: str = ""


class Revise(SaidCommand, frozen=True, kw_only=True):
    """Turn the plan down and ask for another one."""

    feedback: str


class RequestExecution(Command, frozen=True, kw_only=True):
    """Ask the executor to do the work."""


class RecordQuestion(CausedCommand, frozen=True, kw_only=True):
    """Report that the agent waits for an answer."""

    attempt: int
    question: str
    options: tuple[str, ...] = ()


class RecordWorkResumed(CausedCommand, frozen=True, kw_only=True):
    """Report that the agent has its answer and goes on."""

    attempt: int


class RecordRunSucceeded(CausedCommand, frozen=True, kw_only=True):
    """Report a run that ended well. ``commit`` is empty when nothing had to change; ``due`` is then that of
    `RecordPublished`."""

    attempt: int
    commit: str = ""
    branch: str = ""
    bundle: ArtifactRef | None = None
    summary: str = ""
    tree: str = ""
    evidence: Evidence | None = None
    outcome: Outcome | None = None
    due: datetime | None = None


class RecordPublished(CausedCommand, frozen=True, kw_only=True):
    """Report that the result is visible in the target repository.

    ``commit`` is the one that is visible there. ``attempt`` and ``publication`` say what was published, and the
    how-manieth try it was; an older gateway names neither. ``pull_request`` is the number of the one that has it, at
    ``url``; without one the result's being there is the end. ``due`` is when that is looked at next, where there is
    something to be done about it.
    """

    commit: str
    branch: str
    url: str = ""
    attempt: int = 0
    publication: int = 0
    pull_request: int = 0
    due: datetime | None = None


class Fact(Command, frozen=True, kw_only=True):
    """What was heard of a pull request ``at`` a moment; without further news it is acted on when it is ``due``."""

    at: datetime
    due: datetime


class RecordHead(Fact, frozen=True, kw_only=True):
    """Report which commit the head of a pull request is, and whether it can be merged as it is.

    ``base`` is the commit of its base that we have brought it up to date with thereby.
    """

    number: int
    head: str
    by: str = ""
    conflict: bool = False
    base: str = ""


class RecordBase(Command, frozen=True, kw_only=True):
    """Report that the base of a pull request is at ``base`` now, for which ``how`` says what is to be done.

    ``problem`` says why that could not be done at ``head``, by a stable ``code``.
    """

    head: str
    base: str
    how: CatchUp
    at: datetime
    code: str = ""
    problem: str = ""


class RecordCheck(Fact, frozen=True, kw_only=True):
    """Report how a check of a commit has ended."""

    head: str
    check: CheckSeen


class RecordReview(Fact, frozen=True, kw_only=True):
    """Report what somebody with a say has said of a pull request, or that it does not count any more.

    ``verdict`` is that of the review that is written to its end by it, and empty for a comment on a line. ``origin``
    names the message.
    """

    number: int
    note: ReviewNote
    verdict: str = ""
    origin: str = ""
    edited: bool = False


class SetAutomatic(SaidCommand, frozen=True, kw_only=True):
    """Have rounds made by themselves on the task's pull request, or only when somebody asks for them."""

    on: bool
    at: datetime | None = None


class LookAtPullRequest(TimedCommand, frozen=True, kw_only=True):
    """See whether what was heard of the pull request makes another round, or needs a person.

    ``approval`` is the policy of now, which may be stricter than the task's.
    """

    approval: Approval | None = None


class RecordPullRequest(Command, frozen=True, kw_only=True):
    """Report what became of a pull request, and by whom; ``commit`` is its merge, where it was merged.

    ``reverted``: the merge was taken back, by another one.
    """

    number: int
    state: PullState
    by: str = ""
    commit: str = ""
    reverted: bool = False


class RecordFailure(CausedCommand, frozen=True, kw_only=True):
    """Report that triage, planning, a run or the publication failed.

    ``attempt`` is the triage or the review it answers (0: the current one); the other stages are told apart by
    ``cause``.
    ``retries_at`` says when to try again after the first, second … such failure in a row; none is left, or none was
    given: the task fails. ``usage`` is the whole spend of the agents at ``place`` on a triage. ``result`` is what a run
    made although it fell short; ``publication`` is the try at publishing that failed. ``budget_microusd`` is the budget
    that the work has reached.
    """

    stage: str
    code: str
    message: str
    attempt: int = 0
    usage: tuple[ModelUsage, ...] = ()
    place: str = ""
    retries_at: tuple[datetime, ...] = ()
    result: Result | None = None
    publication: int = 0
    budget_microusd: int = 0


class RecordStopped(CausedCommand, frozen=True, kw_only=True):
    """Report that the agent is gone after a stop; ``result`` was committed before."""

    stage: str
    result: Result | None = None


class GiveInput(Command, frozen=True, kw_only=True):
    """Say something to the working agent, or answer its question."""

    message: str


class Stop(SaidCommand, frozen=True, kw_only=True):
    """Stop the task, whatever it is doing."""

    reason: str = ""


class Retry(SaidCommand, frozen=True, kw_only=True):
    """Try again after a failure, a stop or a refusal, or at once while paused; an approved plan stays approved.

    After a failed publication the commit that is there is published again, unless ``afresh`` has the work done anew.
    ``from_result`` has the agent go on with a result that fell short instead of beginning at the base.
    ``budget_microusd`` is what the work may cost from now on; 0 leaves it as it was approved. Work that has reached its
    budget needs a larger one.
    """

    from_result: bool = False
    afresh: bool = False
    budget_microusd: int = 0


class GoOn(SaidCommand, frozen=True, kw_only=True):
    """Go on although the thing that the task is about is closed: again where that has stopped the task already.

    ``at`` is when it was said. So many rounds that programs have asked for are forgotten.
    """

    at: datetime | None = None


class RecordClosed(Command, frozen=True, kw_only=True):
    """Report that the thing which the task is about was closed, deleted or moved away, and by whom.

    ``at`` is when we heard of it; an older brain does not say so.
    """

    reason: str
    at: datetime | None = None


class RecordReopened(SaidCommand, frozen=True, kw_only=True):
    """Report that somebody who may steer has reopened the thing: what its closing has stopped goes on."""


class RecordEdit(Command, frozen=True, kw_only=True):
    """Report that words which the task was made of read otherwise now.

    ``part`` names the message that was edited, and is empty for the thing's own title and text; ``origin`` names the
    edit. ``trusted``: who has made it may speak to the agent at work. ``as_of_ms`` is that of the signal: older words
    than those that are known never take their place.
    """

    text: str
    title: str = ""
    part: str = ""
    origin: str = ""
    author: str = ""
    trusted: bool = False
    as_of_ms: int = 0


class Resume(TimedCommand, frozen=True, kw_only=True):
    """Go on after a pause that lasts until ``at``."""


class HeedClosing(TimedCommand, frozen=True, kw_only=True):
    """Stop the review of a result because the thing that it is about is closed, where no merge has closed it."""


class ExpireApproval(TimedCommand, frozen=True, kw_only=True):
    """Give up waiting for the approval of this version, which was to come before ``at``."""

    version: int


class RecordSpend(Command, frozen=True, kw_only=True):
    """Report the whole spend of a place's agents on one triage or review; what is known of it adds nothing."""

    attempt: int
    place: str
    usage: tuple[ModelUsage, ...] = ()


TaskCommand = (
    Submit
    | FollowUp
    | Publish
    | RequestTriage
    | RecordTriage
    | RequestReview
    | RecordReviewWritten
    | RecordReviewShown
    | RequestPlanning
    | RecordPlanReady
    | Approve
    | Reject
    | Revise
    | RequestExecution
    | RecordQuestion
    | RecordWorkResumed
    | RecordRunSucceeded
    | RecordPublished
    | RecordPullRequest
    | RecordHead
    | RecordBase
    | RecordCheck
    | RecordReview
    | SetAutomatic
    | LookAtPullRequest
    | RecordFailure
    | RecordStopped
    | GiveInput
    | Stop
    | Retry
    | GoOn
    | RecordClosed
    | RecordReopened
    | RecordEdit
    | Resume
    | HeedClosing
    | ExpireApproval
    | RecordSpend
)

# ---- events ------------------------------------------------------------------------------------------------


class Submitted(Event, frozen=True, kw_only=True):
    """A task has arrived. ``request`` is what was said about a thing that has the text ``text`` itself.

    With a ``review`` it is to review that pull request.
    """

    title: str
    text: str
    source: Source
    repo: str = ""
    directive: Directive = Directive.AUTO
    approval: Approval = Approval.REQUIRED
    session_id: str = ""
    parent: str = ""
    origin: str = ""
    request: str = ""
    agent: str = ""
    as_of_ms: int = 0
    review: ReviewTarget | None = None


class FollowedUp(Event, frozen=True, kw_only=True):
    """A further wish makes another round of the task, from ``stage`` on and on top of ``base_commit``.

    ``verdict`` is ``plan``, ``implement`` or ``review``, or null where triage is still to judge. ``answers`` are the
    fingerprints of what was heard of its pull request and is in the wish. ``review`` is what is reviewed from now on.
    """

    text: str
    author: str
    stage: str
    base_commit: str
    directive: Directive = Directive.AUTO
    verdict: Verdict | None = None
    origin: str = ""
    by_program: bool = False
    at: datetime | None = None
    answers: tuple[str, ...] = ()
    review: ReviewTarget | None = None


class FollowUpRefused(Event, frozen=True, kw_only=True):
    """A further wish that the task could not take; ``reason`` says why and what to do instead."""

    text: str
    author: str
    code: str
    reason: str
    origin: str = ""


class ActionRefused(Event, frozen=True, kw_only=True):
    """What somebody asked for in a message could not be done; ``reason`` says why and what to do instead.

    ``action`` is the command's name. A task that there is not can refuse, too: it stays one that there is not.
    """

    action: str
    code: str
    reason: str
    origin: str = ""


class Edited(Event, frozen=True, kw_only=True):
    """Words that the task was made of read otherwise now.

    They count (``counts``) until planning begins; after that the work goes on from the words of before. ``part`` names
    the message that was edited, and is empty for the thing's own title and text.
    """

    text: str
    title: str = ""
    part: str = ""
    origin: str = ""
    author: str = ""
    counts: bool = True
    as_of_ms: int = 0


class GoingOn(Event, frozen=True, kw_only=True):
    """Somebody wants the work done although the thing that it is about is closed.

    An open pull request is looked at when that is ``due``.
    """

    origin: str = ""
    due: datetime | None = None


class TriageRequested(Event, frozen=True, kw_only=True):
    """Triage is to look at the task."""

    attempt: int


class Triaged(Event, frozen=True, kw_only=True):
    """Triage decided to act: ``verdict`` is ``plan``, ``implement`` or ``review``.

    Its ``usage`` was spent at ``place``.
    """

    attempt: int
    verdict: Verdict
    decided_by: str
    reason: str
    title: str
    work_kind: str
    risk: str
    repo: str
    base_commit: str
    usage: tuple[ModelUsage, ...] = ()
    place: str = ""


class Answered(Event, frozen=True, kw_only=True):
    """The task was a question; this is the answer, and the end of the task. ``usage`` was spent at ``place``."""

    attempt: int
    answer: str
    decided_by: str
    usage: tuple[ModelUsage, ...] = ()
    session_id: str = ""
    place: str = ""


class Declined(Event, frozen=True, kw_only=True):
    """Triage decided not to act. Its ``usage`` was spent at ``place``."""

    attempt: int
    reason: str
    decided_by: str
    usage: tuple[ModelUsage, ...] = ()
    place: str = ""


class ReviewRequested(Event, frozen=True, kw_only=True):
    """The reviewer is to review a pull request. ``attempt`` counts the triages and reviews of the task together."""

    attempt: int
    repo: str
    review: ReviewTarget


class ReviewWritten(Event, frozen=True, kw_only=True):
    """The review is written; the gateway is to show it, at the pull request of ``thread``.

    ``usage`` was spent at ``place``. ``left_out`` counts the findings beyond `MAX_FINDINGS`.
    """

    attempt: int
    repo: str
    thread: str
    review: ReviewTarget
    summary: str
    findings: tuple[Finding, ...] = ()
    left_out: int = 0
    usage: tuple[ModelUsage, ...] = ()
    place: str = ""


class PlanningRequested(Event, frozen=True, kw_only=True):
    """The planner is to write a plan against this base commit."""

    repo: str
    base_commit: str
    title: str
    text: str


class PlanReady(CausedEvent, frozen=True, kw_only=True):
    """A plan waits for approval; the approval must name this version, digest and base commit.

    It waits until ``expires_at``, or without an end.
    """

    version: int
    digest: str
    base_commit: str
    summary: str = ""
    approval: Approval = Approval.REQUIRED
    expires_at: datetime | None = None


class Approved(Event, frozen=True, kw_only=True):
    """Exactly this plan was approved."""

    plan: ApprovedPlan
    origin: str = ""


class Rejected(Event, frozen=True, kw_only=True):
    """The plan was turned down; the task is cancelled."""

    version: int
    reason: str = ""
    origin: str = ""


class RevisionRequested(Event, frozen=True, kw_only=True):
    """The plan was turned down; the planner is to write another."""

    version: int
    feedback: str
    origin: str = ""


class ExecutionRequested(Event, frozen=True, kw_only=True):
    """The executor is to do the work. ``round`` counts executions of this task (1, 2, … one more by each retry).

    ``start`` is an earlier result that it goes on from. ``budget_microusd`` is what a retry has set: it goes before
    that of ``plan``, which stays as it was approved. ``agent`` does the work; empty is the repository's.
    """

    round: int
    repo: str
    base_commit: str
    title: str
    text: str
    plan: ApprovedPlan | None = None
    start: StartingPoint | None = None
    budget_microusd: int = 0
    agent: str = ""


class QuestionAsked(CausedEvent, frozen=True, kw_only=True):
    """The agent waits for a person."""

    attempt: int
    question: str
    options: tuple[str, ...] = ()


class InputGiven(Event, frozen=True, kw_only=True):
    """A person said something to the agent; of an edit, ``part`` and ``as_of_ms`` are those of `Edited`."""

    message: str
    origin: str = ""
    part: str = ""
    as_of_ms: int = 0


class WorkResumed(CausedEvent, frozen=True, kw_only=True):
    """The agent has its answer and goes on."""

    attempt: int


class RunSucceeded(CausedEvent, frozen=True, kw_only=True):
    """The work is done; the gateway is to publish it."""

    attempt: int
    repo: str
    base_commit: str
    commit: str
    branch: str
    summary: str
    bundle: ArtifactRef | None = None
    tree: str = ""
    evidence: Evidence | None = None
    outcome: Outcome | None = None


class PublicationRequested(Event, frozen=True, kw_only=True):
    """The gateway is to publish a result that is there: again, or although it fell short.

    ``publication`` counts the tries at publishing what ``attempt`` made: the one of `RunSucceeded` was the first.
    ``pull_request`` is that of `Retried`.
    """

    attempt: int
    publication: int
    repo: str
    base_commit: str
    result: Result
    pull_request: int = 0


class StopRequested(Event, frozen=True, kw_only=True):
    """The agent at work is to be stopped; ``stage`` says whose it is: ``planning`` or ``executing``.

    ``closed``: because the thing that the task is about is closed. ``pull_request``: because that pull request was
    closed, or merged (``merge``): then the task is completed.
    """

    stage: str
    reason: str = ""
    origin: str = ""
    closed: bool = False
    pull_request: int = 0
    merge: Merge | None = None


class InReview(CausedEvent, frozen=True, kw_only=True):
    """The result is in a pull request, and people decide what becomes of it.

    After a round that changed nothing (``unchanged``) it is the result of before. ``by`` is who has reopened it, or has
    the task followed again; nobody is for a new result. ``due`` is when it is looked at next. ``attention`` says why a
    person is needed although there is a result.
    """

    attempt: int
    commit: str
    branch: str
    url: str
    pull_request: int
    summary: str = ""
    evidence: Evidence | None = None
    outcome: Outcome | None = None
    unchanged: bool = False
    by: str = ""
    origin: str = ""
    due: datetime | None = None
    attention: str = ""


class CatchUpRequested(Event, frozen=True, kw_only=True):
    """The base of the pull request has moved to ``base``, and its branch at ``head`` is to be brought up to date."""

    repo: str
    branch: str
    pull_request: int
    head: str
    base: str
    how: CatchUp


class HeadSeen(Event, frozen=True, kw_only=True):
    """Somebody has pushed to the pull request (``moved``), or it cannot be merged as it is (``conflict``).

    With ``base`` it was us, to bring it up to date with that commit of its base: nothing of it was checked anew.
    """

    head: str
    by: str = ""
    moved: bool = False
    conflict: bool = False
    base: str = ""
    due: datetime | None = None
    at: datetime | None = None


class CheckEnded(Event, frozen=True, kw_only=True):
    """A check of the pull request's head has ended, otherwise than it did before."""

    head: str
    check: CheckSeen
    due: datetime
    at: datetime


class Reviewed(Event, frozen=True, kw_only=True):
    """Somebody has said something in a review of the pull request, or it does not count any more (``dismissed``).

    ``verdict`` is that of the review which is written to its end by it.
    """

    note: ReviewNote
    verdict: str = ""
    origin: str = ""
    due: datetime | None = None
    at: datetime | None = None


class AutomaticSet(Event, frozen=True, kw_only=True):
    """Whether rounds are made by themselves on the pull request, from now on."""

    on: bool
    origin: str = ""
    due: datetime | None = None


class PersonNeeded(Event, frozen=True, kw_only=True):
    """The pull request does not get on without a person; ``reason`` says why. ``about`` are fingerprints."""

    code: str
    reason: str
    about: tuple[str, ...] = ()


class ChecksPassed(Event, frozen=True, kw_only=True):
    """What is known of the head's checks has passed, and nothing else has been heard for a while."""

    head: str


class ThingClosed(Event, frozen=True, kw_only=True):
    """The thing is closed while its pull request is in review: without a merge ``until`` then, the task stops."""

    reason: str
    until: datetime


class Completed(CausedEvent, frozen=True, kw_only=True):
    """The result is visible in the target repository, or nothing had to change.

    With a ``pull_request``, that was merged.
    """

    summary: str
    commit: str = ""
    branch: str = ""
    url: str = ""
    evidence: Evidence | None = None
    outcome: Outcome | None = None
    pull_request: int = 0
    merge: Merge | None = None


class Reverted(Event, frozen=True, kw_only=True):
    """The merge of the task's pull request was taken back; the task stays completed."""

    pull_request: int
    by: str = ""
    commit: str = ""


class Failed(CausedEvent, frozen=True, kw_only=True):
    """The task failed; ``message`` says what to do about it. A triage's or review's ``usage`` was spent at ``place``.

    ``result`` is what was made although it fell short: it may be published as it is, or gone on from.
    ``budget_microusd`` is the budget that the work has reached.
    """

    stage: str
    code: str
    message: str
    usage: tuple[ModelUsage, ...] = ()
    place: str = ""
    result: Result | None = None
    budget_microusd: int = 0


class Cancelled(CausedEvent, frozen=True, kw_only=True):
    """The task was stopped and nothing of it runs any more; ``result`` was made before, and is kept.

    ``closed`` and ``pull_request`` are those of `StopRequested`.
    """

    reason: str = ""
    result: Result | None = None
    origin: str = ""
    closed: bool = False
    pull_request: int = 0


class Retried(Event, frozen=True, kw_only=True):
    """The task goes on from ``stage``: ``triage``, ``planning``, ``reviewing`` or ``executing``, there from its kept
    result or not.

    ``budget_microusd`` is what whoever retried allows the work to cost from now on; 0 leaves that as it was.
    ``goes_on``: also while the thing that it is about is closed. ``pull_request`` was reopened, whose closing had
    broken the work off. ``review`` is the attempt whose review is there and is to be shown: then no agent works.
    """

    stage: str
    from_result: bool = False
    budget_microusd: int = 0
    origin: str = ""
    goes_on: bool = False
    pull_request: int = 0
    review: int = 0


class Paused(CausedEvent, frozen=True, kw_only=True):
    """A passing failure in ``stage``: the task goes on by itself at ``until``. ``tries`` counts them in a row.

    A triage's or review's ``usage`` was spent at ``place``.
    """

    stage: str
    code: str
    message: str
    until: datetime
    tries: int
    usage: tuple[ModelUsage, ...] = ()
    place: str = ""


class Resumed(Event, frozen=True, kw_only=True):
    """The pause is over; the task goes on from ``stage``."""

    stage: str


class ApprovalExpired(Event, frozen=True, kw_only=True):
    """Nobody approved this version in time; the task is cancelled."""

    version: int


class SpendRecorded(Event, frozen=True, kw_only=True):
    """A place's agents spent more on one triage or review than its reports had said: their work was overtaken or broken
    off."""

    attempt: int
    place: str
    usage: tuple[ModelUsage, ...] = ()


TaskEvent = (
    Submitted
    | FollowedUp
    | FollowUpRefused
    | ActionRefused
    | Edited
    | GoingOn
    | TriageRequested
    | Triaged
    | Answered
    | Declined
    | ReviewRequested
    | ReviewWritten
    | PlanningRequested
    | PlanReady
    | Approved
    | Rejected
    | RevisionRequested
    | ExecutionRequested
    | QuestionAsked
    | InputGiven
    | WorkResumed
    | RunSucceeded
    | PublicationRequested
    | StopRequested
    | InReview
    | CatchUpRequested
    | HeadSeen
    | CheckEnded
    | Reviewed
    | AutomaticSet
    | PersonNeeded
    | ChecksPassed
    | ThingClosed
    | Completed
    | Reverted
    | Failed
    | Cancelled
    | Retried
    | Paused
    | Resumed
    | ApprovalExpired
    | SpendRecorded
)

# ---- state -------------------------------------------------------------------------------------------------


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a task's events.

    ``stopping`` is true between a stop and the agent's end, ``triaging`` while triage looks at it; ``triage_attempt``
    counts triages and reviews together. ``seen`` is, by
    stage, the newest version of the plan, run or reply that the task has acted on. ``tries`` counts the passing
    failures since something last went well; ``expires_at`` and ``paused_until`` are the moments it waits for.
    ``accounts`` is the spend of each place on triage. ``result`` is the commit that was made and is not published yet,
    ``publication`` the newest try at publishing it, ``published`` the commit that was published last, as well proven as
    ``published_evidence`` says. ``ended_in`` is the stage in which the task failed or was stopped. ``wishes`` are those
    that rounds were made of, ``origins`` the newest messages that were heard. ``request`` is what was said when the
    task was opened about a thing with the text ``text``, in the message ``requested_in``. ``goes_on``: the closing of
    that thing stops nothing. ``closed``: it has stopped the task. ``edited``: words that the work began from read
    otherwise now. ``chain`` counts the rounds that programs have asked for since a person last said something; ``told``
    is what the agent was told last. ``budget_microusd`` is what a retry has allowed the work to cost,
    ``reached_microusd`` the budget that the newest round has reached. ``pull_request`` is the newest that had a result;
    ``closing_until``: the thing is closed, and the review of it ends then, unless a merge has closed it. ``watch`` is
    what has been seen of the pull request, and ``leaving`` is true while an agent is stopped because that was merged or
    closed. ``unfinished``: what the newest round was asked for is not seen to; ``broken_off``: because its pull request
    was closed. ``words_at``: of which moment the words of each message are that is known, by the sender's clock; of the
    thing's own it is the empty name. ``review`` is the pull request that the task is to review, where it is a review.
    """

    status: Status = Status.NEW
    title: str = ""
    text: str = ""
    source: Source = Source(kind="")
    repo: str = ""
    base_commit: str = ""
    directive: Directive = Directive.AUTO
    approval: Approval = Approval.REQUIRED
    session_id: str = ""
    parent: str = ""
    triage_attempt: int = 0
    triaging: bool = False
    verdict: Verdict | None = None
    plan_version: int = 0
    plan_digest: str = ""
    plan_base: str = ""
    approved: ApprovedPlan | None = None
    round: int = 0
    attempt: int = 0
    stopping: bool = False
    stop_reason: str = ""
    commit: str = ""
    branch: str = ""
    summary: str = ""
    error_code: str = ""
    error_message: str = ""
    seen: dict[str, int] = {}
    tries: int = 0
    expires_at: datetime | None = None
    paused_until: datetime | None = None
    accounts: Accounts = {}
    result: Result | None = None
    start: StartingPoint | None = None
    publication: int = 0
    published: str = ""
    evidence: Evidence | None = None
    published_evidence: Evidence | None = None
    outcome: Outcome | None = None
    ended_in: str = ""
    wishes: tuple[Wish, ...] = ()
    origins: tuple[str, ...] = ()
    budget_microusd: int = 0
    reached_microusd: int = 0
    request: str = ""
    requested_in: str = ""
    goes_on: bool = False
    closed: bool = False
    edited: bool = False
    chain: int = 0
    told: str = ""
    agent: str = ""
    pull_request: PullRequest | None = None
    closing_until: datetime | None = None
    watch: Watch = Watch()
    leaving: bool = False
    unfinished: bool = False
    broken_off: bool = False
    words_at: dict[str, int] = {}
    review: ReviewTarget | None = None


def whole_text(text: str, request: str, author: str) -> str:
    """A thing's text and what was said about it when the task was opened, as one text."""
    if is_blank(request):
        return text
    asked = f"{author} asks for this:" if author else "This is asked for:"
    return f"{text}\n\n---\n\n{asked}\n\n{request}" if not is_blank(text) else request


def title_of(text: str) -> str:
    """A title for a task that came without one: the text's first line that a reader sees, or empty."""
    line = next((line.strip() for line in text.splitlines() if not is_blank(line)), "")
    return line if len(line) <= MAX_TITLE else line[: MAX_TITLE - 1] + "…"
