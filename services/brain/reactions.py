"""What the brain does about the events of others and of its own tasks: the business process, line by line."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared.contracts import delivery, plan, reply, run, session, task
from shared.contracts.evidence import Evidence
from shared.contracts.ids import derived_task_id
from shared.contracts.messages import Command
from shared.event_store.envelope import RecordedEvent

FILTERS: Final = (
    "evt.delivery.*.accepted",
    "evt.session.*.said",
    "evt.task.*.submitted",
    "evt.task.*.triaged",
    "evt.task.*.answered",
    "evt.task.*.plan-ready",
    "evt.task.*.approved",
    "evt.task.*.followed-up",
    "evt.task.*.retried",
    "evt.task.*.resumed",
    "evt.plan.*.proposed",
    "evt.plan.*.failed",
    "evt.plan.*.stopped",
    "evt.run.*.claimed",
    "evt.run.*.question-asked",
    "evt.run.*.input-missed",
    "evt.run.*.resumed",
    "evt.run.*.succeeded",
    "evt.run.*.failed",
    "evt.run.*.stopped",
    "evt.reply.*.posted",
    "evt.reply.*.failed",
)


class ReactionPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator decided beforehand.

    ``approval``: whether work from trusted authors needs a person's; ``ALWAYS`` holds for everybody, and for tasks that
    were opened under another policy. ``approval_timeout_s``: how long a plan waits for
    one, in seconds; 0 is for ever. ``waits_s``: the pauses after passing failures in a row, in seconds.
    """

    approval: task.Approval = task.Approval.REQUIRED
    approval_timeout_s: float = 0
    waits_s: tuple[float, ...] = (30, 120, 600)

    @property
    def strict(self) -> task.Approval | None:
        """The policy where it goes before that of a task."""
        return self.approval if self.approval is task.Approval.ALWAYS else None

    def expires_at(self, ready: datetime) -> datetime | None:
        """Until when a plan that was ready at a moment waits for its approval."""
        return ready + timedelta(seconds=self.approval_timeout_s) if self.approval_timeout_s else None

    def retries_at(self, failed: datetime, lifted: datetime | None) -> tuple[datetime, ...]:
        """When to try again after the first, second … failure in a row; not before a limit is lifted."""
        moments = [failed + timedelta(seconds=wait) for wait in self.waits_s]
        return tuple(moment if lifted is None else max(moment, lifted) for moment in moments)


def reactions(policy: ReactionPolicy) -> Callable[[RecordedEvent], list[Command]]:
    """``react`` under a policy."""

    def react(event: RecordedEvent) -> list[Command]:
        """The commands that an event leads to."""
        match event.data:
            case delivery.Accepted():
                return _about_a_delivery(event, policy)
            case session.Said():
                return _about_a_message(event.actor.id, event.data)
            case _ if event.actor.kind == "task":
                return _about_a_task(event)
            case _:
                return _about_the_work(event, policy)

    return react


def _about_a_task(event: RecordedEvent) -> list[Command]:
    id = event.actor.id
    match event.data:
        case task.Submitted():
            return [task.RequestTriage(id=id)]
        case task.Triaged(verdict=task.Verdict.PLAN):
            return [task.RequestPlanning(id=id)]
        case task.Triaged() | task.Approved():
            return [task.RequestExecution(id=id)]
        case task.FollowedUp(stage=stage) | task.Retried(stage=stage) | task.Resumed(stage=stage):
            return [_request_of(stage, id)]
        case task.Answered(session_id=session_id, answer=answer) if session_id:
            return [session.RecordAnswer(id=session_id, task_id=id, text=answer)]
        case task.PlanReady(approval=task.Approval.AUTO, version=version, digest=digest, base_commit=commit):
            return [task.Approve(id=id, version=version, digest=digest, base_commit=commit)]
        case _:
            return []


