"""What is read of GitHub's answers: narrow structs. A field that may be null or missing has a default.

Source: https://docs.github.com/en/rest
"""

from __future__ import annotations

import msgspec


class User(msgspec.Struct, frozen=True):
    """Somebody. ``type`` is ``User``, ``Bot`` or ``Organization``."""

    login: str
    id: int = 0
    type: str = ""


class Team(msgspec.Struct, frozen=True):
    """A team of an organization."""

    slug: str


class AppName(msgspec.Struct, frozen=True):
    """The App by which something was written."""

    id: int = 0
    slug: str = ""


class App(msgspec.Struct, frozen=True):
    """The App itself; ``permissions`` maps names such as ``issues`` to ``read`` or ``write``."""

    id: int
    slug: str = ""
    name: str = ""
    html_url: str = ""
    permissions: dict[str, str] = {}
    events: tuple[str, ...] = ()


class Installation(msgspec.Struct, frozen=True):
    """The App at one account."""

    id: int
    account: User | None = None
    permissions: dict[str, str] = {}
    events: tuple[str, ...] = ()
    suspended_at: str | None = None


class AccessToken(msgspec.Struct, frozen=True):
    """A token of an installation; ``expires_at`` in ISO 8601."""

    token: str
    expires_at: str
    permissions: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"AccessToken(expires_at={self.expires_at!r})"


class Repository(msgspec.Struct, frozen=True):
    """A repository; ``permissions`` are those of the credentials that ask."""

    id: int
    full_name: str
    default_branch: str = ""
    private: bool = False
    archived: bool = False
    permissions: dict[str, bool] = {}


class Permission(msgspec.Struct, frozen=True):
    """What a user may do: ``permission`` is admin, write, read or none; ``role_name`` tells maintain and triage."""

    permission: str
    role_name: str = ""
    user: User | None = None


class Membership(msgspec.Struct, frozen=True):
    """Of a team; ``state`` is active or pending."""

    state: str = ""
    role: str = ""


class Label(msgspec.Struct, frozen=True):
    """A label by its name."""

    name: str = ""


class PullLink(msgspec.Struct, frozen=True):
    """That an issue is a pull request."""

    html_url: str = ""


class Content(msgspec.Struct, frozen=True):
    """A file; ``content`` in base64, as far as ``encoding`` says so: larger ones come without."""

    type: str = ""
    encoding: str = ""
    content: str = ""


class Issue(msgspec.Struct, frozen=True):
    """An issue; with ``pull_request`` it is one."""

    number: int
    id: int = 0
    node_id: str = ""
    title: str = ""
    body: str | None = None
    html_url: str = ""
    state: str = ""
    state_reason: str | None = None
    created_at: str = ""
    updated_at: str = ""
    comments: int = 0
    user: User | None = None
    author_association: str = ""
    labels: tuple[Label, ...] = ()
    assignees: tuple[User, ...] = ()
    pull_request: PullLink | None = None


class Comment(msgspec.Struct, frozen=True):
    """A comment of an issue, or of a pull request's conversation; ``id`` is unique in all of GitHub."""

    id: int
    node_id: str = ""
    body: str | None = None
    html_url: str = ""
    created_at: str = ""
    updated_at: str = ""
    user: User | None = None
    author_association: str = ""
    performed_via_github_app: AppName | None = None


class Reaction(msgspec.Struct, frozen=True):
    """``content`` is +1, -1, laugh, confused, heart, hooray, rocket or eyes."""

    id: int
    content: str
    user: User | None = None


class PullRepository(msgspec.Struct, frozen=True):
    """The repository of one side of a pull request."""

    id: int = 0
    full_name: str = ""
    fork: bool = False


class Side(msgspec.Struct, frozen=True):
    """One side of a pull request; ``repo`` is null when a fork was deleted."""

    ref: str = ""
    sha: str = ""
    label: str = ""
    repo: PullRepository | None = None


class Pull(msgspec.Struct, frozen=True):
    """A pull request. ``mergeable`` is null until GitHub has found out; a list gives neither it nor ``merged``."""

    number: int
    head: Side
    base: Side
    id: int = 0
    node_id: str = ""
    title: str = ""
    body: str | None = None
    html_url: str = ""
    state: str = ""
    draft: bool = False
    merged: bool = False
    merged_at: str | None = None
    merged_by: User | None = None
    merge_commit_sha: str | None = None
    mergeable: bool | None = None
    mergeable_state: str = ""
    created_at: str = ""
    updated_at: str = ""
    closed_at: str | None = None
    user: User | None = None
    author_association: str = ""
    labels: tuple[Label, ...] = ()
    requested_reviewers: tuple[User, ...] = ()
    requested_teams: tuple[Team, ...] = ()


