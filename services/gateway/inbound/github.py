"""GitHub's webhook events in our words: pure, and narrow structs for what is read of them.

Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from services.gateway.inbound.mention import Mention, find_mention
from services.gateway.inbound.sender import Ignored, Incoming, NotAuthentic, Reading, Sender, decoded, from_header
from services.gateway.inbound.signature import hmac_sha256
from services.gateway.inbound.text import bounded, clean, one_line, visible
from shared.contracts.delivery import Signal, SignalKind
from shared.ops.config import Policy

TRUSTED: Final = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
"""Author associations that may steer. A hint by GitHub, not a proof of write access."""
OWN_MARK: Final = "<!-- journeyman"
"""What our own comments begin with."""
SIGNATURE: Final = "X-Hub-Signature-256"


class User(msgspec.Struct, frozen=True):
    """Somebody. ``type`` is ``User``, ``Bot`` or ``Organization``."""

    login: str
    type: str = ""

    @property
    def is_bot(self) -> bool:
        """Whether GitHub knows it for a program; a program may also use a person's token."""
        return self.type == "Bot" or self.login.endswith("[bot]")


class Label(msgspec.Struct, frozen=True):
    """A label by its name."""

    name: str = ""


class PullRequest(msgspec.Struct, frozen=True):
    """That an issue is a pull request; nothing of it is read."""


class Issue(msgspec.Struct, frozen=True):
    """What is read of an issue; with ``pull_request`` it is one."""

    number: int
    created_at: datetime
    title: str = ""
    body: str | None = None
    html_url: str = ""
    state: str = ""
    user: User | None = None
    author_association: str = ""
    labels: tuple[Label, ...] | None = None
    pull_request: PullRequest | None = None


class Comment(msgspec.Struct, frozen=True):
    """What is read of an issue's comment; ``id`` is unique in all of GitHub."""

    id: int = 0
    body: str | None = None
    html_url: str = ""
    user: User | None = None
    author_association: str = ""


class Repository(msgspec.Struct, frozen=True):
    """``owner/name``."""

    full_name: str


class Bare(msgspec.Struct, frozen=True):
    """Any event of which only the action matters."""

    action: str | None = None
    sender: User | None = None


class IssuesPayload(msgspec.Struct, frozen=True):
    """``issues``."""

    action: str
    issue: Issue
    repository: Repository
    sender: User
    label: Label | None = None


class CommentPayload(msgspec.Struct, frozen=True):
    """``issue_comment``."""

    action: str
    issue: Issue
    comment: Comment
    repository: Repository
    sender: User


Payload = Bare | IssuesPayload | CommentPayload

_issues: Final = msgspec.json.Decoder(IssuesPayload)
_comments: Final = msgspec.json.Decoder(CommentPayload)
_bare: Final = msgspec.json.Decoder(Bare)
_verify_sha256: Final = hmac_sha256(SIGNATURE)


def verify(incoming: Incoming, secrets: Sequence[bytes]) -> None:
    """Raises `NotAuthentic` for a delivery without a right SHA-256 signature.

    Source: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    """
    if "x-hub-signature" in incoming.headers and SIGNATURE.lower() not in incoming.headers:
        raise NotAuthentic(f"Only SHA-256 signatures count ({SIGNATURE}); this delivery has a SHA-1 one.")
    _verify_sha256(incoming, secrets)


def read(event: str, body: bytes, policy: Policy) -> Reading:
    """What a delivery of GitHub means. Raises `Unreadable` for a body that is not the event's JSON."""
    payload = decode(event, body)
    sender = payload.sender.login if payload.sender else ""
    return Reading(action=payload.action or "", sender=sender, meaning=meaning_of(event, payload, policy))


def decode(event: str, body: bytes) -> Payload:
    """The event's struct; raises `Unreadable`."""
    match event:
        case "issues":
            return decoded(_issues, body, "GitHub", event)
        case "issue_comment":
            return decoded(_comments, body, "GitHub", event)
        case _:
            return decoded(_bare, body, "GitHub", event)


