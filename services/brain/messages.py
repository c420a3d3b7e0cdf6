"""What the brain makes of what people say outside, on the thing that a task is about (pure).

Nothing is passed over in silence. What a task is told it may refuse, and that is an event of the task; what no task is
told is refused by the delivery. Who shows people their answers (`delivery.Refused`, `task.ActionRefused`,
`task.FollowUpRefused`) goes by these events; `status` and `help` are answered from the delivery itself.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

import msgspec

from services.brain.policy import ReactionPolicy
from services.brain.pull_request_messages import about_a_pull_request
from shared.contracts import delivery, task
from shared.contracts.delivery import Word
from shared.contracts.ids import task_id_in
from shared.contracts.messages import Command
from shared.contracts.pull_request import PullFacts, PullState
from shared.contracts.review import ReviewTarget
from shared.contracts.task_of import task_of

NO_PULL_REQUESTS: Final = (
    "This pull request is none of ours, so it can only be reviewed: say `review`, or say it in an issue, or in a pull "
    "request that we have made."
)
NOT_BY_AN_EDIT: Final = "An edit never approves or decides anything: say it in a new comment."
NOTHING_TO_REVIEW: Final = "Only a pull request can be reviewed, and this is none: say plan, implement or ask."
UNCLEAR_MEND: Final = "Say in a comment what to do: plan, implement or ask."
ENDS_NOTHING: Final = "stop and reject begin no work, and end what is under way only in a comment"
_ENDS_WORK: Final = frozenset({Word.STOP, Word.REJECT})
CLOSED: Final = "The pull request is closed: open it again, then ask for its review."
NOBODY_TO_SHOW_IT: Final = (
    "What the pull request changes is not known here: a review takes credentials for GitHub, with which it is written."
)
_ABOUT_A_REVIEW: Final = frozenset({Word.REVIEW, Word.STOP, Word.RETRY})
"""What may be said on a pull request that is none of ours."""


def about_a_delivery(id: str, at: datetime, signal: delivery.Signal, policy: ReactionPolicy) -> list[Command]:
    """The commands that a signal leads to; ``id`` is the delivery's, and ``at`` when it came or was replayed."""
    task_id = task_of(signal)
    match signal.kind:
        case delivery.SignalKind.WORK if signal.directive == Word.REVIEW:
            return [delivery.Refuse(id=id, code="review-nothing", reason=NOTHING_TO_REVIEW)]
        case delivery.SignalKind.WORK if signal.waits:
            return [delivery.Refuse(id=id, code="waits", reason=f"This waits. {_who_may(signal)}")]
        case delivery.SignalKind.WORK if _is_unclear(signal):
            return [_unclear(id, signal)]
        case delivery.SignalKind.WORK:
            return [_submission(signal, policy)]
        case delivery.SignalKind.CLOSED:
            return [task.RecordClosed(id=task_id, reason=signal.text, at=at)]
        case delivery.SignalKind.REOPENED:
            return [task.RecordReopened(id=task_id, origin=id)] if signal.trusted else []
        case delivery.SignalKind.REVIEW if not signal.trusted and signal.pull and signal.pull.verdict != "dismissed":
            return [delivery.Refuse(id=id, code="decides-nothing", reason=_who_may(signal))]
        case delivery.SignalKind.PULL_REQUEST | delivery.SignalKind.REVIEW | delivery.SignalKind.CHECK:
            return about_a_pull_request(id, at, signal, signal.pull, policy) if signal.pull else []
        case delivery.SignalKind.EDITED if _decides(signal):
            return [delivery.Refuse(id=id, code="edit-decides-nothing", reason=NOT_BY_AN_EDIT)]
        case delivery.SignalKind.EDITED if signal.pull_request:
            return [_edit(signal, id)] if _is_ours(signal) else []
        case delivery.SignalKind.EDITED if signal.mentioned and _is_unclear(signal):
            return [_unclear(id, signal), _edit(signal, id)]
        case delivery.SignalKind.EDITED:
            opening = [_submission(signal, policy)] if signal.mentioned and not signal.waits else []
            return [*opening, _edit(signal, id)]
        case delivery.SignalKind.COMMENT if refused := _refused(signal):
            code, reason = refused
            return [delivery.Refuse(id=id, code=code, reason=reason)]
        case delivery.SignalKind.COMMENT:
            # A sender that does not name its messages has each delivery taken for one.
            if (target := review_target(signal)) is not None:
                return _review(signal, target, policy, at, origin=signal.origin or id)
            return _steering(signal, policy, at, origin=signal.origin or id)


