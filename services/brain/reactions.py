"""What the brain does about the events of others and of its own tasks: the business process, line by line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from services.brain.actors.wishes import MISSED
from services.brain.conversation.reactions import about_a_conversation
from services.brain.messages import about_a_delivery
from services.brain.policy import ReactionPolicy
from shared.contracts import delivery, plan, reply, run, session, task
from shared.contracts.evidence import Evidence
from shared.contracts.messages import Command
from shared.event_store.envelope import RecordedEvent

FILTERS: Final = (
    "evt.delivery.*.accepted",
    "evt.delivery.*.authorised",
    "evt.delivery.*.replayed",
    "evt.session.*.said",
    "evt.session.*.asked",
    "evt.session.*.answered",
    "evt.session.*.failed",
    "evt.session.*.interrupted",
    "evt.session.*.confirmed",
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
    "evt.reply.*.shown",
    "evt.reply.*.failed",
)


def reactions(policy: ReactionPolicy) -> Callable[[RecordedEvent], list[Command]]:
    """``react`` under a policy."""

    def react(event: RecordedEvent) -> list[Command]:
        """The commands that an event leads to."""
        match event.data:
            case delivery.Accepted(asks_permission=True) | delivery.Replayed(asks_permission=True):
                return []
            case (
                delivery.Accepted(signal=signal) | delivery.Replayed(signal=signal) | delivery.Authorised(signal=signal)
            ):
                return about_a_delivery(event.actor.id, event.time, signal, policy)
            case _ if event.actor.kind == "session":
                return about_a_conversation(event)
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
        case task.Triaged(verdict=task.Verdict.REVIEW):
            return [task.RequestReview(id=id)]
        case task.Triaged() | task.Approved():
            return [task.RequestExecution(id=id)]
        case task.Retried(review=written) if written:
            return []
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
        case task.Stage.REVIEWING:
            return task.RequestReview(id=id)
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
                    due=policy.checks_settle_by(event.time),
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
            return [task.FollowUp(id=id, text=message, origin=f"{MISSED}{cause}", recorded=True)]
        case reply.Shown(effect=effect, url=url) if attempt := reply.reviewed_in(effect):
            return [task.RecordReviewShown(id=id, attempt=attempt, url=url, cause=cause)]
        case reply.Failed(effect=effect, code=code, message=message) if attempt := reply.reviewed_in(effect):
            return [
                task.RecordFailure(
                    id=id, stage=task.Stage.PUBLISHING, code=code, message=message, attempt=attempt, cause=cause
                )
            ]
        case reply.Posted() | reply.Failed():
            return _about_a_publication(event, event.data, policy)
        case _:
            return []


def _about_a_publication(
    event: RecordedEvent, told: reply.Posted | reply.Failed, policy: ReactionPolicy
) -> list[Command]:
    publication = reply.publication_of(told.effect)
    if (update := reply.update_of(told.effect)) is not None:
        return _about_an_update(event, told, update, policy)
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
                    pull_request=told.pull_request,
                    due=policy.checks_settle_by(event.time),
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


def _about_an_update(
    event: RecordedEvent, told: reply.Posted | reply.Failed, update: reply.Update, policy: ReactionPolicy
) -> list[Command]:
    id, at = event.actor.id, event.time
    match told:
        case reply.Posted(commit=commit, pull_request=number) if commit != update.head:
            due = policy.checks_settle_by(at)
            return [task.RecordHead(id=id, number=number, head=commit, base=update.base, at=at, due=due)]
        case reply.Failed(code=code, message=message):
            return [
                task.RecordBase(
                    id=id,
                    head=update.head,
                    base=update.base,
                    how=update.how,
                    code=code,
                    problem=message,
                    at=at,
                )
            ]
        case _:
            return []


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
