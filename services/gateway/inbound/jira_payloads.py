"""What is read of Jira's payloads, of Cloud, Data Center and old servers: everything may be missing or null.

Source: https://developer.atlassian.com/cloud/jira/platform/webhooks/
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

Text = str | None
Rich = str | dict[str, Any] | None
"""Wiki markup, or a document of ADF."""


class User(msgspec.Struct, frozen=True, rename="camel"):
    """Somebody: Cloud has account ids, servers have names and keys."""

    account_id: Text = None
    name: Text = None
    key: Text = None
    display_name: Text = None
    account_type: Text = None

    @property
    def account(self) -> str:
        """What names the account in its instance, or an empty text."""
        return self.account_id or self.name or self.key or ""

    @property
    def names(self) -> tuple[str, ...]:
        """Everything by which the account is known, but for the name that people give themselves."""
        return tuple(name for name in (self.account_id, self.name, self.key) if name)

    @property
    def is_program(self) -> bool:
        """Whether Jira knows it for an app."""
        return self.account_type == "app"


class Named(msgspec.Struct, frozen=True):
    """Something of which name and key are read."""

    name: Text = None
    key: Text = None


class Category(msgspec.Struct, frozen=True):
    """A status' category: ``new``, ``indeterminate`` or ``done``."""

    key: Text = None


class Status(msgspec.Struct, frozen=True, rename="camel"):
    """A status of the workflow."""

    name: Text = None
    status_category: Category | None = None


class Attachment(msgspec.Struct, frozen=True):
    """An attached file, by its name."""

    filename: Text = None
    size: int | None = None


class Fields(msgspec.Struct, frozen=True):
    """An issue's fields. Comments bring few of them."""

    summary: Text = None
    description: Rich = None
    project: Named | None = None
    components: list[Named | None] | None = None
    labels: list[Text] | None = None
    assignee: User | None = None
    reporter: User | None = None
    status: Status | None = None
    resolution: Named | None = None
    attachment: list[Attachment | None] | None = None
    updated: Text = None


class Issue(msgspec.Struct, frozen=True):
    """What is read of an issue; ``id`` outlives changes of its key."""

    id: str
    key: Text = None
    self: Text = None
    fields: Fields = Fields()


class Comment(msgspec.Struct, frozen=True, rename="camel"):
    """What is read of a comment. ``jsd_public``: customers of a service desk see it."""

    id: str
    body: Rich = None
    author: User | None = None
    update_author: User | None = None
    created: Text = None
    updated: Text = None
    self: Text = None
    jsd_public: bool | None = None


class Change(msgspec.Struct, frozen=True):
    """One field that was changed, with its values as people read them."""

    field: Text = None
    to: Text = None
    from_string: Text = msgspec.field(name="fromString", default=None)
    to_string: Text = msgspec.field(name="toString", default=None)


class Changelog(msgspec.Struct, frozen=True):
    """What an update has changed."""

    id: str | int | None = None
    items: list[Change | None] | None = None


class Payload(msgspec.Struct, frozen=True):
    """Any event."""

    event: Text = msgspec.field(name="webhookEvent", default=None)
    kind: Text = msgspec.field(name="issue_event_type_name", default=None)
    timestamp: int | None = None
    user: User | None = None
    issue: Issue | None = None
    told: Comment | str | None = msgspec.field(name="comment", default=None)
    changelog: Changelog | None = None

    @property
    def comment(self) -> Comment | None:
        """The comment; a step of a workflow brings its bare text, without who wrote it."""
        return self.told if isinstance(self.told, Comment) else None

    @property
    def changes(self) -> list[Change]:
        """What was changed."""
        return [item for item in (self.changelog.items if self.changelog else None) or () if item is not None]


BY_FILTER: Final = "journeyman:jql"
"""The event that we give ourselves when an issue fits a filter of journeyman.toml: Jira has none for it."""


def moment(text: object) -> float:
    """A time of Jira in seconds since 1970, the same in every time zone that it is told in; 0 for what is none."""
    try:
        return datetime.fromisoformat(text).timestamp() if isinstance(text, str) else 0.0
    except (ValueError, OverflowError):
        return 0.0


_ISSUE_IN_URL: Final = re.compile(r"/issue/(\d+)")


def issue_of(payload: Payload) -> Issue | None:
    """The issue; of a comment that comes without it, the one that its address names."""
    if payload.issue is not None or payload.comment is None:
        return payload.issue
    found = _ISSUE_IN_URL.search(payload.comment.self or "")
    return Issue(id=found[1], self=payload.comment.self) if found else None


def site_of(address: str) -> str:
    """The instance that an address of its API belongs to: host, and port where there is one."""
    try:
        return urlsplit(address).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""


def page_of(issue: Issue) -> str:
    """The issue's page, or an empty text."""
    try:
        parts = urlsplit(issue.self or "")
    except ValueError:
        return ""
    base = parts.path.partition("/rest/api/")[0]
    return f"{parts.scheme}://{parts.netloc}{base}/browse/{issue.key}" if parts.netloc and issue.key else ""
