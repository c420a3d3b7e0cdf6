"""A stateful Sentry of ours: issues, notes, resolving, the link of an integration.

After https://docs.sentry.io/api/ and, for notes, https://github.com/getsentry/sentry.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from testing.rest_server import Answer, Json, RestServer

TOKEN = "sentry-token-of-tests"
ORGANIZATION = "acme"
BOT = {"id": "77", "name": "journeyman-1a2b"}
APP = "3b1f5a2c-0000-4000-8000-000000000000"
EVENT = "a" * 32
INSTALLATION = "a8e5d37a-696c-4c54-adb5-b3f28d64c7de"


MAX_FOUND = 5
"""Of issues on one page, so that tests read several."""


def iso(at: float) -> str:
    """A time as Sentry tells it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass
class Issue:
    """One issue; ``updates`` are the statuses that it was given."""

    id: str
    status: str = "unresolved"
    notes: list[dict[str, Any]] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    updates: list[str] = field(default_factory=list)
    project: str = "backend"
    substatus: str = "new"
    first_seen: float = 0.0
    last_seen: float = 0.0
    activity: list[dict[str, Any]] = field(default_factory=list)


class SentryServer(RestServer):
    """``has_releases``: whether something can be resolved in the next one; ``scopes`` are our token's.

    ``event`` is the newest one of every issue, and ``committers`` who may have brought it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.issues: dict[str, Issue] = {}
        self.has_releases = True
        self.event: Json | None = None
        self.committers: list[Json] = []
        self.scopes = ["event:read", "event:write", "org:read"]
        self.edits = 0
        self._next = 500

    def opens(self, project: str = "backend") -> Issue:
        """A new issue."""
        self._next += 1
        now = self.clock()
        self.issues[str(self._next)] = issue = Issue(id=str(self._next), project=project, first_seen=now, last_seen=now)
        return issue

    def seen(self, issue: Issue) -> None:
        """The error happens once more; one that was resolved has come back."""
        issue.last_seen = self.clock()
        if issue.status == "resolved":
            issue.status, issue.substatus = "unresolved", "regressed"
            self._acted(issue, "set_regression", later_s=2.0)

    def resolved(self, issue: Issue) -> None:
        """Somebody resolves it."""
        issue.status, issue.substatus = "resolved", ""
        self._acted(issue, "set_resolved")

    def _acted(self, issue: Issue, what: str, later_s: float = 0.0) -> None:
        self._next += 1
        at = iso(self.clock() + later_s)
        issue.activity.insert(0, {"id": str(self._next), "type": what, "dateCreated": at, "data": {}})

    def told(self, issue: Issue) -> dict[str, Any]:
        """As lists and webhooks have it."""
        return {
            "id": issue.id,
            "title": "ZeroDivisionError",
            "status": issue.status,
            "substatus": issue.substatus,
            "firstSeen": iso(issue.first_seen),
            "lastSeen": iso(issue.last_seen),
            "permalink": f"https://{ORGANIZATION}.sentry.io/issues/{issue.id}/",
            "project": {"id": "1" if issue.project == "backend" else "2", "slug": issue.project},
            "count": "7",
        }

    def _found(self, query: dict[str, str]) -> Answer:
        minutes = re.fullmatch(r"lastSeen:-(\d+)m", query.get("query", ""))
        if minutes is None or (query.get("sort"), query.get("project")) != ("date", "-1"):
            return 400, {"detail": "Error parsing search query"}
        after = self.clock() - 60 * int(minutes[1])
        found = sorted(self.issues.values(), key=lambda each: each.last_seen, reverse=True)
        found = [each for each in found if each.last_seen >= after]
        start = int(query.get("cursor", "0:0:0").split(":")[1])
        more = str(start + MAX_FOUND < len(found)).lower()
        self.link = (
            f'<{self.url}/?cursor=0:0:1>; rel="previous"; results="false"; cursor="0:0:1", '
            f'<{self.url}/?cursor=x>; rel="next"; results="{more}"; cursor="0:{start + MAX_FOUND}:0"'
        )
        return 200, [self.told(each) for each in found[start : start + MAX_FOUND]]

    def thread(self, issue: Issue) -> str:
        """As deliveries name the issue."""
        return f"sentry:{issue.id}"

    def answer(self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: Json) -> Answer:
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {"detail": "Invalid token"}
        found = re.fullmatch(rf"/api/0/organizations/{ORGANIZATION}/issues/(\d+)/(?:(.+)/)?", path)
        match method, path:
            case "GET", "/api/0/":
                return 200, {"version": "0", "user": BOT, "auth": {"scopes": self.scopes}}
            case "GET", _ if (
                self.event and path == f"/api/0/projects/{ORGANIZATION}/backend/events/{EVENT}/committers/"
            ):
                return (200, {"committers": self.committers}) if self.committers else (404, {"detail": "No committers"})
            case "GET", _ if path == f"/api/0/organizations/{ORGANIZATION}/projects/":
                return 200, [{"id": "1", "slug": "backend"}, {"id": "2", "slug": "other"}]
            case "GET", _ if path == f"/api/0/organizations/{ORGANIZATION}/sentry-app-installations/":
                return 200, [{"uuid": INSTALLATION, "app": {"slug": "journeyman-1a2b", "uuid": APP}}]
            case "POST", _ if path == f"/api/0/sentry-app-installations/{INSTALLATION}/external-issues/":
                self.issues[str(body["issueId"])].links["journeyman-1a2b"] = body["webUrl"]
                return 200, {"id": "9", "issueId": str(body["issueId"]), "webUrl": body["webUrl"]}
            case "GET", _ if path == f"/api/0/organizations/{ORGANIZATION}/issues/":
                return self._found(query)
            case _ if found is not None and found[1] in self.issues:
                return self._of_issue(method, self.issues[found[1]], found[2] or "", body)
            case _:
                return 404, {"detail": "The requested resource does not exist"}

    def _of_issue(self, method: str, issue: Issue, rest: str, body: Json) -> Answer:
        what, _, id = rest.partition("/")
        match method, what:
            case "GET", "events" if id == "latest" and self.event is not None:
                return 200, self.event
            case "GET", "":
                return 200, {**self.told(issue), "activity": issue.activity}
            case "PUT", "":
                return self._updated(issue, body["status"])
            case "GET", "comments":
                return 200, list(reversed(issue.notes))
            case "POST", "comments":
                if any(each["data"]["text"] == body["text"] and each["user"] == BOT for each in issue.notes):
                    return 400, {"detail": "You have already posted that comment."}
                return 201, self.says(issue, body["text"], BOT)
            case "PUT", "comments":
                note = next((each for each in issue.notes if each["id"] == id), None)
                if note is None or note["user"] != BOT:
                    return 404, {"detail": "The requested resource does not exist"}
                self.edits += 1
                note["data"]["text"] = body["text"]
                return 200, note
            case _:
                return 405, {"detail": "Method not allowed"}

    def says(self, issue: Issue, text: str, user: dict[str, str]) -> dict[str, Any]:
        """Somebody writes a note."""
        self._next += 1
        note = {"id": str(self._next), "user": user, "type": "note", "data": {"text": text}}
        issue.notes.append(note)
        return note

    def _updated(self, issue: Issue, status: str) -> Answer:
        if status == "resolvedInNextRelease" and not self.has_releases:
            return 400, {"detail": "No release data present in the system to form a basis for 'Next Release'"}
        issue.updates.append(status)
        issue.status = "resolved" if status.startswith("resolved") else status
        return 200, {"id": issue.id, "status": issue.status}
