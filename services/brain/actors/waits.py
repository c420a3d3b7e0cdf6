"""What a task waits for until a moment: the end of a passing failure, and the approval of its plan."""

from __future__ import annotations

from services.brain.actors.stages import next_stage
from shared.contracts.task import (
    ApprovalExpired,
    Cancelled,
    ExpireApproval,
    Failed,
    HeedClosing,
    Paused,
    RecordFailure,
    Resume,
    Resumed,
    Status,
    Task,
)


def decide_failure(task: Task, report: RecordFailure) -> Failed | Paused:
    """The end of the task, or a pause where another try is left."""
    if task.tries < len(report.retries_at):
        return Paused(
            stage=report.stage,
            code=report.code,
            message=report.message,
            until=report.retries_at[task.tries],
            tries=task.tries + 1,
            usage=report.usage,
            place=report.place,
            cause=report.cause,
        )
    return Failed(
        stage=report.stage,
        code=report.code,
        message=report.message,
        usage=report.usage,
        place=report.place,
        cause=report.cause,
        result=report.result,
        budget_microusd=report.budget_microusd,
    )


def decide_timer(
    task: Task, command: Resume | ExpireApproval | HeedClosing
) -> Resumed | ApprovalExpired | Cancelled | None:
    """What a timer makes, or None where the task does not wait for that very moment: it was late, doubled or forged."""
    match command:
        case Resume() if task.status is Status.PAUSED and command.at == task.paused_until:
            return Resumed(stage=next_stage(task))
        case HeedClosing() if task.status is Status.IN_REVIEW and command.at == task.closing_until:
            return Cancelled(reason=task.stop_reason, closed=True)
        case ExpireApproval() if _is_awaited(task, command):
            return ApprovalExpired(version=command.version)
        case _:
            return None


def _is_awaited(task: Task, command: ExpireApproval) -> bool:
    return (
        task.status is Status.AWAITING_APPROVAL
        and task.approved is None
        and (command.version, command.at) == (task.plan_version, task.expires_at)
    )
