"""What is read of Sentry's payloads: narrow structs, in which everything may be missing or null.

Source: https://docs.sentry.io/organization/integrations/integration-platform/webhooks/
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

Text = str | None
Id = str | int | None


class Actor(msgspec.Struct, frozen=True):
    """Who did it: ``type`` is ``user`` or ``application``."""

    type: str = ""
    id: Id = None
    name: str = ""

    @property
    def account(self) -> str:
        """The account's number, or its name where it has none."""
        return str(self.id) if self.id is not None else self.name


class Installation(msgspec.Struct, frozen=True):
    """Where the integration is installed."""

    uuid: str = ""


class Project(msgspec.Struct, frozen=True):
    """An issue's project."""

    slug: str = ""
    id: str = ""


class Issue(msgspec.Struct, frozen=True, rename="camel"):
    """A group of equal events."""

    id: str
    title: str = ""
    short_id: Text = None
    culprit: Text = None
    level: Text = None
    status: str = ""
    substatus: Text = None
    platform: Text = None
    count: Text = None
    user_count: int | None = None
    first_seen: Text = None
    last_seen: str = ""
    permalink: Text = None
    web_url: Text = msgspec.field(name="web_url", default=None)
    metadata: dict[str, Any] | None = None
    project: Project = Project()


class Frame(msgspec.Struct, frozen=True):
    """One line of a stack; the newest frame is the last one."""

    function: Text = None
    filename: Text = None
    abs_path: Text = None
    module: Text = None
    lineno: int | None = None
    in_app: bool | None = None
    context_line: Text = None
    pre_context: list[Text] | None = None
    post_context: list[Text] | None = None


class Stacktrace(msgspec.Struct, frozen=True):
    """The frames of one exception."""

    frames: list[Frame | None] | None = None


class Thrown(msgspec.Struct, frozen=True):
    """One exception of a chain."""

    type: Text = None
    value: Text = None
    stacktrace: Stacktrace | None = None


class Exceptions(msgspec.Struct, frozen=True):
    """The chain, the cause first."""

    values: list[Thrown | None] | None = None


class Breadcrumb(msgspec.Struct, frozen=True):
    """What happened before."""

    category: Text = None
    level: Text = None
    message: Text = None
    timestamp: str | float | int | None = None


class Breadcrumbs(msgspec.Struct, frozen=True):
    """The newest is the last one."""

    values: list[Breadcrumb | None] | None = None


class Request(msgspec.Struct, frozen=True):
    """The request that was served; headers, cookies and data are not read at all."""

    method: Text = None
    url: Text = None


_ISSUE_IN_URL = re.compile(r"/issues/(\d+)")
_PROJECT_IN_URL = re.compile(r"/projects/[^/]+/([^/]+)/")


class Event(msgspec.Struct, frozen=True):
    """One event of an issue alert."""

    event_id: str = ""
    issue_id: Id = None
    issue_url: str = ""
    url: str = ""
    web_url: str = ""
    title: Text = None
    message: Text = None
    culprit: Text = None
    level: Text = None
    platform: Text = None
    release: Text = None
    environment: Text = None
    datetime: Text = None
    project: Id = None
    project_slug: Text = None
    tags: list[list[Text] | None] | None = None
    exception: Exceptions | None = None
    breadcrumbs: Breadcrumbs | None = None
    request: Request | None = None

    @property
    def issue(self) -> str:
        """The number of the issue that the event belongs to, or an empty text."""
        found = _ISSUE_IN_URL.search(self.issue_url) or _ISSUE_IN_URL.search(self.web_url)
        return str(self.issue_id) if self.issue_id is not None else found[1] if found else ""

    @property
    def project_slug_or_url(self) -> str:
        """The project's short name; older payloads have it in a URL only."""
        found = _PROJECT_IN_URL.search(self.url)
        return self.project_slug or (found[1] if found else "")

    @property
    def project_id(self) -> str:
        """The project's number, or an empty text."""
        return "" if self.project is None else str(self.project)

    @property
    def name(self) -> str:
        """A title in any case."""
        return self.title or self.message or self.culprit or "An error"


class MetricAlert(msgspec.Struct, frozen=True):
    """An alert about a number."""

    id: str
    title: Text = None
    projects: list[Text] | None = None
    date_detected: Text = None


class Data(msgspec.Struct, frozen=True):
    """What the resources have in ``data``."""

    event: Event | None = None
    issue: Issue | None = None
    triggered_rule: str = ""
    metric_alert: MetricAlert | None = None
    description_title: Text = None
    description_text: Text = None
    web_url: Text = None
    comment: Text = None
    comment_id: Id = None
    issue_id: Id = None
    project_slug: Text = None
    timestamp: Text = None


class Payload(msgspec.Struct, frozen=True):
    """Any resource."""

    action: str
    data: Data
    actor: Actor | None = None
    installation: Installation | None = None
