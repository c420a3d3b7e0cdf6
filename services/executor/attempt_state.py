"""What the steps of an attempt hand to one another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from services.executor.verification.judge import Judged
from shared.claude.conversation.outcome import Outcome
from shared.contracts import run
from shared.contracts.evidence import Note
from shared.contracts.usage import ModelUsage
from shared.workspace.worktree import Worktree

Report = run.Succeed | run.Fail | run.RecordStopped
"""What ends an attempt."""


class Again(msgspec.Struct, frozen=True):
    """Take the steps from the first one on, with a new process that is told ``prompt``.

    ``resume`` says that the process goes on with the conversation of the one before it.
    """

    prompt: str
    resume: bool


Committed = run.RecordCommit | run.Committed
"""A committed result: as it is reported, or as it is found in the log."""


class AttemptState(msgspec.Struct, kw_only=True):
    """What the steps have found out so far; the next step reads it.

    ``found`` is the run as the attempt found it, ``plan`` the approved plan in Markdown. ``process`` is the directory
    of the newest process, ``ended`` how that ended; both are None where the attempt took over a committed result.
    ``heard`` is the number of the last input that an agent has heard, ``retold`` of the last that one was begun for.
    ``result`` stays None when nothing has changed; ``lost`` are the notes on changes that no result can hold.
    """

    found: run.Run
    worktree: Worktree
    plan: str
    process: Path | None = None
    prompt: str = ""
    resume: bool = False
    repairs: int = 0
    revivals: int = 0
    heard: int = 0
    retold: int = 0
    ended: Outcome | None = None
    result: Committed | None = None
    lost: tuple[Note, ...] = ()
    judged: Judged = Judged()

    @property
    def outcome(self) -> Outcome:
        """How the newest process ended, for the steps behind it."""
        assert self.ended is not None, "the agent has not been run yet"
        return self.ended

    @property
    def unreported(self) -> tuple[ModelUsage, ...]:
        """What the newest process has spent and nobody has been told yet."""
        return () if self.ended is None else self.ended.unreported

    @property
    def answered(self) -> int:
        """The number of the last input for which an agent was begun, or that one has heard."""
        return max(self.heard, self.retold, self.found.inputs_before)


AttemptStep = Callable[[AttemptState], Awaitable[Report | Again | None]]
"""One step: None goes on to the next step, `Again` to the first one, a report ends the attempt."""
