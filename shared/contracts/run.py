"""The run: the executor's work on one task, over all its rounds and attempts. It shares the task's id."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from shared.contracts.evidence import Check, Evidence, Note, Outcome
from shared.contracts.messages import ArtifactRef, CausedCommand, CausedEvent, Command, Event
from shared.contracts.task import ApprovedPlan, StartingPoint
from shared.contracts.usage import Accounts, ModelUsage


class Status(StrEnum):
    """A run's state; a finished run may be requested again, which makes the next round."""

    NEW = "new"
    QUEUED = "queued"
    RUNNING = "running"
    WAITING_INPUT = "waiting-input"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"


class FileChange(msgspec.Struct, frozen=True, kw_only=True):
    """One changed file with its added and removed lines (-1 each for a binary file)."""

    path: str
    added: int
    removed: int


class Request(CausedCommand, frozen=True, kw_only=True):
    """Do the work of one round, from the base commit or from an earlier result.

    ``budget_microusd`` goes before the plan's own; with neither, a setting of the executor says what it may cost.
    ``agent`` does the work; empty is the repository's.
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


class Claim(Command, frozen=True, kw_only=True):
    """Take the round over: every later report of an older attempt is refused."""

    round: int
    worker: str
    session: str


class RecordStarted(Command, frozen=True, kw_only=True):
    """Report that the agent's process spoke its first line."""

    attempt: int
    cli_version: str
    model: str
    resumed: bool = False


class RecordCheckpoint(Command, frozen=True, kw_only=True):
    """Report a point to go on from: a commit on the private ref and the session's transcript."""

    attempt: int
    turn: int
    commit: str = ""
    bundle: ArtifactRef | None = None
    transcript: ArtifactRef | None = None
    process: str = ""
    offset: int = 0
    usage: tuple[ModelUsage, ...] = ()


class Ask(Command, frozen=True, kw_only=True):
    """Report that the agent waits for an answer."""

    attempt: int
    request_id: str
    question: str
    options: tuple[str, ...] = ()


class GiveInput(CausedCommand, frozen=True, kw_only=True):
    """Say something to the agent, or answer its question."""

    message: str


class RecordResumed(Command, frozen=True, kw_only=True):
    """Report that the agent was handed its answer; ``request_id`` names the question, empty means the open one."""

    attempt: int
    request_id: str = ""


class RecordCommit(Command, frozen=True, kw_only=True):
    """Report the result of the agent's work, before any check of it has run.

    ``heard`` is the number of the last input that the agent has heard.
    """

    attempt: int
    commit: str
    tree: str
    parent: str
    bundle: ArtifactRef
    diff: ArtifactRef
    files: tuple[FileChange, ...] = ()
    summary: str = ""
    turns: int = 0
    heard: int = 0
    notes: tuple[Note, ...] = ()
    usage: tuple[ModelUsage, ...] = ()


class Reopen(Command, frozen=True, kw_only=True):
    """Report that the agent is to go on with its committed work: ``checks`` failed, or a person said something."""

    attempt: int
    checks: tuple[Check, ...] = ()


class KeptResult(msgspec.Struct, frozen=True, kw_only=True):
    """A result that is kept although its evidence is not enough: the commit to publish, and what was checked."""

    commit: str
    branch: str
    bundle: ArtifactRef
    tree: str
    checked_commit: str
    summary: str = ""
    files: tuple[FileChange, ...] = ()
    diff: ArtifactRef | None = None
    turns: int = 0


class Succeed(Command, frozen=True, kw_only=True):
    """Report the result; ``commit`` is empty when nothing had to change.

    ``commit`` is the one to publish. The checks ran on ``checked_commit``, which has the same ``tree`` and parent.
    Where somebody spoke after the input ``heard``, the report is refused: the agent goes on.
    """

    attempt: int
    summary: str
    commit: str = ""
    branch: str = ""
    bundle: ArtifactRef | None = None
    files: tuple[FileChange, ...] = ()
    checks: tuple[Check, ...] = ()
    turns: int = 0
    duration_ms: int = 0
    usage: tuple[ModelUsage, ...] = ()
    diff: ArtifactRef | None = None
    evidence: Evidence | None = None
    outcome: Outcome | None = None
    tree: str = ""
    checked_commit: str = ""
    setup: tuple[Check, ...] = ()
    notes: tuple[Note, ...] = ()
    heard: int | None = None