def _who_may(signal: delivery.Signal) -> str:
    sender = signal.thread.partition(":")[0]
    them = "with write access to the repository" if sender == "github" else f"listed under [senders.{sender}]"
    return f"Only people {them} tell the agent what to do: ask one of them to say it."


def _is_unclear(signal: delivery.Signal) -> bool:
    """Whether it speaks to us, and nobody can tell which work it asks for, or whether it asks for any."""
    return signal.directive in _ENDS_WORK or (signal.directive == Word.HELP and bool(signal.argument.strip()))


def _unclear(id: str, signal: delivery.Signal) -> delivery.Refuse:
    why = ENDS_NOTHING if signal.directive in _ENDS_WORK else signal.argument.strip()
    return delivery.Refuse(id=id, code="unclear", reason=f"That was not clear ({why}). {UNCLEAR_MEND}")


def _refused(signal: delivery.Signal) -> tuple[str, str] | None:
    match signal:
        case delivery.Signal(directive=Word.STATUS | Word.HELP):
            return None
        case delivery.Signal(trusted=False):
            return "decides-nothing", _who_may(signal)
        case delivery.Signal(directive=Word.REVIEW, pull_request=False):
            return "review-nothing", NOTHING_TO_REVIEW
        case delivery.Signal(directive=Word.REVIEW, pull=PullFacts(state=PullState.CLOSED | PullState.MERGED)):
            return "review-closed", CLOSED
        case delivery.Signal(directive=Word.REVIEW) if review_target(signal) is None:
            return "review-unknown", NOBODY_TO_SHOW_IT
        case delivery.Signal(pull_request=True) if not _is_ours(signal) and signal.directive not in _ABOUT_A_REVIEW:
            return "pull-request-not-followed", NO_PULL_REQUESTS
        case _:
            return None


def review_target(signal: delivery.Signal) -> ReviewTarget | None:
    """The pull request of which the signal asks for a review, where enough is known of it."""
    pull = signal.pull
    if signal.directive != Word.REVIEW or pull is None or not pull.number or not pull.head or not pull.base:
        return None
    return ReviewTarget(number=pull.number, head=pull.head, base=pull.base, base_commit=pull.base_commit)


def _review(
    signal: delivery.Signal, target: ReviewTarget, policy: ReactionPolicy, at: datetime, origin: str
) -> list[Command]:
    """The first who asks opens the task that reviews the pull request; later ones have it reviewed as it is then."""
    said = _wish_in(signal) if signal.text != signal.context else ""
    opening = msgspec.structs.replace(
        _submission(signal, policy, origin), request=said, review=target, directive=task.Directive.AUTO
    )
    wish = task.FollowUp(
        id=opening.id,
        text=said,
        author=signal.author,
        origin=origin,
        recorded=True,
        by_program=signal.by_program,
        at=at,
        review=target,
    )
    return [opening, wish]


def _decides(signal: delivery.Signal) -> bool:
    """Whether an edited message says now what only a new one may say. Others than people who may steer say nothing."""
    in_a_review = signal.pull is not None and signal.pull.edited
    return bool(signal.origin and signal.directive) and (in_a_review or signal.directive == Word.APPROVE)


