"""What the gateway does about a task's events: what is published, and what the people who wait for it are shown."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

import msgspec

from shared.contracts import delivery, reply, run, task
from shared.contracts.delivery import Signal, SignalKind, Word
from shared.contracts.evidence import Outcome
from shared.contracts.messages import Command
from shared.contracts.pull_request import PullFacts
from shared.contracts.reply import COMMENT, STATE, EffectKind, Mark, Progress, effect_at, kind_of_effect
from shared.contracts.review import ReviewTarget
from shared.contracts.task_of import task_of
from shared.event_store.envelope import RecordedEvent
from shared.ops.visible import is_blank

PUBLISHING: Final = (
    "evt.task.*.run-succeeded",
    "evt.task.*.publication-requested",
    "evt.task.*.catch-up-requested",
    "evt.task.*.cancelled",
    "evt.task.*.completed",
)
SHOWING: Final = (
    "evt.delivery.*.accepted",
    "evt.delivery.*.authorised",
    "evt.delivery.*.replayed",
    "evt.delivery.*.refused",
    "evt.task.*.submitted",
    "evt.task.*.answered",
    "evt.task.*.declined",
    "evt.task.*.review-requested",
    "evt.task.*.review-written",
    "evt.task.*.planning-requested",
    "evt.task.*.plan-ready",
    "evt.task.*.approved",
    "evt.task.*.rejected",
    "evt.task.*.revision-requested",
    "evt.task.*.approval-expired",
    "evt.task.*.execution-requested",
    "evt.task.*.question-asked",
    "evt.task.*.work-resumed",
    "evt.task.*.stop-requested",
    "evt.task.*.in-review",
    "evt.task.*.head-seen",
    "evt.task.*.automatic-set",
    "evt.task.*.person-needed",
    "evt.task.*.checks-passed",
    "evt.task.*.reverted",
    "evt.task.*.retried",
    "evt.task.*.failed",
    "evt.task.*.paused",
    "evt.task.*.edited",
    "evt.task.*.going-on",
    "evt.task.*.action-refused",
    "evt.task.*.follow-up-refused",
    "evt.reply.*.posted",
    "evt.reply.*.concluded",
)
"""What is shown to people elsewhere begins with these; `PUBLISHING` goes on the same way."""

WORKED: Final = ("evt.run.*.succeeded", "evt.run.*.failed", "evt.run.*.stopped")
"""Further ones, for senders whose things have a work log."""

_QUESTIONS: Final = frozenset({Word.STATUS, Word.HELP})

React = Callable[[RecordedEvent], list[Command]]
Shows = Callable[[str, EffectKind | None, str], bool]
"""Whether a sender can show an effect of this kind with this text."""


def as_github(_sender: str, kind: EffectKind | None, _text: str) -> bool:
    """What GitHub shows: its issues have no status and no work log, and find their pull requests themselves."""
    return kind not in (EffectKind.STATE, EffectKind.LINK, EffectKind.WORK_LOG)


def filters(senders: Collection[str]) -> tuple[str, ...]:
    """The events to react to where the people of these senders can be shown something."""
    if not senders:
        return PUBLISHING
    return (*PUBLISHING, *SHOWING) if set(senders) == {"github"} else (*PUBLISHING, *SHOWING, *WORKED)


def reactions(senders: Collection[str] = (), shows: Shows = as_github) -> React:
    """``react`` where the people of these senders can be shown something: we have credentials there."""

    def react(event: RecordedEvent) -> list[Command]:
        """The commands for the task's reply."""
        wanted = _displays(event, senders) if senders else []
        return [*_publications(event), *(each for one in wanted for each in _where_shown(one, senders, shows))]

    return react


def _where_shown(command: Command, senders: Collection[str], shows: Shows) -> list[Command]:
    """What is wanted, for the senders that can show it. The task's own place is known to its reply alone."""
    if not isinstance(command, reply.Want):
        return [command]
    kind = kind_of_effect(command.effect)
    able = tuple(sorted(each for each in senders if shows(each, kind, command.text)))
    if len(able) == len(senders):
        return [command]
    return [msgspec.structs.replace(command, only=able)] if able else []


