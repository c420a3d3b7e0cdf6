"""The report of a judged result: good enough for what the repository demands, or kept although it falls short."""

from __future__ import annotations

from services.executor.attempt_state import AttemptState
from services.executor.verification.judge import Judged
from shared.contracts import run
from shared.contracts.evidence import Evidence, EvidencePolicy, Outcome, is_enough


def concluded(
    attempt: int, kept: run.KeptResult, state: AttemptState, policy: EvidencePolicy, duration_ms: int
) -> run.Succeed | run.Fail:
    """The end of an attempt that made ``kept``."""
    assert state.result is not None, "a kept result was committed"
    judged, notes = state.judged, (*state.result.notes, *state.judged.notes)
    if is_enough(judged.evidence, policy):
        return run.Succeed(
            attempt=attempt,
            summary=kept.summary,
            commit=kept.commit,
            branch=kept.branch,
            bundle=kept.bundle,
            files=kept.files,
            checks=judged.checks,
            turns=kept.turns,
            duration_ms=duration_ms,
            usage=state.unreported,
            diff=kept.diff,
            evidence=judged.evidence,
            outcome=Outcome.CHANGED,
            tree=kept.tree,
            checked_commit=kept.checked_commit,
            setup=judged.setup,
            notes=notes,
            heard=state.answered,
        )
    code, message = _why_not_enough(judged)
    return run.Fail(
        attempt=attempt,
        code=code,
        message=message,
        checks=judged.checks,
        duration_ms=duration_ms,
        usage=state.unreported,
        result=kept,
        evidence=judged.evidence,
        setup=judged.setup,
        notes=notes,
        heard=state.answered,
    )


def kept_of(done: run.Succeed) -> run.KeptResult | None:
    """What a report of success has made, for a task that is stopped all the same."""
    if not done.commit or done.bundle is None:
        return None
    return run.KeptResult(
        commit=done.commit,
        branch=done.branch,
        bundle=done.bundle,
        tree=done.tree,
        checked_commit=done.checked_commit,
        summary=done.summary,
        files=done.files,
        diff=done.diff,
        turns=done.turns,
    )


def _why_not_enough(judged: Judged) -> tuple[str, str]:
    """A stable code, and a sentence that says what may be done."""
    mend = "Publish the result as it is, retry from it, or retry afresh."
    if judged.evidence is Evidence.FAILING:
        names = ", ".join(check.command for check in judged.blamed)
        return "checks-failed", f"The repository's checks fail after the agent's work ({names}): {mend}"
    return "not-verified", f"The repository demands a verified result, and this one is {judged.evidence}: {mend}"