def _request_of(stage: str, id: str) -> Command:
    match stage:
        case task.Stage.TRIAGE:
            return task.RequestTriage(id=id)
        case task.Stage.PLANNING:
            return task.RequestPlanning(id=id)
        case _:
            return task.RequestExecution(id=id)


def _about_the_work(event: RecordedEvent, policy: ReactionPolicy) -> list[Command]:
    id, cause = event.actor.id, event.sequence
    match event.data:
        case plan.Proposed(version=version, digest=digest, base_commit=commit, summary=summary):
            return [
                task.RecordPlanReady(
                    id=id,
                    version=version,
                    digest=digest,
                    base_commit=commit,
                    summary=summary,
                    expires_at=policy.expires_at(event.time),
                    approval=policy.strict,
                    cause=cause,
                )
            ]
        case plan.Failed():
            return [_failure(event, task.Stage.PLANNING, event.data, policy)]
        case plan.Stopped():
            return [task.RecordStopped(id=id, stage=task.Stage.PLANNING, cause=cause)]
        case run.QuestionAsked(attempt=attempt, question=question, options=options):
            return [task.RecordQuestion(id=id, attempt=attempt, question=question, options=options, cause=cause)]
        case run.Resumed(attempt=attempt):
            return [task.RecordWorkResumed(id=id, attempt=attempt, cause=cause)]
        case run.Claimed(attempt=attempt) if attempt > 1:
            # Another worker took over: a question of the attempt before is nobody's any more.
            return [task.RecordWorkResumed(id=id, attempt=attempt, cause=cause)]
        case run.Succeeded() as done:
            return [
                task.RecordRunSucceeded(
                    id=id,
                    attempt=done.attempt,
                    commit=done.commit,
                    branch=done.branch,
                    bundle=done.bundle,
                    summary=done.summary,
                    tree=done.tree,
                    evidence=done.evidence,
                    outcome=done.outcome,
                    cause=cause,
                )
            ]
        case run.Failed() as failed:
            failure = _failure(event, task.Stage.EXECUTING, failed, policy)
            kept = msgspec.structs.replace(failure, result=_kept(failed), budget_microusd=failed.budget_microusd)
            return [kept]
        case run.Stopped():
            return [task.RecordStopped(id=id, stage=task.Stage.EXECUTING, result=_kept(event.data), cause=cause)]
        case run.InputMissed(message=message):
            return [task.FollowUp(id=id, text=message, origin=f"missed/{cause}", recorded=True)]
        case reply.Posted() | reply.Failed():
            return _about_a_publication(event, event.data)
        case _:
            return []


def _about_a_publication(event: RecordedEvent, told: reply.Posted | reply.Failed) -> list[Command]:
    publication = reply.publication_of(told.effect)
    match told:
        case _ if publication is None:
            return []
        case reply.Posted():
            return [
                task.RecordPublished(
                    id=event.actor.id,
                    commit=told.commit,
                    branch=told.branch,
                    url=told.url,
                    attempt=publication.attempt,
                    publication=publication.number,
                    cause=event.sequence,
                )
            ]
        case reply.Failed():
            return [
                task.RecordFailure(
                    id=event.actor.id,
                    stage=task.Stage.PUBLISHING,
                    code=told.code,
                    message=told.message,
                    attempt=publication.attempt,
                    publication=publication.number,
                    cause=event.sequence,
                )
            ]


def _failure(
    event: RecordedEvent, stage: task.Stage, failed: plan.Failed | run.Failed, policy: ReactionPolicy
) -> task.RecordFailure:
    return task.RecordFailure(
        id=event.actor.id,
        stage=stage,
        code=failed.code,
        message=failed.message,
        retries_at=policy.retries_at(event.time, failed.retry_at) if failed.retryable else (),
        cause=event.sequence,
    )