def _publications(event: RecordedEvent) -> list[Command]:
    id, cause = event.actor.id, event.sequence
    match event.data:
        case task.RunSucceeded() as done:
            return [
                reply.Request(
                    id=id,
                    effect=reply.branch_effect(done.attempt),
                    repo=done.repo,
                    base_commit=done.base_commit,
                    commit=done.commit,
                    branch=done.branch,
                    bundle=done.bundle,
                    tree=done.tree,
                    cause=cause,
                )
            ]
        case task.PublicationRequested(result=result) as again:
            return [
                reply.Request(
                    id=id,
                    effect=reply.branch_effect(again.attempt, again.publication),
                    repo=again.repo,
                    base_commit=again.base_commit,
                    commit=result.commit,
                    branch=result.branch,
                    bundle=result.bundle,
                    tree=result.tree,
                    cause=cause,
                )
            ]
        case task.CatchUpRequested() as behind:
            return [
                reply.Request(
                    id=id,
                    effect=reply.update_effect(behind.how, behind.head, behind.base),
                    repo=behind.repo,
                    base_commit=behind.base,
                    commit=behind.head,
                    branch=behind.branch,
                    cause=cause,
                )
            ]
        case task.Cancelled() | task.Completed():
            return [reply.Withdraw(id=id, cause=cause)]
        case _:
            return []


def _displays(event: RecordedEvent, senders: Collection[str]) -> list[Command]:
    match event.data:
        case delivery.Accepted(asks_permission=True) | delivery.Replayed(asks_permission=True):
            return []
        case delivery.Accepted(signal=signal) | delivery.Replayed(signal=signal) | delivery.Authorised(signal=signal):
            return _heard(signal, event.time) if _is_there(signal.thread, signal.author, senders) else []
        case delivery.Refused(signal=Signal() as signal, reason=reason):
            there = _is_there(signal.thread, signal.author, senders)
            return _refused_at(signal, reason, event.time) if there else []
        case reply.Posted(pull_request=number, commit=commit) if number:
            return [
                reply.Want(
                    id=event.actor.id,
                    effect=f"{EffectKind.CHECK}/{commit}",
                    thread=f"commit:{commit}",
                    target=commit,
                    text=event.data.effect,
                    revision=event.sequence,
                    at=event.time,
                )
            ]
        case reply.Concluded(effects=effects, text=mark, revision=revision):
            id, at = event.actor.id, event.time
            return [reply.Want(id=id, effect=each, text=mark, revision=revision, at=at) for each in effects]
        case task.Submitted(review=ReviewTarget()):
            # A review is what is shown of it, and a comment only where it does not get that far.
            return []
        case task.Submitted(source=source) as submitted if _is_there(source.reference, source.author, senders):
            return [_comment(event, thread=source.reference, repo=submitted.repo, url=source.url)]
        case task.ActionRefused(origin=origin, reason=reason) | task.FollowUpRefused(origin=origin, reason=reason):
            author = event.data.author if isinstance(event.data, task.FollowUpRefused) else ""
            return _refused_by_the_task(event, origin, author, reason)
        case run.Succeeded(attempt=attempt, duration_ms=ms) | run.Failed(attempt=attempt, duration_ms=ms):
            return _worked(event, attempt, ms)
        case run.Stopped(attempt=attempt, duration_ms=ms):
            return _worked(event, attempt, ms)
        case _ if event.kind == "task":
            return _of_the_task(event)
        case _:
            return []


