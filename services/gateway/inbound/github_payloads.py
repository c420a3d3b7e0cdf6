"""What is read of GitHub's payloads: narrow structs, because the whole ones differ by event, age and kind of hook.

Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

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


class IsPullRequest(msgspec.Struct, frozen=True):
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
    pull_request: IsPullRequest | None = None
    performed_via_github_app: App | None = None

    @property
    def opened_at_ms(self) -> int:
        """Milliseconds since 1970."""
        return milliseconds(self.created_at)


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970; a moment without a time zone is in UTC."""
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


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


class Head(msgspec.Struct, frozen=True):
    """Where a pull request comes from; ``repo`` is None where that repository is gone."""

    ref: str = ""
    sha: str = ""
    repo: Repository | None = None


class PullRequest(msgspec.Struct, frozen=True):
    """What is read of a pull request; ``merge_commit_sha`` is only the merge where ``merged``."""

    number: int
    created_at: datetime
    id: int = 0
    title: str = ""
    body: str | None = None
    html_url: str = ""
    updated_at: str | None = None
    state: str = ""
    merged: bool | None = None
    merge_commit_sha: str | None = None
    mergeable_state: str | None = None
    user: User | None = None
    author_association: str = ""
    head: Head = Head()

    @property
    def opened_at_ms(self) -> int:
        """Milliseconds since 1970."""
        return milliseconds(self.created_at)


class Review(msgspec.Struct, frozen=True):
    """What is read of a review; ``state`` is ``commented``, ``changes_requested``, ``approved`` or ``dismissed``."""

    id: int = 0
    node_id: str = ""
    body: str | None = None
    html_url: str = ""
    state: str = ""
    submitted_at: str | None = None
    user: User | None = None
    author_association: str = ""


class ReviewComment(msgspec.Struct, frozen=True):
    """What is read of a comment on a line; ``line`` is None where that line is gone, or the comment is on a file."""

    id: int = 0
    node_id: str = ""
    body: str | None = None
    html_url: str = ""
    path: str = ""
    line: int | None = None
    original_line: int | None = None
    updated_at: str | None = None
    pull_request_review_id: int | None = None
    user: User | None = None
    author_association: str = ""
    performed_via_github_app: App | None = None


class CheckApp(msgspec.Struct, frozen=True):
    """Whose check it is."""

    id: int = 0
    slug: str = ""
    name: str = ""


class Suite(msgspec.Struct, frozen=True):
    """The checks of one App on one commit."""

    id: int = 0
    node_id: str = ""
    head_branch: str | None = None
    head_sha: str = ""
    conclusion: str | None = None
    updated_at: str | None = None
    app: CheckApp | None = None


class CheckOutput(msgspec.Struct, frozen=True):
    """What a check says of itself."""

    title: str | None = None
    summary: str | None = None


class CheckRun(msgspec.Struct, frozen=True):
    """What is read of a check of a commit; ``conclusion`` is None before its end."""

    id: int = 0
    node_id: str = ""
    name: str = ""
    head_sha: str = ""
    html_url: str | None = None
    conclusion: str | None = None
    completed_at: str | None = None
    check_suite: Suite | None = None
    app: CheckApp | None = None
    output: CheckOutput | None = None


class WorkflowRun(msgspec.Struct, frozen=True):
    """What is read of a run of a workflow."""

    id: int = 0
    node_id: str = ""
    name: str | None = None
    head_sha: str = ""
    head_branch: str | None = None
    head_repository: Repository | None = None
    html_url: str = ""
    conclusion: str | None = None
    updated_at: str | None = None
    run_attempt: int = 0


class Branch(msgspec.Struct, frozen=True):
    """A branch by its name."""

    name: str = ""


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


class PullPayload(msgspec.Struct, frozen=True):
    """``pull_request``."""

    action: str
    pull_request: PullRequest
    repository: Repository
    sender: User
    label: Label | None = None
    assignee: User | None = None
    requested_reviewer: User | None = None


class ReviewPayload(msgspec.Struct, frozen=True):
    """``pull_request_review``."""

    action: str
    review: Review
    pull_request: PullRequest
    repository: Repository
    sender: User
    changes: Changes | None = None


class ReviewCommentPayload(msgspec.Struct, frozen=True):
    """``pull_request_review_comment``."""

    action: str
    comment: ReviewComment
    pull_request: PullRequest
    repository: Repository
    sender: User
    changes: Changes | None = None


class CheckRunPayload(msgspec.Struct, frozen=True):
    """``check_run``."""

    action: str
    check_run: CheckRun
    repository: Repository
    sender: User | None = None


class CheckSuitePayload(msgspec.Struct, frozen=True):
    """``check_suite``."""

    action: str
    check_suite: Suite
    repository: Repository
    sender: User | None = None


class WorkflowRunPayload(msgspec.Struct, frozen=True):
    """``workflow_run``."""

    action: str
    workflow_run: WorkflowRun
    repository: Repository
    sender: User | None = None


class StatusPayload(msgspec.Struct, frozen=True):
    """``status``, which has no action; a commit can be on many branches."""

    sha: str
    state: str
    repository: Repository
    id: int = 0
    context: str = ""
    target_url: str | None = None
    updated_at: str | None = None
    branches: tuple[Branch, ...] = ()
    sender: User | None = None
    action: str = ""


PullEvent = PullPayload | ReviewPayload | ReviewCommentPayload
CheckEvent = CheckRunPayload | CheckSuitePayload | WorkflowRunPayload | StatusPayload
Payload = Bare | IssuesPayload | CommentPayload | PullEvent | CheckEvent

_DECODERS: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    "issues": msgspec.json.Decoder(IssuesPayload),
    "issue_comment": msgspec.json.Decoder(CommentPayload),
    "pull_request": msgspec.json.Decoder(PullPayload),
    "pull_request_review": msgspec.json.Decoder(ReviewPayload),
    "pull_request_review_comment": msgspec.json.Decoder(ReviewCommentPayload),
    "check_run": msgspec.json.Decoder(CheckRunPayload),
    "check_suite": msgspec.json.Decoder(CheckSuitePayload),
    "workflow_run": msgspec.json.Decoder(WorkflowRunPayload),
    "status": msgspec.json.Decoder(StatusPayload),
}
_bare: Final = msgspec.json.Decoder(Bare)


def decode(event: str, body: bytes) -> Payload:
    """The event's struct; raises `Unreadable`."""
    payload: Payload = decoded(_DECODERS.get(event, _bare), body, "GitHub", event)
    return payload