class ChangedFile(msgspec.Struct, frozen=True):
    """A file of a pull request; ``patch`` is missing where it is binary or too large."""

    filename: str
    status: str = ""
    additions: int = 0
    deletions: int = 0
    patch: str = ""
    previous_filename: str = ""


class Review(msgspec.Struct, frozen=True):
    """``state`` is APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED or PENDING."""

    id: int
    node_id: str = ""
    user: User | None = None
    body: str | None = None
    state: str = ""
    commit_id: str | None = None
    html_url: str = ""
    submitted_at: str = ""
    author_association: str = ""


class ReviewComment(msgspec.Struct, frozen=True):
    """A comment on a line; ``line`` is null when the line is gone or the comment is about the file."""

    id: int
    node_id: str = ""
    pull_request_review_id: int | None = None
    in_reply_to_id: int = 0
    user: User | None = None
    body: str | None = None
    path: str = ""
    line: int | None = None
    original_line: int | None = None
    start_line: int | None = None
    side: str | None = None
    diff_hunk: str = ""
    commit_id: str = ""
    html_url: str = ""
    created_at: str = ""
    updated_at: str = ""
    author_association: str = ""


class CheckOutput(msgspec.Struct, frozen=True):
    """What a check says."""

    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations_count: int = 0


class CheckAnnotation(msgspec.Struct, frozen=True):
    """What a check says about a line; the level is notice, warning or failure."""

    annotation_level: str | None = None
    message: str | None = None
    title: str | None = None
    path: str | None = None
    start_line: int | None = None


class CheckRun(msgspec.Struct, frozen=True):
    """``status`` is queued, in_progress or completed; ``conclusion`` is null before the last."""

    id: int
    name: str = ""
    head_sha: str = ""
    status: str = ""
    conclusion: str | None = None
    external_id: str | None = None
    html_url: str | None = None
    details_url: str | None = None
    output: CheckOutput | None = None
    app: AppName | None = None


class CheckRuns(msgspec.Struct, frozen=True):
    """A page of the check runs of a commit."""

    check_runs: tuple[CheckRun, ...] = ()
    total_count: int = 0


class Status(msgspec.Struct, frozen=True):
    """A commit status: ``state`` is error, failure, pending or success."""

    state: str
    context: str = ""
    description: str | None = None
    target_url: str | None = None
    id: int = 0
    creator: User | None = None


class HookConfig(msgspec.Struct, frozen=True):
    """Where a webhook sends to."""

    url: str = ""
    content_type: str = ""
    insecure_ssl: str | float = ""


class Hook(msgspec.Struct, frozen=True):
    """A webhook of a repository."""

    id: int
    active: bool = True
    events: tuple[str, ...] = ()
    config: HookConfig = HookConfig()


class Delivery(msgspec.Struct, frozen=True):
    """One attempt to deliver; attempts of one delivery share ``guid``. ``status_code`` is 0 where nobody answered."""

    id: int
    guid: str
    delivered_at: str = ""
    redelivery: bool = False
    status: str = ""
    status_code: int = 0
    event: str = ""
    action: str | None = None
    installation_id: int | None = None
    repository_id: int | None = None

    @property
    def accepted(self) -> bool:
        """Whether the receiver answered that it has it."""
        return 200 <= self.status_code < 300


class BranchTip(msgspec.Struct, frozen=True):
    """The newest commit of a branch."""

    sha: str = ""


class Branch(msgspec.Struct, frozen=True):
    """A branch, the commit that it is at, and whether a rule protects it."""

    name: str
    protected: bool = False
    commit: BranchTip | None = None


class Manifested(msgspec.Struct, frozen=True):
    """What the App manifest flow answers once: the new App and its secrets."""

    id: int
    slug: str
    pem: str
    webhook_secret: str | None = None
    client_id: str = ""
    html_url: str = ""

    def __repr__(self) -> str:
        return f"Manifested(id={self.id}, slug={self.slug!r})"
