"""The report of a judged result: good enough for what the repository demands, or kept although it falls short."""

from __future__ import annotations

from typing import Final

import msgspec

from services.executor.attempt_state import AttemptState, Committed
from services.executor.verification.judge import Judged
from shared.contracts import run
from shared.contracts.evidence import Evidence, EvidencePolicy, Outcome, is_enough
from shared.contracts.subjects import Actor
from shared.event_store.journal import Journal

_MEND: Final = "Publish the result as it is, retry from it, or retry afresh."


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


async def recorded_result(journal: Journal, actor: Actor, commit: str) -> run.Committed:
    """The committed result that is in the log, made by whichever attempt."""
    for event in reversed(await journal.load(actor)):
        match event.data:
            case run.Committed() as committed if committed.commit == commit:
                return committed
    raise AssertionError(f"the log holds no result {commit}")


def broken_off(failed: run.Fail, result: Committed, branch: str) -> run.Fail:
    """The failure of work that broke off around a committed result: it is kept, with its own commit and bundle, and
    nothing is known of it.
    """
    kept = run.KeptResult(
        commit=result.commit,
        branch=branch,
        bundle=result.bundle,
        tree=result.tree,
        checked_commit=result.commit,
        summary=result.summary,
        files=result.files,
        diff=result.diff,
        turns=result.turns,
    )
    return msgspec.structs.replace(
        failed,
        message=f"{failed.message} The agent's work is done and kept, but was not checked to the end. {_MEND}",
        result=kept,
        evidence=Evidence.UNVERIFIED,
        notes=result.notes,
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
    if judged.evidence is Evidence.FAILING:
        names = ", ".join(check.command for check in judged.blamed)
        return "checks-failed", f"The repository's checks fail after the agent's work ({names}). {_MEND}"
    why = (
        "nothing proves this one" if judged.evidence is Evidence.UNVERIFIED else "a check of this one fails, as before"
    )
    return "not-verified", f"The repository demands a verified result, and {why}. {_MEND}"
