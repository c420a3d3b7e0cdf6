"""What triage's verdict makes of a task."""

from __future__ import annotations

from shared.contracts.decider import Rejected
from shared.contracts.task import (
    Answered,
    Approval,
    Declined,
    Directive,
    RecordTriage,
    Task,
    Triaged,
    Verdict,
)


def decide_triage(task: Task, report: RecordTriage) -> Triaged | Answered | Declined | None:
    """The fact a verdict makes, or None when it was told before.

    Raises `Rejected` ``attempt-stale``, and ``review-nothing`` where no pull request is named that could be reviewed.
    """
    if report.attempt != task.triage_attempt:
        raise Rejected(
            "attempt-stale",
            f"Triage {report.attempt} is over, {task.triage_attempt} is the current one: leave this one.",
        )
    if not task.triaging:
        return None
    match report.verdict:
        case Verdict.ANSWER:
            return Answered(
                attempt=report.attempt,
                answer=report.answer,
                decided_by=report.decided_by,
                usage=report.usage,
                session_id=task.session_id,
                place=report.place,
            )
        case Verdict.DECLINE:
            return Declined(
                attempt=report.attempt,
                reason=report.reason,
                decided_by=report.decided_by,
                usage=report.usage,
                place=report.place,
            )
        case Verdict.REVIEW if task.review is None:
            raise Rejected("review-nothing", "The task names no pull request that could be reviewed: plan it.")
        case Verdict.PLAN | Verdict.IMPLEMENT | Verdict.REVIEW:
            return Triaged(
                attempt=report.attempt,
                verdict=_verdict(task, report),
                decided_by=report.decided_by,
                reason=report.reason,
                title=report.title or task.title,
                work_kind=report.work_kind,
                risk=report.risk,
                # The repository a task came with stays: text that triage read must not lead it elsewhere.
                repo=task.repo or report.repo,
                base_commit=report.base_commit,
                usage=report.usage,
                place=report.place,
            )


def _verdict(task: Task, report: RecordTriage) -> Verdict:
    if task.review is not None:
        return Verdict.REVIEW
    skips = skips_planning(task.directive, stricter(task.approval, report.approval), report.verdict)
    return Verdict.IMPLEMENT if skips else Verdict.PLAN


def skips_planning(directive: Directive, approval: Approval, verdict: Verdict) -> bool:
    """What a person asked for in so many words goes before the verdict, unless a plan always waits.

    Where neither a person nor the policy waived the approval, a verdict alone must not: it may rest on untrusted text.
    """
    match directive:
        case _ if approval is Approval.ALWAYS:
            return False
        case Directive.IMPLEMENT:
            return True
        case Directive.PLAN:
            return False
        case Directive.AUTO:
            return verdict is Verdict.IMPLEMENT and approval is Approval.AUTO


def stricter(tasks: Approval, policys: Approval | None) -> Approval:
    """The task's own rule, or `ALWAYS` where that is the policy of now."""
    return Approval.ALWAYS if policys is Approval.ALWAYS else tasks
