"""The questions that the projector answers on ``qry.<name>``: typed parameters, and the answer that each one has.

A query's class names its answer's class: ``class GetTask(Query[TaskAnswer])``. Old and new services run side by side:
an answer only ever gains fields, each of them with a default, and a reader passes over what it does not know. Texts
that a later version may add values to (a status, an action) are plain strings here. Money is integer micro-dollars,
times are UTC, durations are milliseconds.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Generic, TypeVar, get_args

import msgspec

from shared.contracts.evidence import Check, Note
from shared.contracts.messages import MAX_SEQUENCE, ArtifactRef
from shared.contracts.rules import ActionState
from shared.contracts.run import FileChange
from shared.contracts.task import Status

A = TypeVar("A", bound=msgspec.Struct)

Seq = Annotated[int, msgspec.Meta(ge=0, le=MAX_SEQUENCE)]
Text = Annotated[str, msgspec.Meta(max_length=512)]

PAGE_SIZE: Final = 50
TIMELINE_PAGE_SIZE: Final = 200


class Query(msgspec.Struct, Generic[A], frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The parameters of a question. ``min_seq``: answer only from a state that includes this event."""

    name: ClassVar[str]
    """The last part of the subject ``qry.<name>``."""

    min_seq: Seq = 0


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer from the read models. ``seq``: the last event that it includes."""

    seq: int


def answer_of(query: type[Query[A]]) -> type[A]:
    """The class of a query's answer."""
    (answer,) = (get_args(base)[0] for base in query.__dict__["__orig_bases__"])
    found: type[A] = answer
    return found


# ---- tasks ---------------------------------------------------------------------------------------------------


class TaskSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where a task came from; ``reference`` is the sender's own name for it."""

    kind: str
    reference: str
    url: str
    author: str


class TaskSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A task in a list.

    ``actions`` say what may be done now; a list leaves the reasons out, and an older projector says nothing.
    ``paused_until`` is set while the task is paused, ``approved_version`` (else 0) once its plan has been approved.
    ``evidence`` says how well its result is proven, ``outcome`` what came of it; both are empty while that is open.
    ``has_result``: a commit was made that is not published; ``ended_in`` is the stage in which the task failed or was
    stopped.
    ``cancelled_how`` says how a person's word or time ended the task (``stopped``, ``rejected`` or ``expired``, else
    empty), ``cancelled_by`` and ``cancelled_reason`` whose word it was; they are set as soon as the stop is asked for.
    ``pull_request`` is the number of the one that its result is in, or 0; ``attention`` says why that does not get on
    without a person, and is empty where it does.
    """

    id: str
    title: str
    status: str
    stopping: bool
    source: TaskSource
    repo: str
    created_seq: int
    created_at: datetime
    updated_at: datetime
    plan_version: int
    round: int
    attempt: int
    agent: str
    worker: str
    cost_microusd: int
    tokens: int
    branch: str
    commit: str
    error_code: str
    error_message: str
    question: str
    approved_version: int = 0
    paused_until: datetime | None = None
    evidence: str = ""
    outcome: str = ""
    has_result: bool = False
    ended_in: str = ""
    cancelled_how: str = ""
    cancelled_by: str = ""
    cancelled_reason: str = ""
    pull_request: int = 0
    attention: str = ""
    actions: dict[str, ActionState] = {}


class PlanVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One proposed version of a plan; ``digest`` is the SHA-256 of ``markdown``."""

    version: int
    digest: str
    base_commit: str
    markdown: str
    summary: str
    at: datetime
    approved_at: datetime | None
    approved_by: str | None


class RunAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """The newest attempt of a task's run; while a round waits for an executor, that round with nothing done yet.

    What it made is told also where that falls short. ``commit`` is the one to publish, ``checked_commit`` the one that
    the checks ran on; both have the same ``tree``. ``setup`` are the commands that came before the checks. ``summary``
    is what the agent says of its work, ``observed`` what our own executor saw of it: empty before the attempt's end.
    An attempt that is running and has a ``tree`` is being judged.
    """

    status: str
    round: int
    attempt: int
    worker: str = ""
    session: str = ""
    cli_version: str = ""
    model: str = ""
    turn: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    duration_ms: int = 0
    summary: str = ""
    commit: str = ""
    branch: str = ""
    checks: tuple[Check, ...] = ()
    files: tuple[FileChange, ...] = ()
    diff: ArtifactRef | None = None
    question: str = ""
    options: tuple[str, ...] = ()
    error_code: str = ""
    error_message: str = ""
    evidence: str = ""
    outcome: str = ""
    tree: str = ""
    checked_commit: str = ""
    setup: tuple[Check, ...] = ()
    notes: tuple[Note, ...] = ()
    observed: str = ""

    @property
    def is_judged(self) -> bool:
        """Whether its work is committed, and its set-up and checks run: no agent works meanwhile."""
        return self.status == "running" and bool(self.tree)


class ModelCost(msgspec.Struct, frozen=True, kw_only=True):
    """What one agent's use of one model took of a task; ``priced`` is false where a price was guessed."""

    agent: str
    model: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_microusd: int
    priced: bool