def _is_ours(signal: delivery.Signal) -> bool:
    """Whether it is about a pull request that a task has made."""
    return signal.pull is not None and bool(task_id_in(signal.pull.branch))


def _submission(signal: delivery.Signal, policy: ReactionPolicy, origin: str = "") -> task.Submit:
    """The task for the thing a signal is about. A stranger may report work, but not waive its approval."""
    is_said = signal.kind is delivery.SignalKind.COMMENT
    return task.Submit(
        id=task_of(signal),
        title=signal.title,
        text=signal.context if is_said else signal.text,
        request=_wish_in(signal) if is_said else "",
        source=task.Source(
            kind=signal.thread.partition(":")[0], reference=signal.thread, url=signal.url, author=signal.author
        ),
        repo=signal.repo,
        directive=_directive(signal) if signal.trusted else task.Directive.AUTO,
        approval=policy.approval if signal.trusted else policy.strict or task.Approval.REQUIRED,
        origin=origin,
        agent=signal.agent if signal.trusted else "",
        as_of_ms=signal.as_of_ms,
    )


def _edit(signal: delivery.Signal, edit: str) -> task.RecordEdit:
    return task.RecordEdit(
        id=task_of(signal),
        title="" if signal.origin else signal.title,
        text=signal.text,
        part=signal.origin,
        origin=edit,
        author=signal.author,
        trusted=signal.trusted,
        as_of_ms=signal.as_of_ms,
    )


def _steering(signal: delivery.Signal, policy: ReactionPolicy, at: datetime, origin: str) -> list[Command]:
    id, argument = task_of(signal), signal.argument.strip()
    match signal.directive:
        case Word.APPROVE:
            return [_approval(id, argument, origin)]
        case Word.REJECT if not argument:
            return [task.Reject(id=id, origin=origin, recorded=True)]
        case Word.REJECT | Word.REVISE:
            return [task.Revise(id=id, feedback=argument or _wish_in(signal), origin=origin, recorded=True)]
        case Word.STOP:
            return [task.Stop(id=id, reason=argument, origin=origin, recorded=True)]
        case Word.RETRY:
            return [task.Retry(id=id, origin=origin, recorded=True)]
        case Word.CONTINUE:
            return [task.GoOn(id=id, origin=origin, recorded=True, at=at)]
        case Word.AUTO:
            on = argument.lower() == "on"
            return [task.SetAutomatic(id=id, on=on, origin=origin, recorded=True, at=at)]
        case Word.STATUS | Word.HELP:
            return []
        case _:
            # The first of them opens the task, or else the second one goes on with it.
            wish = task.FollowUp(
                id=id,
                text=_wish_in(signal),
                author=signal.author,
                directive=_directive(signal),
                origin=origin,
                recorded=True,
                by_program=signal.by_program,
                at=at,
                approval=policy.strict,
            )
            return [wish] if signal.pull_request else [_submission(signal, policy, origin), wish]


def _wish_in(signal: delivery.Signal) -> str:
    """What a comment says beside its mention and its directive, which are two words: the whole of it, or nothing."""
    return "" if not signal.argument.strip() and len(signal.text.split()) <= 2 else signal.text


def _directive(signal: delivery.Signal) -> task.Directive:
    match signal.directive:
        case Word.PLAN:
            return task.Directive.PLAN
        case Word.IMPLEMENT | Word.FIX:
            return task.Directive.IMPLEMENT
        case _:
            return task.Directive.AUTO


def _approval(id: str, argument: str, origin: str) -> task.Approve:
    """``v2 3fa94c11`` or ``3fa94c11``: without a version, whatever plan has that digest."""
    words = _VERSIONED.match(argument)
    version, digest = words.groups() if words else (None, "")
    return task.Approve(id=id, version=int(version or 0), digest=digest, origin=origin, recorded=True)


_VERSIONED: Final = re.compile(r"(?:v(\d{1,9})(?:\s+|$))?(\S*)")
