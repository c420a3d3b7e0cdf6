"""The row of a task: a fold of its own events and of those of its plan and its run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from services.projector.projection.facts import Fact, utc
from services.projector.projection.rows import TaskRow
from shared.contracts import plan, run, task
from shared.contracts.evidence import Outcome
from shared.contracts.pull_request import Merge
from shared.contracts.task import Status
from shared.contracts.usage import ModelUsage, cost_of, tokens_of

AGENTS: dict[str, str] = {
    task.Stage.TRIAGE: "brain",
    task.Stage.PLANNING: "planner",
    task.Stage.REVIEWING: "reviewer",
}
"""Whose turn it is in a stage; any other one is the executor's."""

UNMADE: dict[str, Any] = dict.fromkeys(("commit", "branch", "result_url"), "")
"""A task without a result."""

_STAGES: dict[str, str] = {
    Status.RECEIVED: task.Stage.TRIAGE,
    Status.PLANNING: task.Stage.PLANNING,
    Status.EXECUTING: task.Stage.EXECUTING,
    Status.WAITING_INPUT: task.Stage.EXECUTING,
    Status.REVIEWING: task.Stage.REVIEWING,
    Status.PUBLISHING: task.Stage.PUBLISHING,
    Status.IN_REVIEW: task.Stage.REVIEW,
}
"""What a task is stopped in, by its status."""

_WENT_WRONG = ("error_code", "error_message", "ended_in", "cancelled_how", "cancelled_by", "cancelled_reason")
"""What a task that goes on is told no longer."""


def fold(row: TaskRow | None, fact: Fact) -> TaskRow | None:
    """The row after one event of a task, a plan or a run; None for a task that was never submitted."""
    if isinstance(fact.data, task.Submitted):
        return submitted(fact, fact.data)
    if row is None:
        return None
    match fact.kind:
        case "task":
            changes = {**_of_task(row, fact), "version": fact.version}
        case "plan":
            changes = _of_plan(row, fact)
        case "run":
            changes = _of_run(row, fact)
        case _:
            changes = {}
    usage: Sequence[ModelUsage] = getattr(fact.data, "usage", ())
    if usage:
        spent = tuple(usage)
        changes["cost_microusd"] = row.cost_microusd + cost_of(spent)
        changes["tokens"] = row.tokens + tokens_of(spent)
    return replace(row, updated_seq=fact.seq, updated_at=fact.at, **changes)


def submitted(fact: Fact, data: task.Submitted) -> TaskRow:
    """The first row of a task."""
    return TaskRow(
        id=fact.actor_id,
        created_seq=fact.seq,
        created_at=fact.at,
        updated_seq=fact.seq,
        updated_at=fact.at,
        version=fact.version,
        status=Status.RECEIVED,
        title=data.title,
        text=task.whole_text(data.text, data.request, data.source.author),
        source_kind=data.source.kind,
        source_reference=data.source.reference,
        source_url=data.source.url,
        source_author=data.source.author,
        requester=requester(fact.principal, data.source),
        repo=data.repo,
        directive=data.directive,
        approval=data.approval,
        session_id=data.session_id,
        parent=data.parent,
        agent="brain",
    )


def requester(principal: str, source: task.Source) -> str:
    """Who is charged for a task: the person behind it, not the service that passed the wish on."""
    if source.author and (not principal or principal.startswith("service:")):
        return f"{source.kind}:{source.author}"
    return principal