class TaskDetail(TaskSummary, frozen=True, kw_only=True):
    """Everything about one task.

    ``version`` is that of its newest event, ``working_since`` is set while an agent is at work. ``result_url`` is its
    pull request's address where there is one, ``merged_by`` who has merged that, and ``reverted_by`` who has taken the
    merge back. ``caught_up_with`` is the commit of its base that we have brought it up to date with since: the evidence
    is of what was there before.
    """

    version: int
    text: str
    requester: str
    base_commit: str
    directive: str
    approval: str
    session_id: str
    parent: str
    working_since: datetime | None
    verdict: str
    risk: str
    work_kind: str
    triage_reason: str
    decided_by: str
    answer: str
    summary: str
    plan_status: str
    result_url: str
    plans: tuple[PlanVersion, ...]
    run: RunAttempt | None
    usage: tuple[ModelCost, ...]
    merge_commit: str = ""
    merged_by: str = ""
    reverted_by: str = ""
    caught_up_with: str = ""


class TaskPage(Answer, frozen=True, kw_only=True):
    """``counts`` are of all tasks that the filters but the status let through, by status.

    ``sources`` are the kinds of source that there are tasks of at all, in alphabetical order.
    """

    items: tuple[TaskSummary, ...]
    next_cursor: str | None
    counts: dict[str, int]
    sources: tuple[str, ...] = ()


class TaskAnswer(Answer, frozen=True, kw_only=True):
    """One task."""

    task: TaskDetail


class ListTasks(Query[TaskPage], frozen=True, kw_only=True):
    """Newest first. Filters are exact, except ``q``: part of a title, text, id, repository or reference.

    ``requester`` is who asked for a task, as events name people: ``user:ada``, ``github:octocat``.
    """

    name: ClassVar[str] = "tasks.list"

    status: Status | None = None
    source: Text = ""
    agent: Text = ""
    repo: Text = ""
    q: Text = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = PAGE_SIZE
    cursor: Text = ""
    requester: Text = ""


class GetTask(Query[TaskAnswer], frozen=True, kw_only=True):
    """One task by its id; refused as ``not-found``."""

    name: ClassVar[str] = "tasks.get"

    id: Text


