"""What was observed of a result, in one sentence. It stands beside what the agent claims."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.contracts.evidence import Check, CheckVerdict, Evidence, Outcome
from shared.contracts.sentences.words import one_line, verdicts

NOT_OBSERVED = "Not observed: nobody but the agent says so."

CLASSES: Final[dict[str, str]] = {
    Evidence.VERIFIED: "verified",
    Evidence.NO_NEW_FAILURES: "no new failures",
    Evidence.UNVERIFIED: "not verified",
    Evidence.FAILING: "failing",
}
"""What people read of a class of evidence."""

OUTCOMES: Final[dict[str, str]] = {
    Outcome.NOTHING_TO_CHANGE: "nothing to change",
    Outcome.ANSWERED: "answered",
    Outcome.REVIEWED: "reviewed",
}
"""What people read of an outcome; of a change they read how well it is proven."""


def class_of(evidence: str, outcome: str = "") -> str:
    """A word or two on what came of a task and how well that is proven; nothing while that is open."""
    return OUTCOMES.get(outcome) or CLASSES.get(evidence, evidence)


def observed(evidence: Evidence | None, checks: Sequence[Check], setup: Sequence[Check] = ()) -> str:
    """The class of evidence with what it rests on; for results of before there were classes, that there is none."""
    counts = ", ".join(verdicts(checks))
    match evidence:
        case None:
            return f"{counts[:1].upper()}{counts[1:]}." if counts else NOT_OBSERVED
        case Evidence.VERIFIED:
            return f"Verified: {counts}, in a clean checkout of the result."
        case Evidence.NO_NEW_FAILURES:
            return f"No new failures: {counts}, in the same way."
        case Evidence.FAILING:
            broken = [each for each in (*setup, *checks) if each.judged is CheckVerdict.FAILED]
            return f"Failing: the work breaks {_named(broken)}"
        case Evidence.UNVERIFIED if not checks:
            return 'Not verified: no checks were found. Name them in journeyman.toml, as in checks = ["make test"].'
        case Evidence.UNVERIFIED:
            # A passed one has a reason where the pass alone does not prove the result.
            unclear = [each for each in checks if each.judged is not CheckVerdict.PASSED or each.reason]
            return f"Not verified: {counts}." + (f" {_named(unclear)}" if unclear else "")


def _named(checks: Sequence[Check]) -> str:
    return f"{'; '.join(map(_with_reason, checks))}."


def _with_reason(check: Check) -> str:
    reason = one_line(check.reason).removesuffix(".")
    return one_line(check.command, 60) + (f" ({reason})" if reason else "")