def _of_task(row: TaskRow, fact: Fact) -> dict[str, Any]:
    match fact.data:
        case task.TriageRequested():
            return {"status": Status.RECEIVED, "agent": "brain"}
        case task.Triaged() as data:
            return {
                "status": Status.TRIAGED,
                "verdict": data.verdict,
                "decided_by": data.decided_by,
                "triage_reason": data.reason,
                "title": data.title or row.title,
                "work_kind": data.work_kind,
                "risk": data.risk,
                "repo": data.repo or row.repo,
                "base_commit": data.base_commit,
            }
        case task.Answered() as data:
            return {
                "status": Status.COMPLETED,
                "verdict": task.Verdict.ANSWER,
                "answer": data.answer,
                "decided_by": data.decided_by,
                "outcome": Outcome.ANSWERED,
            }
        case task.Declined() as data:
            return {
                "status": Status.DECLINED,
                "verdict": task.Verdict.DECLINE,
                "triage_reason": data.reason,
                "decided_by": data.decided_by,
            }
        case task.ReviewRequested():
            return {"status": Status.REVIEWING, "agent": "reviewer"}
        case task.ReviewWritten() as data:
            return {"status": Status.PUBLISHING, "summary": data.summary}
        case task.PlanningRequested() | task.RevisionRequested():
            return {"status": Status.PLANNING, "agent": "planner"}
        case task.PlanReady() as data:
            return {"status": Status.AWAITING_APPROVAL, "plan_version": data.version, "base_commit": data.base_commit}
        case task.Approved() as data:
            return {"approved_version": data.plan.version}
        case task.ExecutionRequested() as data:
            return {
                "status": Status.EXECUTING,
                "agent": "executor",
                "round": data.round,
                "base_commit": data.base_commit,
            }
        case task.QuestionAsked() as data:
            return {"status": Status.WAITING_INPUT, "question": data.question}
        case task.WorkResumed():
            return {"status": Status.EXECUTING, "question": ""}
        case task.RunSucceeded() as data:
            return {
                "status": Status.PUBLISHING,
                "commit": data.commit,
                "branch": data.branch,
                "summary": data.summary,
                "question": "",
                "evidence": data.evidence or "",
                # An older run may have left no bundle: nothing could be published of it again.
                "has_result": data.bundle is not None,
            }
        case task.PublicationRequested(result=result):
            return _going_on(Status.PUBLISHING) | {
                "commit": result.commit,
                "branch": result.branch,
                "summary": result.summary,
                "evidence": result.evidence,
            }
        case task.InReview() as data:
            return _going_on(Status.IN_REVIEW) | {
                "summary": data.summary or row.summary,
                "commit": data.commit,
                "branch": data.branch,
                "result_url": data.url,
                "pull_request": data.pull_request,
                "evidence": data.evidence or "",
                "outcome": data.outcome or "",
                "has_result": False,
                "attention": data.attention,
                # After a round that changed nothing its branch is still the one that was brought up to date.
                "caught_up_with": row.caught_up_with if data.unchanged or data.by or data.origin else "",
            }
        case task.HeadSeen(moved=moved, base=base):
            return ({"attention": ""} if moved else {}) | ({"caught_up_with": base} if base else {})
        case task.Edited(part="", counts=True) as data:
            return {"title": data.title or row.title}
        case task.PersonNeeded() as data:
            return {"attention": data.reason}
        case task.AutomaticSet() | task.ChecksPassed() | task.GoingOn():
            return {"attention": ""}
        case task.Reverted() as data:
            return {"reverted_by": data.by or "somebody"}
        case task.StopRequested() as data:
            return {"stopping": True} | _cancelled("stopped", fact, data.reason)
        case task.Completed() as data:
            return (
                _ended(Status.COMPLETED)
                | _merged(data.merge)
                # A round that changed nothing leaves what an earlier one has published.
                | ({"commit": data.commit, "branch": data.branch, "result_url": data.url} if data.commit else {})
                | ({"result_url": data.url} if data.outcome is Outcome.REVIEWED else {})
                | {
                    "summary": data.summary or row.summary,
                    "evidence": data.evidence or "",
                    "outcome": data.outcome or (Outcome.CHANGED if data.commit else Outcome.NOTHING_TO_CHANGE),
                    "has_result": False,
                }
            )
        case task.Failed(result=kept) as data:
            why = {"error_code": data.code, "error_message": data.message, "ended_in": data.stage}
            return _ended(Status.FAILED) | why | _keeping(kept)
        case task.Rejected() as data:
            return _ended(Status.CANCELLED) | _cancelled("rejected", fact, data.reason)
        case task.ApprovalExpired():
            return _ended(Status.CANCELLED) | _cancelled("expired", fact)
        case task.Cancelled() as data:
            # After a stop that an agent had to hear first, the words are those of the stop.
            why = {} if row.stopping else _cancelled("stopped", fact, data.reason)
            # A pull request that is closed leaves nothing that could be followed again.
            ended_in = "" if row.status == Status.IN_REVIEW and data.pull_request else _STAGES.get(row.status, "")
            return _ended(Status.CANCELLED) | {"ended_in": ended_in} | why | _keeping(data.result)
        case task.Paused() as data:
            why = {"error_code": data.code, "error_message": data.message}
            return _ended(Status.PAUSED) | why | {"paused_until": utc(data.until)}
        case task.Retried() as data:
            on_the_way = {"status": Status.PUBLISHING} if data.review else {}
            return _again(data.stage) | UNMADE | ({} if data.from_result else {"has_result": False}) | on_the_way
        case task.Resumed() as data:
            return _again(data.stage) | UNMADE
        case task.FollowedUp() as data:
            # What was published before stays visible until the next round's result takes its place.
            made = {} if row.status in (Status.COMPLETED, Status.IN_REVIEW) else UNMADE
            about = {"directive": data.directive, "verdict": data.verdict or "", "base_commit": data.base_commit}
            merged = {"merge_commit": "", "merged_by": "", "reverted_by": ""}
            return _again(data.stage) | made | about | merged | {"approved_version": 0, "has_result": False}
        case _:
            return {}