class TimelineItem(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a task with a sentence about it. ``data`` is its JSON; ``time`` is null where it cannot be read."""

    seq: int
    kind: str
    event: str
    version: int
    time: datetime | None
    principal: str
    summary: str
    data: msgspec.Raw


class TimelinePage(Answer, frozen=True, kw_only=True):
    """``next_cursor`` is the ``after`` of the next page."""

    items: tuple[TimelineItem, ...]
    next_cursor: str | None


class GetTimeline(Query[TimelinePage], frozen=True, kw_only=True):
    """A task's events, oldest first, after a stream sequence."""

    name: ClassVar[str] = "tasks.timeline"

    id: Text
    after: Seq = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = TIMELINE_PAGE_SIZE
    cursor: Text = ""


# ---- costs ---------------------------------------------------------------------------------------------------


class GroupBy(StrEnum):
    """What costs can be grouped by."""

    DAY = "day"
    AGENT = "agent"
    MODEL = "model"
    USER = "user"
    SESSION = "session"
    TASK = "task"
    REPO = "repo"


class Spend(msgspec.Struct, frozen=True, kw_only=True):
    """What was spent, and on how many tasks."""

    cost_microusd: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    tasks: int


class SpendGroup(Spend, frozen=True, kw_only=True):
    """What was spent on one value of what is grouped by."""

    key: str


class Costs(Answer, frozen=True, kw_only=True):
    """Days in order, everything else dearest first; ``total`` is over all, also over groups that were left out."""

    group_by: str
    items: tuple[SpendGroup, ...]
    total: Spend


class GetCosts(Query[Costs], frozen=True, kw_only=True, rename={"from_day": "from", "to_day": "to"}):
    """Days (UTC) from and to, both included."""

    name: ClassVar[str] = "costs"

    group_by: GroupBy = GroupBy.DAY
    from_day: date | None = None
    to_day: date | None = None


# ---- deliveries and conversations ----------------------------------------------------------------------------


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One accepted webhook; ``task_id`` is null while its thread has no task."""

    seq: int
    id: str
    webhook: str
    event: str
    action: str
    delivery: str
    thread: str
    author: str
    at: datetime
    task_id: str | None


class DeliveryStep(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a delivery, with a sentence about it."""

    seq: int
    event: str
    time: datetime | None
    principal: str
    summary: str


class DeliveryDetail(Delivery, frozen=True, kw_only=True):
    """One accepted webhook, what was read in it, and what became of it, oldest first."""

    kind: str
    title: str
    repo: str
    url: str
    directive: str
    argument: str
    trusted: bool
    origin: str
    steps: tuple[DeliveryStep, ...]


class DeliveryAnswer(Answer, frozen=True, kw_only=True):
    """One delivery."""

    delivery: DeliveryDetail


class DeliveryPage(Answer, frozen=True, kw_only=True):
    """Deliveries, newest first."""

    items: tuple[Delivery, ...]
    next_cursor: str | None


class ListDeliveries(Query[DeliveryPage], frozen=True, kw_only=True):
    """The webhooks that were received, newest first."""

    name: ClassVar[str] = "deliveries.list"

    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = PAGE_SIZE
    cursor: Text = ""


class DeliveryCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many deliveries of a webhook were accepted on the day, and the newest of any day."""

    webhook: str
    today: int
    last: Delivery


class DeliveryCounts(Answer, frozen=True, kw_only=True):
    """Every webhook that ever delivered, by name."""

    items: tuple[DeliveryCount, ...]


class CountDeliveries(Query[DeliveryCounts], frozen=True, kw_only=True):
    """What each webhook has delivered. ``day`` is the one that is counted (UTC); without it today."""

    name: ClassVar[str] = "deliveries.count"

    day: date | None = None


class GetDelivery(Query[DeliveryAnswer], frozen=True, kw_only=True):
    """One delivery by its id; refused as ``not-found``."""

    name: ClassVar[str] = "deliveries.get"

    id: Text


class SessionLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a conversation; ``author`` is empty for the brain's own."""

    seq: int
    author: str
    text: str
    task_id: str
    at: datetime


class SessionEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a conversation. ``data`` is its JSON; ``author`` is who said it, else empty.

    ``event`` is the name of an event of a session. A message and all that comes of it have its ``message_id``.
    """

    seq: int
    event: str
    at: datetime
    author: str
    principal: str
    message_id: str
    task_id: str
    data: msgspec.Raw


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation's newest lines and its newest events, both oldest first.

    ``first_seq`` is the sequence of its first event: what came before the entries is asked for with ``before``.
    """

    id: str
    lines: tuple[SessionLine, ...]
    title: str = ""
    archived: bool = False
    cost_microusd: int = 0
    first_seq: int = 0
    entries: tuple[SessionEntry, ...] = ()


class SessionAnswer(Answer, frozen=True, kw_only=True):
    """One conversation."""

    session: Session


class GetSession(Query[SessionAnswer], frozen=True, kw_only=True):
    """One session by its id, of its events those before ``before`` (0: the newest); refused as ``not-found``."""

    name: ClassVar[str] = "sessions.get"

    id: Text
    before: Seq = 0


class SessionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation in a list.

    ``title`` is the one that was given to it, else the first words. ``waiting`` counts the messages without an answer,
    ``undecided`` the proposals that nobody has confirmed or turned down. ``started_by`` is its first author.
    """

    id: str
    title: str
    archived: bool
    started_by: str
    started_at: datetime
    updated_seq: int
    updated_at: datetime
    messages: int
    waiting: int
    undecided: int
    tasks: int
    cost_microusd: int


class SessionPage(Answer, frozen=True, kw_only=True):
    """Conversations, the one that changed last first."""

    items: tuple[SessionSummary, ...]
    next_cursor: str | None


class ListSessions(Query[SessionPage], frozen=True, kw_only=True):
    """Conversations, the one that changed last first. ``q`` is part of something said, or of a title."""

    name: ClassVar[str] = "sessions.list"

    q: Text = ""
    archived: bool = False
    author: Text = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = PAGE_SIZE
    cursor: Text = ""


# ---- the whole -----------------------------------------------------------------------------------------------


class Working(msgspec.Struct, frozen=True, kw_only=True):
    """An agent at work on a task."""

    task_id: str
    title: str
    agent: str
    worker: str
    attempt: int
    since: datetime


class Affairs(Answer, frozen=True, kw_only=True):
    """Tasks by status, what the day has cost, who is at work, and how many events could not be read.

    ``position`` is ``seq`` once more; ``lag_events`` is how many events the read models are behind the log.
    """

    position: int
    lag_events: int
    tasks: dict[str, int]
    cost_today_microusd: int
    tokens_today: int
    running: tuple[Working, ...]
    unread: int


class GetStatus(Query[Affairs], frozen=True, kw_only=True):
    """How things stand. ``day``: whose costs are told (UTC); without it today's."""

    name: ClassVar[str] = "status"

    day: date | None = None


class RebuildProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a rebuild has come: stream sequences. ``state`` is ``running``, ``done`` or ``failed``."""

    token: str
    state: str
    seq: int
    target: int
    events_per_s: float
    problem: str = ""


class Rebuild(Query[RebuildProgress], frozen=True, kw_only=True):
    """Rebuild the read models, or join the rebuild that runs."""

    name: ClassVar[str] = "project.rebuild"


class GetRebuild(Query[RebuildProgress], frozen=True, kw_only=True):
    """Which rebuild: the token that `Rebuild` gave; without it the newest one of the projector that answers."""

    name: ClassVar[str] = "project.status"

    token: str = ""


QUERIES: Final[dict[str, type[Query[Any]]]] = {
    query.name: query
    for query in (
        ListTasks,
        GetTask,
        GetTimeline,
        GetCosts,
        ListDeliveries,
        CountDeliveries,
        GetDelivery,
        GetSession,
        ListSessions,
        GetStatus,
        Rebuild,
        GetRebuild,
    )
}
"""Every query by its name."""