def _kept(ended: run.Failed | run.Stopped) -> task.Result | None:
    """What a run made although it fell short, or was stopped before anybody could tell."""
    kept = ended.result
    if kept is None:
        return None
    evidence = Evidence.UNVERIFIED if isinstance(ended, run.Stopped) else ended.evidence or Evidence.FAILING
    return task.Result(
        commit=kept.commit,
        branch=kept.branch,
        bundle=kept.bundle,
        tree=kept.tree,
        evidence=evidence,
        summary=kept.summary,
        attempt=ended.attempt,
    )


def _about_a_message(session_id: str, said: session.Said) -> list[Command]:
    return [
        task.Submit(
            id=said.task_id,
            title=task.title_of(said.message),
            text=said.message,
            source=task.Source(kind="chat", reference=session_id, author=said.author),
            repo=said.repo,
            approval=said.approval,
            session_id=session_id,
        )
    ]


def _about_a_delivery(event: RecordedEvent, policy: ReactionPolicy) -> list[Command]:
    accepted: delivery.Accepted = event.data
    signal = accepted.signal
    match signal.kind:
        case delivery.SignalKind.WORK:
            return [_submission(accepted, policy)]
        case delivery.SignalKind.COMMENT if signal.trusted:
            # A sender that does not name its messages has each delivery taken for one.
            return _steering(accepted, policy, origin=signal.origin or event.actor.id)
        case _:
            return []


def _submission(accepted: delivery.Accepted, policy: ReactionPolicy, origin: str = "") -> task.Submit:
    """The task for the thing a delivery is about. A stranger may report work, but not waive its approval."""
    signal = accepted.signal
    return task.Submit(
        id=_task_of(signal),
        title=signal.title,
        text=signal.text,
        source=task.Source(kind=accepted.webhook, reference=signal.thread, url=signal.url, author=signal.author),
        repo=signal.repo,
        directive=_DIRECTIVES.get(signal.directive, task.Directive.AUTO) if signal.trusted else task.Directive.AUTO,
        approval=policy.approval if signal.trusted else policy.strict or task.Approval.REQUIRED,
        origin=origin,
    )


def _wish(signal: delivery.Signal, policy: ReactionPolicy, origin: str) -> task.FollowUp:
    """The further wish that a comment is, where its thing is a task already."""
    # A mention and its directive are two words.
    says_nothing = not signal.argument.strip() and len(signal.text.split()) <= 2
    return task.FollowUp(
        id=_task_of(signal),
        text="" if says_nothing else signal.text,
        author=signal.author,
        directive=_DIRECTIVES[signal.directive],
        origin=origin,
        recorded=True,
        approval=policy.strict,
    )


def _steering(accepted: delivery.Accepted, policy: ReactionPolicy, origin: str) -> list[Command]:
    signal = accepted.signal
    id, argument = _task_of(signal), signal.argument.strip()
    match signal.directive:
        case "plan" | "implement":
            # The first of them opens the task, or else the second one goes on with it.
            return [_submission(accepted, policy, origin), _wish(signal, policy, origin)]
        case "approve":
            return [_approval(id, argument)]
        case "reject" if argument:
            return [task.Revise(id=id, feedback=argument)]
        case "reject":
            return [task.Reject(id=id)]
        case "stop":
            return [task.Stop(id=id, reason=argument)]
        case "retry":
            return [task.Retry(id=id)]
        case _:
            return []


def _task_of(signal: delivery.Signal) -> str:
    return derived_task_id(signal.opened_at_ms, signal.thread)


def _approval(id: str, argument: str) -> task.Approve:
    """``v2 3fa94c11`` or ``3fa94c11``: without a version, whatever plan has that digest."""
    words = _VERSIONED.match(argument)
    version, digest = words.groups() if words else (None, "")
    return task.Approve(id=id, version=int(version or 0), digest=digest)


_VERSIONED: Final = re.compile(r"(?:v(\d{1,9})(?:\s+|$))?(\S*)")

_DIRECTIVES: Final = {"plan": task.Directive.PLAN, "implement": task.Directive.IMPLEMENT}
