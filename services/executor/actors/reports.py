"""What a run hears of the agent at work: from the newest attempt only, each thing once."""

from __future__ import annotations

from shared.contracts.decider import Rejected
from shared.contracts.run import (
    Ask,
    Checkpointed,
    Committed,
    Fail,
    Failed,
    QuestionAsked,
    RecordCheckpoint,
    RecordCommit,
    RecordResumed,
    RecordStarted,
    RecordStopped,
    Reopen,
    Reopened,
    Resumed,
    Run,
    RunEvent,
    Started,
    Status,
    Stopped,
    Succeed,
    Succeeded,
)

Report = RecordStarted | RecordCheckpoint | Ask | RecordResumed | RecordCommit | Reopen | Succeed | Fail | RecordStopped


def decide_report(run: Run, report: Report) -> RunEvent | None:
    """The fact a report makes, or None when it was told before.

    Raises `Rejected` ``attempt-stale`` (the attempt must end), ``run-stopping`` (it must end and report that),
    ``question-open`` or ``run-wrong-state``.
    """
    if report.attempt != run.attempt or not _is_claimed(run):
        raise Rejected(
            "attempt-stale",
            f"Attempt {report.attempt} at the work is over, {run.attempt} is the newest: end this one.",
        )
    match run.status:
        case Status.RUNNING | Status.WAITING_INPUT:
            return _decide_while_working(run, report)
        case _ if _told_how_it_ended(run, report):
            return None
        case _:
            raise Rejected(
                "run-wrong-state",
                f"Attempt {report.attempt} has ended, the run is {run.status}: nothing is left to report.",
            )


def _is_claimed(run: Run) -> bool:
    return run.claimed_round == run.round > 0


def _told_how_it_ended(run: Run, report: Report) -> bool:
    match report, run.status:
        case (Succeed(), Status.SUCCEEDED) | (Fail(), Status.FAILED) | (RecordStopped(), Status.STOPPED):
            return True
        case _:
            return False


def _decide_while_working(run: Run, report: Report) -> RunEvent | None:
    match report:
        case RecordStarted() if run.started:
            return None
        case RecordStarted():
            return Started(
                attempt=report.attempt,
                cli_version=report.cli_version,
                model=report.model,
                resumed=report.resumed,
            )
        case RecordCheckpoint() if _has_checkpoint(run, report):
            return None
        case RecordCheckpoint():
            return Checkpointed(
                attempt=report.attempt,
                turn=report.turn,
                commit=report.commit,
                bundle=report.bundle,
                transcript=report.transcript,
                process=report.process,
                offset=report.offset,
                usage=report.usage,
            )
        case Ask():
            return _asked(run, report)
        case RecordResumed():
            return _resumed(run, report)
        case RecordCommit() if report.commit == run.committed:
            return None
        case RecordCommit() | Reopen() | Succeed() if run.stopping:
            raise Rejected("run-stopping", "The run is being stopped: end the agent and report it stopped.")
        case RecordCommit():
            return Committed(
                round=run.round,
                attempt=report.attempt,
                commit=report.commit,
                tree=report.tree,
                parent=report.parent,
                bundle=report.bundle,
                diff=report.diff,
                files=report.files,
                summary=report.summary,
                turns=report.turns,
                heard=report.heard,
                notes=report.notes,
                usage=report.usage,
            )
        case Reopen():
            return Reopened(round=run.round, attempt=report.attempt, checks=report.checks) if run.committed else None
        case Succeed() | Fail() if report.heard is not None and report.heard < run.inputs:
            raise Rejected("run-unheard", "Somebody spoke after the agent's last turn: let the agent go on.")
        case Succeed():
            return Succeeded(
                round=run.round,
                attempt=report.attempt,
                summary=report.summary,
                commit=report.commit,
                branch=report.branch,
                bundle=report.bundle,
                files=report.files,
                checks=report.checks,
                turns=report.turns,
                duration_ms=report.duration_ms,
                usage=report.usage,
                diff=report.diff,
                evidence=report.evidence,
                outcome=report.outcome,
                tree=report.tree,
                checked_commit=report.checked_commit,
                setup=report.setup,
                notes=report.notes,
            )
        case Fail():
            return Failed(
                round=run.round,
                attempt=report.attempt,
                code=report.code,
                message=report.message,
                checks=report.checks,
                duration_ms=report.duration_ms,
                usage=report.usage,
                retryable=report.retryable,
                retry_at=report.retry_at,
                result=report.result,
                evidence=report.evidence,
                setup=report.setup,
                notes=report.notes,
                budget_microusd=report.budget_microusd,
            )
        case RecordStopped():
            return Stopped(
                round=run.round,
                attempt=report.attempt,
                killed=report.killed,
                duration_ms=report.duration_ms,
                usage=report.usage,
                result=report.result,
            )


def _asked(run: Run, report: Ask) -> QuestionAsked | None:
    if report.request_id == run.question_id:
        return None
    if run.stopping:
        raise Rejected("run-stopping", "The run is being stopped: end the agent and report it stopped.")
    if run.status is Status.WAITING_INPUT:
        raise Rejected("question-open", "The agent's last question is still open: ask the next one after its answer.")
    return QuestionAsked(
        attempt=report.attempt, request_id=report.request_id, question=report.question, options=report.options
    )


def _has_checkpoint(run: Run, report: RecordCheckpoint) -> bool:
    """Told before: an earlier turn of this attempt, or the same one with nothing new in it."""
    if report.attempt != run.checkpoint_attempt or report.turn > run.turn:
        return False
    return report.turn < run.turn or (
        (report.commit or run.checkpoint_commit) == run.checkpoint_commit
        and (report.transcript or run.transcript) == run.transcript
    )


def _resumed(run: Run, report: RecordResumed) -> Resumed | None:
    if run.status is not Status.WAITING_INPUT:
        return None
    # An attempt that takes over hears the answers of earlier ones again: they do not close a question that is open.
    return Resumed(attempt=report.attempt) if report.request_id in ("", run.question_id) else None
