"""What Jira has not told us: issues that were changed lately, their histories and comments, as its webhooks tell them.

It is asked by version 2 of the API, whose texts are wiki markup as in webhooks, on Cloud as well. JQL knows minutes
only, in the time zone of whoever asks: so it is asked for the last minutes by Jira's own clock, some more than needed,
and what happened when is told by the histories.

Source: https://developer.atlassian.com/cloud/jira/platform/rest/v2/ and
https://support.atlassian.com/jira-software-cloud/docs/jql-fields/
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
import structlog

from services.gateway.inbound.jira_payloads import BY_FILTER, moment
from services.gateway.inbound.missed_events import Happening, Source
from services.gateway.outbound.channels.jira import NAME, rest_of
from services.gateway.outbound.channels.rest import Gone, Refused, Rest
from services.gateway.outbound.displays import NotNow
from shared.event_store.journal import Journal
from shared.ops.config import Config, SenderPolicy
from shared.ops.settings import Settings

API: Final = "/rest/api/2"
PAGE: Final = 100
MAX_PAGES: Final = 100
"""Of issues in one look, the newest first: what was changed before ten thousand others is not looked for."""
MAX_PAGES_OF_ONE: Final = 20
"""Of one issue's comments, and of its history."""
OWN_TRIES: Final = 50
"""Tenths of a second that our own account is waited for."""
MAX_KEPT: Final = 20_000
"""Issues of which it is known that nothing new is there."""
LATE_S: Final = 60.0
FIELDS: Final = (
    "summary,description,project,components,labels,assignee,reporter,creator,status,resolution,attachment,created,"
    "updated"
)
Json = dict[str, Any]

log = structlog.get_logger(__name__)


class _Server(msgspec.Struct, frozen=True, rename="camel"):
    server_time: str | None = None


class _Found(msgspec.Struct, frozen=True):
    id: str
    fields: Json = {}


class _Issues(msgspec.Struct, frozen=True, rename="camel"):
    issues: list[_Found] = []
    total: int | None = None
    next_page_token: str | None = None


class _History(msgspec.Struct, frozen=True):
    id: str
    created: str = ""
    author: Json | None = None
    items: list[Json] = []


class _Changelog(msgspec.Struct, frozen=True):
    histories: list[_History] = []
    total: int = 0


class _Histories(msgspec.Struct, frozen=True):
    values: list[_History] = []
    total: int = 0


class _Issue(msgspec.Struct, frozen=True):
    id: str
    key: str
    self: str = ""
    fields: Json = {}
    changelog: _Changelog = _Changelog()


class _Comments(msgspec.Struct, frozen=True):
    comments: list[Json] = []
    total: int = 0


def source_of(settings: Settings, config: Callable[[], Config], _journal: Journal) -> Source | None:
    """Jira, where there are credentials for it. Raises ValueError with the mend for half of them."""
    rest = rest_of(settings)
    return None if rest is None else JiraMissed(rest, config, is_cloud=bool(settings.jira_email))


class JiraMissed:
    """Asks for what happened to issues of the configured projects, and for those that a filter makes work."""

    def __init__(self, rest: Rest, config: Callable[[], Config], *, is_cloud: bool) -> None:
        self._rest = rest
        self._config = config
        self._cloud = is_cloud
        self._told: dict[str, float] = {}
        self._filtered: set[str] = set()

    @property
    def late_s(self) -> float:
        """What happened has the same name by its webhook and by our asking, so that either may come first."""
        return LATE_S

    async def close(self) -> None:
        """Close the connections."""
        await self._rest.close()

    async def now(self) -> float:
        """Jira's own time; ours where it does not tell its."""
        server = await self._rest.get(_Server, f"{API}/serverInfo")
        return moment(server.server_time) or self._rest.told_at or time.time()

    async def happened(self, since: float, until: float) -> AsyncIterator[Happening]:
        """See `Source`. An issue that was told to its end is passed over until it is changed again."""
        policy = await self._policy()
        minutes = math.ceil((await self.now() - since) / 60) + 1
        recent = f"updated >= -{minutes}m"
        for found in reversed(await self._search(f"{scope_of(self._config())}{recent} ORDER BY updated DESC")):
            changed = moment(found.fields.get("updated"))
            if changed and self._told.get(found.id) == changed:
                continue
            async for happening in self._of_issue(found.id, since, until):
                yield happening
            if changed and changed <= until:
                self._remember(found.id, changed)
        async for happening in self._by_filters(policy, recent):
            yield happening

    async def _policy(self) -> SenderPolicy:
        """With our own account, which is asked for when the gateway begins: what it has done is no news."""
        for _ in range(OWN_TRIES):
            policy = self._config().sender(NAME)
            if policy.accounts:
                return policy
            await asyncio.sleep(0.1)
        raise NotNow("Which account of Jira is ours is not known yet: what it has done is no news.")

    def _remember(self, id: str, changed: float) -> None:
        if len(self._told) >= MAX_KEPT:
            self._told.clear()
        self._told[id] = changed

    async def _search(self, jql: str) -> list[_Found]:
        """All issues of that query. While pages are read the order moves: an issue may come twice, and none is lost."""
        found: dict[str, _Found] = {}
        path, at = (f"{API}/search/jql", {}) if self._cloud else (f"{API}/search", {"startAt": "0"})
        for _ in range(MAX_PAGES):
            page = await self._rest.get(_Issues, path, jql=jql, fields="updated", maxResults=PAGE, **at)
            found |= {each.id: each for each in page.issues}
            if self._cloud:
                if not page.next_page_token:
                    break
                at = {"nextPageToken": page.next_page_token}
            else:
                begins = int(at["startAt"]) + len(page.issues)
                if not page.issues or begins >= (page.total or 0):
                    break
                at = {"startAt": str(begins)}
        else:
            log.error("too many issues were changed to look at all of them", jql=jql, looked_at=len(found))
        return list(found.values())

    async def _of_issue(self, id: str, since: float, until: float) -> AsyncIterator[Happening]:
        try:
            issue = await self._rest.get(_Issue, f"{API}/issue/{id}", fields=FIELDS, expand="changelog")
            histories = await self._histories(issue)
            comments = await self._comments(id)
        except Gone:
            return
        happenings = [*_changes(issue, histories), *_said(issue, comments, since)]
        for at, happening in sorted(happenings, key=lambda each: each[0]):
            if since < at <= until:
                yield happening

    async def _histories(self, issue: _Issue) -> list[_History]:
        """The oldest first. Cloud gives the newest of a long history with the issue, and all of it for itself."""
        found = {each.id: each for each in issue.changelog.histories}
        if self._cloud and issue.changelog.total > len(found):
            for page in range(MAX_PAGES_OF_ONE):
                path = f"{API}/issue/{issue.id}/changelog"
                part = await self._rest.get(_Histories, path, startAt=page * PAGE, maxResults=PAGE)
                found |= {each.id: each for each in part.values}
                if not part.values or len(found) >= part.total:
                    break
        return sorted(found.values(), key=lambda each: (moment(each.created), len(each.id), each.id))

    async def _comments(self, id: str) -> list[Json]:
        found: list[Json] = []
        path = f"{API}/issue/{id}/comment"
        for _ in range(MAX_PAGES_OF_ONE):
            page = await self._rest.get(_Comments, path, startAt=len(found), maxResults=PAGE, orderBy="-created")
            found += page.comments
            if not page.comments or len(found) >= page.total:
                break
        return found

    async def _by_filters(self, policy: SenderPolicy, recent: str) -> AsyncIterator[Happening]:
        for project, jql in policy.jql.items():
            query = f"project = {quoted(project)} AND ({jql}) AND {recent} ORDER BY updated DESC"
            try:
                fitting = await self._search(query)
            except Refused as refused:
                log.error("a filter is not taken: mend jql under [senders.jira]", project=project, reason=str(refused))
                continue
            for found in fitting:
                if found.id in self._filtered:
                    continue
                try:
                    issue = await self._rest.get(_Issue, f"{API}/issue/{found.id}", fields=FIELDS)
                except Gone:
                    continue
                yield _happening(BY_FILTER, issue, issue.fields, {}, time_of=issue.fields.get("updated"))
                if len(self._filtered) >= MAX_KEPT:
                    self._filtered.clear()
                self._filtered.add(found.id)


