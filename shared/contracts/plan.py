"""The plan: what the planner proposes to do for one task. It shares the task's id."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from shared.contracts.messages import CausedCommand, CausedEvent, Command, Event
from shared.contracts.usage import Accounts, ModelUsage


class Status(StrEnum):
    """A plan's state; a proposed plan may be drafted anew, which makes the next version."""

    NEW = "new"
    DRAFTING = "drafting"
    PROPOSED = "proposed"
    FAILED = "failed"
    STOPPED = "stopped"


class Draft(CausedCommand, frozen=True, kw_only=True):
    """Write a plan. ``feedback`` is what a person said about the version before."""

    repo: str
    base_commit: str
    title: str
    text: str
    feedback: str = ""


class Revise(CausedCommand, frozen=True, kw_only=True):
    """Write the next version for the same task."""

    feedback: str


class Claim(Command, frozen=True, kw_only=True):
    """Take the drafting over: every later report of an older attempt is refused."""

    draft: int
    worker: str
    session: str


class Propose(Command, frozen=True, kw_only=True):
    """Report the plan."""

    attempt: int
    markdown: str
    summary: str
    usage: tuple[ModelUsage, ...] = ()
    duration_ms: int = 0


class Fail(Command, frozen=True, kw_only=True):
    """Report that no plan came out.

    ``retryable`` says that it may pass by itself; ``retry_at`` is when a limit is lifted, where that is known.
    """

    attempt: int
    code: str
    message: str
    usage: tuple[ModelUsage, ...] = ()
    retryable: bool = False
    retry_at: datetime | None = None


class Stop(CausedCommand, frozen=True, kw_only=True):
    """Stop the drafting."""


class RecordStopped(Command, frozen=True, kw_only=True):
    """Report that the planning agent is gone."""

    attempt: int
    usage: tuple[ModelUsage, ...] = ()


class RecordSpend(Command, frozen=True, kw_only=True):
    """Report the whole spend of a place's agents on one draft; what is known of it adds nothing."""

    draft: int
    place: str
    usage: tuple[ModelUsage, ...] = ()


PlanCommand = Draft | Revise | Claim | Propose | Fail | Stop | RecordStopped | RecordSpend


class DraftingStarted(CausedEvent, frozen=True, kw_only=True):
    """A plan is to be written. ``draft`` counts the drafts of this task, 1, 2, 3 …"""

    draft: int
    repo: str
    base_commit: str
    title: str
    text: str
    feedback: str = ""
    previous: str = ""


class Claimed(Event, frozen=True, kw_only=True):
    """A worker took the drafting. ``attempt`` counts claims over the plan's whole life."""

    draft: int
    attempt: int
    worker: str
    session: str


class Proposed(Event, frozen=True, kw_only=True):
    """A version of the plan; ``digest`` is the SHA-256 of ``markdown``."""

    version: int
    digest: str
    base_commit: str
    markdown: str
    summary: str
    attempt: int
    usage: tuple[ModelUsage, ...] = ()
    duration_ms: int = 0


class Failed(Event, frozen=True, kw_only=True):
    """No plan came out.

    ``retryable`` says that it may pass by itself; ``retry_at`` is when a limit is lifted, where that is known.
    """

    attempt: int
    code: str
    message: str
    usage: tuple[ModelUsage, ...] = ()
    retryable: bool = False
    retry_at: datetime | None = None


class StopRequested(CausedEvent, frozen=True, kw_only=True):
    """The planning agent is to be stopped."""

    attempt: int


class Stopped(CausedEvent, frozen=True, kw_only=True):
    """The planning agent is gone, or there was none."""

    attempt: int
    usage: tuple[ModelUsage, ...] = ()


class SpendRecorded(Event, frozen=True, kw_only=True):
    """A place's agents spent more on one draft than its reports had said: their work was overtaken or broken off."""

    draft: int
    place: str
    usage: tuple[ModelUsage, ...] = ()


PlanEvent = DraftingStarted | Claimed | Proposed | Failed | StopRequested | Stopped | SpendRecorded


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a plan's events.

    ``cause`` is the newest version of the task that it has acted on; ``accounts`` is the spend of each place.
    """

    status: Status = Status.NEW
    draft: int = 0
    attempt: int = 0
    claimed_draft: int = 0
    worker: str = ""
    session: str = ""
    stopping: bool = False
    repo: str = ""
    base_commit: str = ""
    title: str = ""
    text: str = ""
    feedback: str = ""
    version: int = 0
    digest: str = ""
    markdown: str = ""
    cause: int = 0
    accounts: Accounts = {}
