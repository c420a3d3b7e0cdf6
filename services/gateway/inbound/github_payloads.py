"""What is read of GitHub's payloads: narrow structs, because the whole ones differ by event, age and kind of hook.

Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import msgspec

from services.gateway.inbound.sender import decoded


class User(msgspec.Struct, frozen=True):
    """Somebody. ``type`` is ``User``, ``Bot`` or ``Organization``."""

    login: str
    type: str = ""
    id: int = 0

    @property
    def is_bot(self) -> bool:
        """Whether GitHub knows it for a program; a program may also use a person's token."""
        return self.type == "Bot" or self.login.endswith("[bot]")


class App(msgspec.Struct, frozen=True):
    """The GitHub App by which something was written."""

    id: int = 0


class Label(msgspec.Struct, frozen=True):
    """A label by its name."""

    name: str = ""


class PullRequest(msgspec.Struct, frozen=True):
    """That an issue is a pull request; nothing of it is read."""


class Issue(msgspec.Struct, frozen=True):
    """What is read of an issue; with ``pull_request`` it is one."""

    number: int
    created_at: datetime
    id: int = 0
    title: str = ""
    body: str | None = None
    html_url: str = ""
    state: str = ""
    state_reason: str | None = None
    updated_at: str = ""
    user: User | None = None
    author_association: str = ""
    labels: tuple[Label, ...] | None = None
    pull_request: PullRequest | None = None
    performed_via_github_app: App | None = None

    @property
    def opened_at_ms(self) -> int:
        """Milliseconds since 1970."""
        time = self.created_at if self.created_at.tzinfo else self.created_at.replace(tzinfo=UTC)
        return int(time.timestamp() * 1000)


class Comment(msgspec.Struct, frozen=True):
    """What is read of an issue's comment; ``id`` is unique in all of GitHub."""

    id: int = 0
    body: str | None = None
    html_url: str = ""
    updated_at: str = ""
    user: User | None = None
    author_association: str = ""
    performed_via_github_app: App | None = None

    @property
    def origin(self) -> str:
        """The comment's name in `Signal.origin`."""
        return f"github:comment/{self.id}" if self.id else self.html_url


class Repository(msgspec.Struct, frozen=True):
    """``owner/name``, and the number that outlives its renames; 0 where the payload does not tell it."""

    full_name: str
    id: int = 0


class Change(msgspec.Struct, frozen=True):
    """What a text was before it was edited."""

    before: str | None = msgspec.field(name="from", default=None)


class NewPlace(msgspec.Struct, frozen=True):
    """Where a transferred issue is now."""

    html_url: str = ""


class Changes(msgspec.Struct, frozen=True):
    """What an edit has changed, or where a transfer has led."""

    title: Change | None = None
    body: Change | None = None
    new_issue: NewPlace | None = None


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
    assignee: User | None = None
    changes: Changes | None = None


class CommentPayload(msgspec.Struct, frozen=True):
    """``issue_comment``."""

    action: str
    issue: Issue
    comment: Comment
    repository: Repository
    sender: User
    changes: Changes | None = None


Payload = Bare | IssuesPayload | CommentPayload

_issues: Final = msgspec.json.Decoder(IssuesPayload)
_comments: Final = msgspec.json.Decoder(CommentPayload)
_bare: Final = msgspec.json.Decoder(Bare)


def decode(event: str, body: bytes) -> Payload:
    """The event's struct; raises `Unreadable`."""
    match event:
        case "issues":
            return decoded(_issues, body, "GitHub", event)
        case "issue_comment":
            return decoded(_comments, body, "GitHub", event)
        case _:
            return decoded(_bare, body, "GitHub", event)