def _heard(signal: Signal, at: datetime) -> list[Command]:
    """Who is heard sees it at once; what is answered needs no mark beside."""
    id = reply_of(signal)
    match signal:
        case Signal(waits=True):
            return []
        case Signal(kind=SignalKind.WORK) | Signal(kind=SignalKind.EDITED, mentioned=True):
            return [_mark(id, signal, Mark.AT_WORK, at)]
        case Signal(kind=SignalKind.COMMENT, directive=word) if word in _QUESTIONS:
            return [
                reply.Want(
                    id=id,
                    effect=effect_at(EffectKind.ANSWER, signal.origin),
                    thread=signal.thread,
                    repo=signal.repo,
                    target=signal.origin,
                    text=f"{word} {signal.argument}".strip(),
                    author=signal.author,
                    url=signal.url,
                    at=at,
                )
            ]
        case Signal(kind=SignalKind.COMMENT):
            return [_mark(id, signal, Mark.AT_WORK, at)]
        case Signal(kind=SignalKind.REVIEW, pull=PullFacts(verdict=verdict), text=text, origin=origin) if origin:
            asks = not is_blank(text) and (verdict != "approved" or signal.mentioned)
            return [_mark(id, signal, Mark.AT_WORK, at)] if asks else []
        case _:
            return []


def _refused_at(signal: Signal, reason: str, at: datetime) -> list[Command]:
    id = reply_of(signal)
    if signal.kind is SignalKind.REVIEW and not signal.mentioned:
        # Whoever has a word in passing did not ask us: each line of a review would be answered.
        return [_mark(id, signal, Mark.REFUSED, at, revision=2)] if signal.origin else []
    if signal.kind is SignalKind.WORK and not (signal.mentioned or signal.directive in _QUESTIONS):
        # Whoever opens an issue without a word to us has asked its maintainers.
        return []
    return [
        # Newer than the mark that says we are at work.
        _mark(id, signal, Mark.REFUSED, at, revision=2),
        reply.Want(
            id=id,
            effect=effect_at(EffectKind.REFUSAL, signal.origin),
            thread=signal.thread,
            repo=signal.repo,
            target=signal.origin,
            text=reason,
            author=signal.author,
            url=signal.url,
            at=at,
        ),
    ]


def _refused_by_the_task(event: RecordedEvent, origin: str, author: str, reason: str) -> list[Command]:
    id, at = event.actor.id, event.time
    refusal = reply.Want(
        id=id, effect=effect_at(EffectKind.REFUSAL, origin), target=origin, text=reason, author=author, at=at
    )
    # What no message asked for has nothing to be marked.
    return [_decided(event, origin, Mark.REFUSED), refusal] if origin else [refusal]


def _of_the_task(event: RecordedEvent) -> list[Command]:
    match event.data:
        case task.Edited(counts=True):
            return []
        case task.GoingOn(origin=origin) | task.StopRequested(origin=origin) | task.Approved(origin=origin):
            heard = _heard_decision(event, origin)
            # The work on an approved plan is asked for next, and shown then.
            return [*heard, _comment(event)] if isinstance(event.data, task.StopRequested) else heard
        case task.AutomaticSet(origin=origin):
            return [*_heard_decision(event, origin), _comment(event)]
        case task.InReview(origin=origin, attention=attention):
            shown = [_comment(event), _state(event, Progress.REVIEW), _link(event, event.data)]
            # What was asked for is not done where a person is needed for it.
            concluded = [] if attention else [_concluded(event, Mark.DONE)]
            return [*_heard_decision(event, origin), *shown, *concluded]
        case task.Completed(merge=merge, branch=branch) if merge is not None or branch:
            progress = Progress.DONE if merge is not None else Progress.REVIEW
            return [_comment(event), _state(event, progress), _concluded(event, Mark.DONE)]
        case task.ReviewWritten() as written:
            return [_review(event, written), _comment(event, anew=True)]
        case task.ReviewRequested():
            return [_comment(event, anew=True)]
        case task.Completed(outcome=Outcome.REVIEWED):
            return [_comment(event, anew=True), _concluded(event, Mark.DONE)]
        case task.Completed() | task.Answered():
            return [_comment(event), _concluded(event, Mark.DONE)]
        case task.Rejected(origin=origin) | task.Cancelled(origin=origin):
            return [*_heard_decision(event, origin), _comment(event), _concluded(event, Mark.NOT_DONE)]
        case task.Failed() | task.Declined() | task.ApprovalExpired():
            return [_comment(event), _concluded(event, Mark.NOT_DONE)]
        case task.Retried(review=written) if written:
            # Its place is known from the first try.
            effect = reply.review_effect(written)
            once_more = reply.Want(id=event.actor.id, effect=effect, revision=event.sequence, at=event.time)
            return [_concluded(event, Mark.AT_WORK), once_more, _comment(event, anew=True)]
        case task.Retried():
            # What was not done is worked on again.
            return [_concluded(event, Mark.AT_WORK)]
        case task.PlanningRequested() | task.ExecutionRequested():
            return [_comment(event), _state(event, Progress.WORKING)]
        case (
            task.PlanReady()
            | task.RevisionRequested()
            | task.QuestionAsked()
            | task.WorkResumed()
            | task.RunSucceeded()
            | task.PublicationRequested()
            | task.Paused()
            | task.Edited()
            | task.HeadSeen()
            | task.PersonNeeded()
            | task.ChecksPassed()
            | task.Reverted()
        ):
            return [_comment(event)]
        case _:
            return []


