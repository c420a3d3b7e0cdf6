"""What our own executor observed of a result: the verdict of each check, and the class of evidence that they make.

What an agent says of its work is a claim, and none of this.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from shared.contracts.messages import ArtifactRef


class CheckVerdict(StrEnum):
    """What one check says of the work.

    ``failed-before`` is a check that fails at the base commit in the same way. ``could-not-run`` says nothing of the
    work: the tool is missing, the set-up failed, the check was killed or took too long, or a pipe hides its exit code.
    """

    PASSED = "passed"
    FAILED = "failed"
    FAILED_BEFORE = "failed-before"
    COULD_NOT_RUN = "could-not-run"


class Evidence(StrEnum):
    """How well a result is proven.

    ``verified``: every check passed. ``no-new-failures``: what fails failed before in the same way. ``unverified``:
    there are no checks, or they could not run, or they could not be compared. ``failing``: the work broke a check.
    """

    VERIFIED = "verified"
    NO_NEW_FAILURES = "no-new-failures"
    UNVERIFIED = "unverified"
    FAILING = "failing"


class Outcome(StrEnum):
    """What came of a task."""

    CHANGED = "changed"
    NOTHING_TO_CHANGE = "nothing-to-change"
    ANSWERED = "answered"
    REVIEWED = "reviewed"


class EvidencePolicy(StrEnum):
    """How well a result must be proven for its task to complete (``[repos.X] evidence``).

    ``no-new-failures`` completes unverified results too, visibly so; ``any`` completes failing ones.
    """

    VERIFIED = "verified"
    NO_NEW_FAILURES = "no-new-failures"
    ANY = "any"


_ENOUGH: Final = {
    EvidencePolicy.VERIFIED: frozenset({Evidence.VERIFIED}),
    EvidencePolicy.NO_NEW_FAILURES: frozenset({Evidence.VERIFIED, Evidence.NO_NEW_FAILURES, Evidence.UNVERIFIED}),
    EvidencePolicy.ANY: frozenset(Evidence),
}


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One command, a check or a step of the set-up, as the executor itself observed it.

    ``verdict`` is None in events of before there were verdicts: ask ``judged``. ``reason`` is a sentence: what makes a
    failure the same as before, which tests fail anew, or why the command could not run. ``output_head`` and
    ``output_tail`` are the ends of the output, ``failing_lines`` the lines of it that name what failed; the whole is
    ``output``, gzip-compressed, up to a bound that ``output_cut`` tells to be passed. Sizes are bytes of the output.
    ``doubted``: it passed, and for its ``reason`` that proves nothing.
    """

    command: str
    exit_code: int
    duration_ms: int
    output_tail: str = ""
    output_sha256: str = ""
    failed_before: bool = False
    verdict: CheckVerdict | None = None
    reason: str = ""
    new_failures: tuple[str, ...] = ()
    flaky: tuple[str, ...] = ()
    output_head: str = ""
    failing_lines: tuple[str, ...] = ()
    output: ArtifactRef | None = None
    output_size: int = 0
    output_cut: bool = False
    doubted: bool = False

    @property
    def judged(self) -> CheckVerdict:
        """The verdict; for an older event what its exit code and ``failed_before`` say."""
        if self.verdict is not None:
            return self.verdict
        if self.exit_code == 0:
            return CheckVerdict.PASSED
        return CheckVerdict.FAILED_BEFORE if self.failed_before else CheckVerdict.FAILED


class NoteKind(StrEnum):
    """What a note about a result is about."""

    HELD_BACK = "held-back"
    NOT_COMMITTED = "not-committed"
    LFS = "lfs"
    SUBMODULE = "submodule"
    SUBMODULE_EDITS = "submodule-edits"
    JUDGE_CHANGED = "judge-changed"
    SETUP_FAILED = "setup-failed"
    FLAKY = "flaky"
    FEWER_TESTS = "fewer-tests"
    EXIT_CODE_HIDDEN = "exit-code-hidden"


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Something about a result that a person should know; ``paths`` are the first of those that it is about."""

    kind: NoteKind
    sentence: str
    paths: tuple[str, ...] = ()


def evidence_of(checks: Sequence[Check], *, comparable: bool = True) -> Evidence:
    """The class of evidence that checks make; ``comparable`` False: a failure could not be compared with the base."""
    verdicts = {check.judged for check in checks}
    if CheckVerdict.FAILED in verdicts:
        return Evidence.FAILING
    if not verdicts or CheckVerdict.COULD_NOT_RUN in verdicts or not comparable:
        return Evidence.UNVERIFIED
    return Evidence.VERIFIED if verdicts == {CheckVerdict.PASSED} else Evidence.NO_NEW_FAILURES


def is_enough(evidence: Evidence, policy: EvidencePolicy) -> bool:
    """Whether a task completes with this evidence."""
    return evidence in _ENOUGH[policy]