def scope_of(config: Config) -> str:
    """The projects and labels that journeyman.toml names; everything that our account sees where it names none."""
    named = [source for repo in config.repos.values() for source in repo.sources.get(NAME, ())]
    labels = sorted({each.partition(":")[2] for each in named if each.lower().startswith("label:")})
    projects = sorted({each.partition("/")[0] for each in named if not each.lower().startswith("label:")})
    parts = [
        f"{field} in ({', '.join(map(quoted, names))})"
        for field, names in (("project", projects), ("labels", labels))
        if names
    ]
    return f"({' OR '.join(parts)}) AND " if parts else ""


def quoted(text: str) -> str:
    """A name as JQL takes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _changes(issue: _Issue, histories: list[_History]) -> list[tuple[float, Happening]]:
    """That it was created and each change, with the issue as it was then: later changes are taken back one by one."""
    fields, found = dict(issue.fields), []
    for history in reversed(histories):
        more = {"user": history.author, "changelog": {"id": history.id, "items": history.items}}
        told = _happening("jira:issue_updated", issue, fields, more, time_of=history.created)
        found.append((moment(history.created), told))
        fields = _before(fields, history.items)
    created = fields.get("created")
    told = _happening("jira:issue_created", issue, fields, {"user": fields.get("creator")}, time_of=created)
    return [(moment(created), told), *reversed(found)]


def _before(fields: Json, items: Iterable[Json]) -> Json:
    """The fields before a change, as far as deliveries are read."""
    older = dict(fields)
    for item in items:
        name, value, key = item.get("field"), item.get("fromString"), item.get("from")
        match name:
            case "summary" | "description":
                older[name] = value
            case "labels":
                older[name] = (value or "").split()
            case "status" | "resolution":
                # Its category is not told: what it was then counts by its name, and by the resolution.
                older[name] = {"name": value} if value else None
            case "assignee":
                older[name] = {"accountId": key, "name": key} if key else None
            case _:
                pass
    return older


def _said(issue: _Issue, comments: Iterable[Json], since: float) -> Iterator[tuple[float, Happening]]:
    """Each comment; one that was edited is told as new, too, because nobody may have heard of it before."""
    for comment in comments:
        created, updated = comment.get("created"), comment.get("updated")
        if moment(created) > since:
            more = {"comment": comment, "user": comment.get("author")}
            yield moment(created), _happening("comment_created", issue, issue.fields, more, time_of=created)
        if moment(updated) > moment(created):
            more = {"comment": comment, "user": comment.get("updateAuthor")}
            yield moment(updated), _happening("comment_updated", issue, issue.fields, more, time_of=updated)


def _happening(event: str, issue: _Issue, fields: Mapping[str, Any], more: Json, *, time_of: Any) -> Happening:
    told = {"id": issue.id, "key": issue.key, "self": issue.self, "fields": fields}
    body = {"webhookEvent": event, "timestamp": int(moment(time_of) * 1000), "issue": told, **more}
    return Happening(event=event, body=msgspec.json.encode(body))