def reply_of(signal: Signal) -> str:
    """The id of the reply by which people hear about a signal: that of the task of the same thing."""
    return task_of(signal)


def _is_there(thread: str, author: str, senders: Collection[str]) -> bool:
    """Whether there is a thing that something can be shown on: not that of another sender, or of our own test."""
    return thread.partition(":")[0] in senders and author != delivery.SELF_TEST


def _review(event: RecordedEvent, written: task.ReviewWritten) -> reply.Want:
    return reply.Want(
        id=event.actor.id,
        effect=reply.review_effect(written.attempt),
        thread=written.thread,
        repo=written.repo,
        target=written.review.head,
        at=event.time,
    )


def _comment(
    event: RecordedEvent, *, thread: str = "", repo: str = "", url: str = "", anew: bool = False
) -> reply.Want:
    return reply.Want(
        id=event.actor.id,
        effect=COMMENT,
        thread=thread,
        repo=repo,
        url=url,
        revision=event.sequence,
        at=event.time,
        anew=anew,
    )


def _state(event: RecordedEvent, progress: Progress) -> reply.Want:
    return reply.Want(id=event.actor.id, effect=STATE, text=progress, revision=event.sequence, at=event.time)


def _link(event: RecordedEvent, reviewed: task.InReview) -> reply.Want:
    return reply.Want(
        id=event.actor.id,
        effect=f"{EffectKind.LINK}/{reviewed.pull_request}",
        target=str(reviewed.pull_request),
        text=reviewed.url,
        at=event.time,
    )


def _worked(event: RecordedEvent, attempt: int, ms: int) -> list[Command]:
    effect, seconds = f"{EffectKind.WORK_LOG}/{attempt}", ms // 1000
    return [reply.Want(id=event.actor.id, effect=effect, text=str(seconds), at=event.time)] if seconds else []


def _mark(id: str, signal: Signal, mark: Mark, at: datetime, *, revision: int = 1) -> reply.Want:
    return reply.Want(
        id=id,
        effect=effect_at(EffectKind.REACTION, signal.origin),
        thread=signal.thread,
        repo=signal.repo,
        target=signal.origin,
        text=mark,
        author=signal.author,
        url=signal.url,
        revision=revision,
        at=at,
    )


def _decided(event: RecordedEvent, origin: str, mark: Mark) -> reply.Want:
    return reply.Want(
        id=event.actor.id,
        effect=effect_at(EffectKind.REACTION, origin),
        target=origin,
        text=mark,
        revision=_newer(event),
        at=event.time,
    )


def _heard_decision(event: RecordedEvent, origin: str) -> list[Command]:
    return [_decided(event, origin, Mark.HEARD)] if origin else []


def _concluded(event: RecordedEvent, mark: Mark) -> reply.Conclude:
    return reply.Conclude(id=event.actor.id, text=mark, revision=_newer(event), at=event.time)


def _newer(event: RecordedEvent) -> int:
    """A revision that is newer than those of the marks that a delivery makes."""
    return event.sequence + 2