class Fail(Command, frozen=True, kw_only=True):
    """Report that the work failed.

    ``retryable`` says that it may pass by itself; ``retry_at`` is when a limit is lifted, where that is known.
    ``result`` is what was made although it falls short of what the repository demands.
    ``budget_microusd`` is the budget that the work has reached.
    """

    attempt: int
    code: str
    message: str
    checks: tuple[Check, ...] = ()
    duration_ms: int = 0
    usage: tuple[ModelUsage, ...] = ()
    retryable: bool = False
    retry_at: datetime | None = None
    result: KeptResult | None = None
    evidence: Evidence | None = None
    setup: tuple[Check, ...] = ()
    notes: tuple[Note, ...] = ()
    heard: int | None = None
    budget_microusd: int = 0


class Stop(CausedCommand, frozen=True, kw_only=True):
    """Stop the agent."""

    reason: str = ""


class RecordStopped(Command, frozen=True, kw_only=True):
    """Report that no process of the agent is left; ``result`` was committed before, and is kept."""

    attempt: int
    killed: int = 0
    duration_ms: int = 0
    usage: tuple[ModelUsage, ...] = ()
    result: KeptResult | None = None


class RecordSpend(Command, frozen=True, kw_only=True):
    """Report the whole spend of a place's agents on one round; what is known of it adds nothing."""

    round: int
    place: str
    usage: tuple[ModelUsage, ...] = ()


RunCommand = (
    Request
    | Claim
    | RecordStarted
    | RecordCheckpoint
    | Ask
    | GiveInput
    | RecordResumed
    | RecordCommit
    | Reopen
    | Succeed
    | Fail
    | Stop
    | RecordStopped
    | RecordSpend
)


class Requested(CausedEvent, frozen=True, kw_only=True):
    """A round of work waits for an executor."""

    round: int
    repo: str
    base_commit: str
    title: str
    text: str
    plan: ApprovedPlan | None = None
    start: StartingPoint | None = None
    budget_microusd: int = 0
    agent: str = ""


class Claimed(Event, frozen=True, kw_only=True):
    """An executor took the round. ``attempt`` counts claims over the run's whole life: the fencing token."""

    round: int
    attempt: int
    worker: str
    session: str


class Started(Event, frozen=True, kw_only=True):
    """The agent's process spoke its first line."""

    attempt: int
    cli_version: str
    model: str
    resumed: bool = False


class Checkpointed(Event, frozen=True, kw_only=True):
    """A point to go on from; ``usage`` is what was spent since the last report.

    ``process`` names the agent's process on its machine, ``offset`` the byte of its output up to which all is recorded.
    """

    attempt: int
    turn: int
    commit: str = ""
    bundle: ArtifactRef | None = None
    transcript: ArtifactRef | None = None
    process: str = ""
    offset: int = 0
    usage: tuple[ModelUsage, ...] = ()


class QuestionAsked(Event, frozen=True, kw_only=True):
    """The agent waits for an answer."""

    attempt: int
    request_id: str
    question: str
    options: tuple[str, ...] = ()


class InputGiven(CausedEvent, frozen=True, kw_only=True):
    """A person said something; the executor that runs the agent hands it over."""

    number: int
    message: str
    request_id: str = ""


class InputMissed(CausedEvent, frozen=True, kw_only=True):
    """A person said something when the work had just ended: no agent hears it, so it is a further wish."""

    message: str


class Resumed(Event, frozen=True, kw_only=True):
    """The agent was handed its answer and goes on."""

    attempt: int


class Committed(Event, frozen=True, kw_only=True):
    """The agent's work is committed, before any check of it; who takes over from here starts no agent.

    ``usage`` is what was spent since the last checkpoint, ``heard`` the number of the last input the agent has heard.
    """

    round: int
    attempt: int
    commit: str
    tree: str
    parent: str
    bundle: ArtifactRef
    diff: ArtifactRef
    files: tuple[FileChange, ...] = ()
    summary: str = ""
    turns: int = 0
    heard: int = 0
    notes: tuple[Note, ...] = ()
    usage: tuple[ModelUsage, ...] = ()


class Reopened(Event, frozen=True, kw_only=True):
    """The agent goes on with its committed work: ``checks`` failed, or, where there are none, a person spoke."""

    round: int
    attempt: int
    checks: tuple[Check, ...] = ()


