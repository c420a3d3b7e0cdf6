"""GitHub as a sender: how its deliveries are verified, named and told apart. `github_events` says what they mean."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from services.gateway.inbound.github_events import meaning_of
from services.gateway.inbound.github_issues import former_threads
from services.gateway.inbound.github_payloads import (
    CheckRunPayload,
    CheckSuitePayload,
    CommentPayload,
    IssuesPayload,
    Payload,
    PullPayload,
    ReviewCommentPayload,
    ReviewPayload,
    StatusPayload,
    WorkflowRunPayload,
    decode,
    milliseconds,
)
from services.gateway.inbound.sender import Incoming, NotAuthentic, Reading, Sender, from_header
from services.gateway.inbound.signature import hmac_sha256
from shared.contracts.delivery import Signal
from shared.ops.config import Config

SIGNATURE: Final = "X-Hub-Signature-256"

_verify_sha256: Final = hmac_sha256(SIGNATURE)


def verify(incoming: Incoming, secrets: Sequence[bytes]) -> None:
    """Raises `NotAuthentic` for a delivery without a right SHA-256 signature.

    Source: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    """
    if "x-hub-signature" in incoming.headers and SIGNATURE.lower() not in incoming.headers:
        raise NotAuthentic(f"Only SHA-256 signatures count ({SIGNATURE}); this delivery has a SHA-1 one.")
    _verify_sha256(incoming, secrets)


def read(event: str, body: bytes, config: Config) -> Reading:
    """What a delivery of GitHub means. Raises `Unreadable` for a body that is not the event's JSON."""
    payload = decode(event, body)
    meaning = meaning_of(event, payload, config)
    if isinstance(meaning, Signal):
        meaning = replace(meaning, as_of_ms=_as_of_ms(payload))
    return Reading(
        action=payload.action or "",
        sender=payload.sender.login if payload.sender else "",
        meaning=meaning,
        content=_content(event, payload),
        formerly=former_threads(payload.repository, payload.issue, config)
        if isinstance(payload, IssuesPayload | CommentPayload)
        else (),
    )


def _content(event: str, payload: Payload) -> tuple[str, ...]:
    """What happened: the same by the webhook of an App and by that of the repository, and each time it is sent."""
    thing, at = "", None
    words: tuple[str | None, ...] = ()
    match payload:
        case CommentPayload(comment=comment) if comment.id:
            thing, at, words = f"comment/{comment.id}", comment.updated_at, (comment.body,)
        case IssuesPayload(issue=issue) if issue.id:
            label = payload.label.name if payload.label else None
            assignee = payload.assignee.login if payload.assignee else None
            thing, at, words = f"issue/{issue.id}", issue.updated_at, (issue.title, issue.body, label, assignee)
        case PullPayload(pull_request=pull, label=label, assignee=assignee, requested_reviewer=reviewer) if pull.id:
            people = (each.login if each else None for each in (assignee, reviewer))
            named = (label.name if label else None, *people)
            thing, at, words = f"pull/{pull.id}", pull.updated_at, (pull.head.sha, pull.title, pull.body, *named)
        case ReviewPayload(review=review) if review.id:
            thing, at, words = f"review/{review.id}", review.submitted_at, (review.state, review.body)
        case ReviewCommentPayload(comment=comment) if comment.id:
            thing, at, words = f"review-comment/{comment.id}", comment.updated_at, (comment.body,)
        case CheckRunPayload(check_run=check) if check.id:
            thing, at, words = f"check/{check.id}", check.completed_at, (check.conclusion,)
        case CheckSuitePayload(check_suite=suite) if suite.id:
            thing, at, words = f"suite/{suite.id}", suite.updated_at, (suite.conclusion,)
        case WorkflowRunPayload(workflow_run=run) if run.id:
            thing, at, words = f"workflow/{run.id}/{run.run_attempt}", run.updated_at, (run.conclusion,)
        case StatusPayload(id=id, updated_at=updated, state=state) if id:
            thing, at, words = f"status/{id}", updated, (state,)
        case _:
            pass
    if not at:
        return ()
    return (event, thing, payload.action or "", payload.sender.login if payload.sender else "", at, _digest(words))


def _as_of_ms(payload: Payload) -> int:
    """Of which moment the words of an issue or a comment are; 0 for other things, and for a time that is none."""
    match payload:
        case CommentPayload(comment=said) | ReviewCommentPayload(comment=said):
            at = said.updated_at
        case IssuesPayload(issue=issue):
            at = issue.updated_at
        case _:
            return 0
    try:
        return milliseconds(datetime.fromisoformat(at)) if at else 0
    except (ValueError, OverflowError):
        return 0


def _digest(words: Sequence[str | None]) -> str:
    return hashlib.sha256("\x00".join(word or "" for word in words).encode("utf-8", "surrogatepass")).hexdigest()


SENDER: Final = Sender(
    verify=verify, event=from_header("X-Github-Event"), delivery_id=from_header("X-Github-Delivery"), read=read
)