def _merged(merge: Merge | None) -> dict[str, Any]:
    """By whose hand its result is where it was to go: also that of a task which had failed or was stopped."""
    if merge is None:
        return {}
    return dict.fromkeys(_WENT_WRONG, "") | {"merge_commit": merge.commit, "merged_by": merge.by}


def _keeping(kept: task.Result | None) -> dict[str, Any]:
    """With a result that is there although the work did not end well."""
    return {"has_result": True, "evidence": kept.evidence, "summary": kept.summary} if kept else {}


def _again(stage: str) -> dict[str, Any]:
    """On the way to that stage."""
    status = Status.RECEIVED if stage == task.Stage.TRIAGE else Status.TRIAGED
    return _going_on(status) | {"evidence": "", "outcome": "", "agent": AGENTS.get(stage, "executor")}


def _going_on(status: Status) -> dict[str, Any]:
    return _ended(status) | dict.fromkeys(_WENT_WRONG, "")


def _ended(status: Status) -> dict[str, Any]:
    ended = {"status": status, "stopping": False, "question": "", "working_since": None, "paused_until": None}
    return ended | {"attention": ""}


def _cancelled(how: str, fact: Fact, reason: str = "") -> dict[str, Any]:
    return {"cancelled_how": how, "cancelled_by": fact.principal, "cancelled_reason": reason}


def _of_plan(row: TaskRow, fact: Fact) -> dict[str, Any]:
    match fact.data:
        case plan.DraftingStarted():
            return {"plan_status": plan.Status.DRAFTING}
        case plan.Claimed() as data:
            return {"plan_status": plan.Status.DRAFTING, "worker": data.worker, "working_since": fact.at}
        case plan.Proposed():
            return {"plan_status": plan.Status.PROPOSED, "working_since": None}
        case plan.Failed():
            return {"plan_status": plan.Status.FAILED, "working_since": None}
        case plan.Stopped():
            return {"plan_status": plan.Status.STOPPED, "working_since": None}
        case _:
            return {}


def _of_run(row: TaskRow, fact: Fact) -> dict[str, Any]:
    match fact.data:
        case run.Requested():
            return {"run_status": run.Status.QUEUED}
        case run.Claimed() as data:
            return {
                "run_status": run.Status.RUNNING,
                "attempt": data.attempt,
                "worker": data.worker,
                "working_since": fact.at,
                "question": "",
            }
        case run.QuestionAsked():
            return {"run_status": run.Status.WAITING_INPUT}
        case run.Resumed():
            return {"run_status": run.Status.RUNNING}
        case run.Succeeded():
            return {"run_status": run.Status.SUCCEEDED, "working_since": None}
        case run.Failed():
            return {"run_status": run.Status.FAILED, "working_since": None}
        case run.Stopped():
            return {"run_status": run.Status.STOPPED, "working_since": None}
        case _:
            return {}