class Succeeded(Event, frozen=True, kw_only=True):
    """The work is done; ``usage`` is what was spent since the last checkpoint.

    ``commit`` is the one to publish. The checks ran on ``checked_commit``, which has the same ``tree`` and parent.
    """

    round: int
    attempt: int
    summary: str
    commit: str = ""
    branch: str = ""
    bundle: ArtifactRef | None = None
    files: tuple[FileChange, ...] = ()
    checks: tuple[Check, ...] = ()
    turns: int = 0
    duration_ms: int = 0
    usage: tuple[ModelUsage, ...] = ()
    diff: ArtifactRef | None = None
    evidence: Evidence | None = None
    outcome: Outcome | None = None
    tree: str = ""
    checked_commit: str = ""
    setup: tuple[Check, ...] = ()
    notes: tuple[Note, ...] = ()


class Failed(Event, frozen=True, kw_only=True):
    """The work failed; ``message`` says what to do about it.

    ``retryable`` says that it may pass by itself; ``retry_at`` is when a limit is lifted, where that is known.
    ``result`` is what was made although it falls short of what the repository demands.
    ``budget_microusd`` is the budget that the work has reached.
    """

    round: int
    attempt: int
    code: str
    message: str
    checks: tuple[Check, ...] = ()
    duration_ms: int = 0
    usage: tuple[ModelUsage, ...] = ()
    retryable: bool = False
    retry_at: datetime | None = None
    result: KeptResult | None = None
    evidence: Evidence | None = None
    setup: tuple[Check, ...] = ()
    notes: tuple[Note, ...] = ()
    budget_microusd: int = 0


class StopRequested(CausedEvent, frozen=True, kw_only=True):
    """The agent is to be stopped."""

    attempt: int
    reason: str = ""


class Stopped(CausedEvent, frozen=True, kw_only=True):
    """No process of the agent is left, or there was none. ``result`` was committed before, and is kept unverified."""

    round: int
    attempt: int
    killed: int = 0
    duration_ms: int = 0
    usage: tuple[ModelUsage, ...] = ()
    result: KeptResult | None = None


class SpendRecorded(Event, frozen=True, kw_only=True):
    """A place's agents spent more on one round than its reports had said: their work was overtaken or broken off."""

    round: int
    place: str
    usage: tuple[ModelUsage, ...] = ()


RunEvent = (
    Requested
    | Claimed
    | Started
    | Checkpointed
    | QuestionAsked
    | InputGiven
    | InputMissed
    | Resumed
    | Committed
    | Reopened
    | Succeeded
    | Failed
    | StopRequested
    | Stopped
    | SpendRecorded
)


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a run's events.

    ``checkpoint_attempt`` made the newest checkpoint; ``question_answered`` says that ``question_id`` has its answer;
    ``inputs_before`` is the number of the last input of the rounds before this one;
    ``cause`` is the newest version of the task that the run has acted on; ``accounts`` is the spend of each place.
    ``budget_microusd`` is what a retry has allowed the round to cost.
    ``committed`` is the committed result that waits for its verdict, or empty; ``repairs`` counts how often checks had
    the agent go on in this round, ``blamed`` are the last of them; ``start`` is the result that the round goes on from.
    ``ended_process`` made the result that was reopened: what comes now is another process's.
    """

    status: Status = Status.NEW
    round: int = 0
    attempt: int = 0
    claimed_round: int = 0
    worker: str = ""
    session: str = ""
    stopping: bool = False
    started: bool = False
    repo: str = ""
    base_commit: str = ""
    title: str = ""
    text: str = ""
    plan: ApprovedPlan | None = None
    turn: int = 0
    checkpoint: ArtifactRef | None = None
    checkpoint_commit: str = ""
    checkpoint_attempt: int = 0
    transcript: ArtifactRef | None = None
    process: str = ""
    offset: int = 0
    question_id: str = ""
    question_answered: bool = False
    inputs: int = 0
    inputs_before: int = 0
    commit: str = ""
    branch: str = ""
    cause: int = 0
    accounts: Accounts = {}
    committed: str = ""
    repairs: int = 0
    blamed: tuple[Check, ...] = ()
    ended_process: str = ""
    start: StartingPoint | None = None
    budget_microusd: int = 0