def meaning_of(event: str, payload: Payload, policy: Policy) -> Signal | Ignored:
    """A signal, or why there is none."""
    match payload:
        case Bare():
            return Ignored("ping" if event == "ping" else f"{event} is nothing we act on")
        case IssuesPayload(issue=issue) | CommentPayload(issue=issue) if issue.pull_request is not None:
            return Ignored(f"{event} of a pull request is nothing we act on")
        case IssuesPayload(action="opened"):
            return _opened(payload, policy)
        case IssuesPayload(action="labeled", label=Label(name=name)) if policy.label and name == policy.label:
            return _labeled(payload, policy)
        case CommentPayload(action="created"):
            return _commented(payload, policy)
        case _:
            return Ignored(f"{event} {payload.action} is nothing we act on")


def _opened(payload: IssuesPayload, policy: Policy) -> Signal | Ignored:
    issue = payload.issue
    if ignored := _of_a_program(policy, issue.user, payload.sender):
        return ignored
    mention = _mention_in(issue, policy)
    labels = {label.name for label in issue.labels or ()}
    if policy.label and policy.label not in labels and mention is None:
        return Ignored(f"the issue has neither the label {policy.label!r} nor a mention of {policy.mention}")
    return _work(payload, mention)


def _labeled(payload: IssuesPayload, policy: Policy) -> Signal | Ignored:
    if payload.issue.state == "closed":
        return Ignored("the issue is closed")
    # A person may label what a program has opened: then a person asks for the work.
    if ignored := _of_a_program(policy, payload.sender):
        return ignored
    return _work(payload, _mention_in(payload.issue, policy))


def _of_a_program(policy: Policy, *people: User | None) -> Ignored | None:
    """Why what a program asks for is no work; None when nobody of these is a program, or all of them are listed."""
    for each in people:
        if each is not None and each.is_bot and not policy.lists_bot(each.login):
            return Ignored(f"an issue of the program {one_line(each.login)}, which is not in bots under [policy]")
    return None


def _commented(payload: CommentPayload, policy: Policy) -> Signal | Ignored:
    comment, issue = payload.comment, payload.issue
    author = comment.user
    if author is None or author.is_bot or payload.sender.is_bot:
        return Ignored("a comment of a program")
    raw = comment.body or ""
    if raw.lstrip().startswith(OWN_MARK):
        return Ignored("a comment of our own")
    text = visible(raw)
    mention = find_mention(text, policy.mention)
    if mention is None:
        return Ignored(f"a comment that does not mention {policy.mention}")
    return Signal(
        kind=SignalKind.COMMENT,
        thread=_thread(payload.repository, issue),
        opened_at_ms=_ms(issue.created_at),
        title=one_line(visible(issue.title)),
        text=bounded(text),
        repo=payload.repository.full_name,
        url=comment.html_url,
        author=author.login,
        trusted=_is_trusted(author, payload.sender, comment.author_association),
        directive=mention.directive,
        argument=bounded(mention.argument, 4096),
        origin=f"github:comment/{comment.id}" if comment.id else comment.html_url,
    )


def _work(payload: IssuesPayload, mention: Mention | None) -> Signal:
    issue = payload.issue
    return Signal(
        kind=SignalKind.WORK,
        thread=_thread(payload.repository, issue),
        opened_at_ms=_ms(issue.created_at),
        title=one_line(visible(issue.title)),
        text=clean(issue.body or ""),
        repo=payload.repository.full_name,
        url=issue.html_url,
        author=issue.user.login if issue.user else "",
        trusted=_is_trusted(issue.user, payload.sender, issue.author_association),
        directive=mention.directive if mention else "",
        argument=bounded(mention.argument, 4096) if mention else "",
    )


def _mention_in(issue: Issue, policy: Policy) -> Mention | None:
    return find_mention(visible(f"{issue.title}\n{issue.body or ''}"), policy.mention)


def _thread(repository: Repository, issue: Issue) -> str:
    return f"github:{repository.full_name}#{issue.number}"


def _ms(time: datetime) -> int:
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return int(aware.timestamp() * 1000)


def _is_trusted(author: User | None, sender: User, association: str) -> bool:
    """The association is the author's: who edits or labels somebody else's words does not inherit it."""
    return author is not None and author.login == sender.login and association in TRUSTED


SENDER: Final = Sender(
    verify=verify, event=from_header("X-Github-Event"), delivery_id=from_header("X-Github-Delivery"), read=read
)
