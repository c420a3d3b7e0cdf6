"""Jira's board, Cloud and Data Center: comments, transitions by the names of statuses, links to pull requests.

Cloud takes documents of ADF and is asked with an account's e-mail and API token; our comments have a property by which
they are found again. Data Center takes wiki markup and is asked with a personal access token; there an anchor, which
nobody sees, is the mark. Source: https://developer.atlassian.com/cloud/jira/platform/rest/v3/ and
https://docs.atlassian.com/software/jira/docs/api/REST/latest/
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import msgspec
import structlog

from services.gateway.outbound.channels import adf
from services.gateway.outbound.channels.board import Board, Note, Parts
from services.gateway.outbound.channels.rest import Gone, Refused, Rest
from services.gateway.outbound.displays import CannotShow
from shared.contracts.reply import EffectKind, Progress
from shared.ops.config import SenderPolicy, Statuses
from shared.ops.settings import Settings, variable_of

NAME: Final = "jira"
PROPERTY: Final = "journeyman"
INTERNAL: Final = {"key": "sd.public.comment", "value": {"internal": True}}
"""Customers of a service desk do not see what has this; elsewhere it says nothing."""
MAX_CHARS: Final = 32_000
"""Of a comment; Jira takes 32,767 where nobody has set another limit."""
WORKED: Final = "An agent has worked on it."
PAGE: Final = 100
MAX_PEOPLE: Final = 1_000
"""Names that are remembered."""
MAX_PAGES: Final = 50

log = structlog.get_logger(__name__)


class _User(msgspec.Struct, frozen=True, rename="camel"):
    account_id: str | None = None
    name: str | None = None
    key: str | None = None
    display_name: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(each for each in (self.account_id, self.name, self.key) if each)


class _Comment(msgspec.Struct, frozen=True):
    id: str
    author: _User | None = None
    body: str | dict[str, Any] | None = None
    properties: list[dict[str, Any]] = []


class _Comments(msgspec.Struct, frozen=True):
    comments: list[_Comment] = []
    total: int = 0


class _CommentsById(msgspec.Struct, frozen=True):
    values: list[_Comment] = []


class _Named(msgspec.Struct, frozen=True):
    id: str = ""
    name: str = ""
    key: str = ""


class _Transition(msgspec.Struct, frozen=True):
    id: str
    name: str = ""
    to: _Named = _Named()


class _Transitions(msgspec.Struct, frozen=True):
    transitions: list[_Transition] = []


class _Fields(msgspec.Struct, frozen=True):
    status: _Named = _Named()
    project: _Named = _Named()


class _Issue(msgspec.Struct, frozen=True):
    id: str
    key: str
    fields: _Fields = _Fields()


class _WorkLog(msgspec.Struct, frozen=True):
    id: str
    author: _User | None = None
    comment: str | dict[str, Any] | None = None
    properties: list[dict[str, Any]] = []


class _WorkLogs(msgspec.Struct, frozen=True):
    worklogs: list[_WorkLog] = []
    total: int = 0


class _Link(msgspec.Struct, frozen=True):
    id: int


def rest_of(settings: Settings, *, http: httpx.AsyncClient | None = None) -> Rest | None:
    """The API, where there are credentials for it. Raises ValueError with the mend for half of them."""
    token = settings.jira_token.get_secret_value()
    if not token:
        return None
    if not settings.jira_url:
        raise ValueError(f"{variable_of('jira_token')} is set without {variable_of('jira_url')}: set both.")
    pair = base64.b64encode(f"{settings.jira_email}:{token}".encode()).decode()
    authorization = f"Basic {pair}" if settings.jira_email else f"Bearer {token}"
    return Rest("Jira", settings.jira_url, variable_of("jira_token"), authorization=authorization, http=http)


def board_of(settings: Settings, parts: Parts, *, http: httpx.AsyncClient | None = None) -> Board | None:
    """The board, where there are credentials for it. Raises ValueError with the mend for half of them."""
    rest = rest_of(settings, http=http)
    if rest is None:
        return None
    return JiraBoard(rest, parts, url=settings.jira_url, is_cloud=bool(settings.jira_email))


class JiraBoard:
    """Comments and statuses of issues, which a thread names by their number."""

    def __init__(self, rest: Rest, parts: Parts, *, url: str, is_cloud: bool) -> None:
        self._rest = rest
        self._parts = parts
        self._url = url
        self._site = urlsplit(url).netloc.lower()
        self._cloud = is_cloud
        self._api = "/rest/api/3" if is_cloud else "/rest/api/2"
        self._own: tuple[str, ...] = ()
        self._people: dict[str, str] = {}

    @property
    def _policy(self) -> SenderPolicy:
        return self._parts.config().sender(NAME)

    def shows(self, kind: EffectKind | None, text: str) -> bool:
        """Comments, links, and the states that journeyman.toml names a status for; an issue takes no reactions."""
        match kind:
            case EffectKind.COMMENT | EffectKind.REFUSAL | EffectKind.ANSWER | EffectKind.LINK:
                return True
            case EffectKind.STATE:
                named = (self._policy.transitions, *self._policy.project_transitions.values())
                return any(status for each in named for name, status in each.items() if name == text)
            case EffectKind.WORK_LOG:
                return self._policy.work_log
            case _:
                return False

    async def own_names(self) -> tuple[str, ...]:
        """Account id on Cloud, name and key on Data Center."""
        if not self._own:
            self._own = (await self._rest.get(_User, f"{self._api}/myself")).names
        return self._own

    async def name_of(self, account: str, place: str) -> str:
        """The name that the account shows; on Data Center accounts are names."""
        if not self._cloud:
            return account
        if account not in self._people:
            try:
                user = await self._rest.get(_User, f"{self._api}/user", accountId=account)
            except CannotShow as unknown:
                log.info("an account has no name for us", account=account, why=unknown.sentence)
                return account
            if len(self._people) >= MAX_PEOPLE:
                self._people.clear()
            self._people[account] = user.display_name or account
        return self._people[account]

    def place(self, thread: str) -> str:
        """The issue's number; raises `CannotShow` for an issue of another Jira than ours."""
        site, _, id = thread.removeprefix(f"{NAME}:").rpartition("#")
        if not id.isdecimal():
            raise CannotShow("place-unknown", f"{thread!r} is no issue of Jira.")
        if site and site != self._site:
            raise CannotShow(
                "other-site",
                f"{thread!r} is an issue of {site}, and the credentials are for {self._site}: set "
                f"{variable_of('jira_url')} to the address that Jira gives in its webhooks.",
            )
        return id

    def fits(self, markdown: str) -> bool:
        """Whether Jira takes it, counted as it is sent."""
        body = self._body("", markdown)
        return len(body if isinstance(body, str) else msgspec.json.encode(body)) <= MAX_CHARS

    async def find(self, place: str, mark: str) -> Note | None:
        """Our own comment with the mark: in its property on Cloud, as its anchor on Data Center."""
        own = set(await self.own_names())
        ours = [each for each in await self._comments(place) if each.author and own.intersection(each.author.names)]
        if not self._cloud:
            anchor = _anchor(mark)
            found = next((each for each in ours if isinstance(each.body, str) and each.body.startswith(anchor)), None)
            return await self._note(place, found.id) if found is not None else None
        for at in range(0, len(ours), PAGE):
            ids = [int(each.id) for each in ours[at : at + PAGE]]
            path, body = f"{self._api}/comment/list", {"ids": ids}
            listed = await self._rest.change(_CommentsById, "POST", path, body, expand="properties")
            marked = [each.id for each in listed.values if _has(each.properties, mark)]
            if marked:
                return await self._note(place, min(marked, key=int))
        return None

    async def _comments(self, place: str) -> Sequence[_Comment]:
        """All of an issue, the oldest first."""
        found: list[_Comment] = []
        for _ in range(MAX_PAGES):
            path = f"{self._api}/issue/{place}/comment"
            page = await self._rest.get(_Comments, path, startAt=len(found), maxResults=PAGE, orderBy="created")
            found += page.comments
            if not page.comments or len(found) >= page.total:
                break
        return found

    async def write(self, place: str, mark: str, markdown: str) -> Note:
        """One more comment, which customers of a service desk do not see."""
        body = {
            "body": self._body(mark, markdown),
            "properties": [{"key": PROPERTY, "value": {"mark": mark}}, INTERNAL],
        }
        made = await self._rest.change(_Comment, "POST", f"{self._api}/issue/{place}/comment", body)
        return await self._note(place, made.id)

    async def rewrite(self, place: str, id: str, mark: str, markdown: str) -> Note:
        """The comment says this instead; raises `Gone`."""
        body = {"body": self._body(mark, markdown)}
        try:
            await self._rest.change(_Comment, "PUT", f"{self._api}/issue/{place}/comment/{id}", body)
        except Refused as refused:
            if "find a comment" not in refused.said:
                raise
            raise Gone("not-there", refused.sentence) from refused
        return await self._note(place, id)

    def _body(self, mark: str, markdown: str) -> str | dict[str, Any]:
        document = adf.document(markdown)
        return document if self._cloud else f"{_anchor(mark)}{adf.wiki(document)}"

    async def _note(self, place: str, id: str) -> Note:
        issue = await self._issue(place)
        return Note(id=id, url=f"{self._url}/browse/{issue.key}?focusedCommentId={id}")

    async def _issue(self, place: str) -> _Issue:
        return await self._rest.get(_Issue, f"{self._api}/issue/{place}", fields="status,project")

    async def move(self, place: str, progress: Progress) -> str:
        """Have the issue's status be the one that journeyman.toml names; raises `CannotShow` where none leads there."""
        issue = await self._issue(place)
        wanted, now = _status_for(self._policy, issue.fields.project.key, progress), issue.fields.status.name
        if not wanted or wanted.lower() == now.lower():
            return now
        path = f"{self._api}/issue/{place}/transitions"
        there = (await self._rest.get(_Transitions, path)).transitions
        found = next((each for each in there if each.to.name.lower() == wanted.lower()), None)
        if found is None:
            leads = ", ".join(dict.fromkeys(repr(each.to.name) for each in there)) or "nowhere"
            raise CannotShow(
                "no-transition",
                f"{issue.key} is {now!r} and cannot be moved to {wanted!r} by our account, only to {leads}: mend "
                f"{progress} of transitions under [senders.{NAME}], or the workflow.",
            )
        try:
            await self._rest.change(msgspec.Raw, "POST", path, {"transition": {"id": found.id}})
        except Refused as refused:
            raise CannotShow("no-transition", f"{issue.key} was not moved to {wanted!r}: {refused}") from refused
        return found.to.name

    async def link(self, place: str, task_id: str, url: str, title: str) -> str:
        """One link for each pull request, which Jira knows by its global id."""
        path = f"{self._api}/issue/{place}/remotelink"
        body: Mapping[str, Any] = {
            "globalId": f"journeyman={task_id}&url={url}"[:255],
            "application": {"type": "journeyman", "name": "Journeyman"},
            "relationship": "pull request",
            "object": {"url": url, "title": title},
        }
        return str((await self._rest.change(_Link, "POST", path, body)).id)

    async def log_work(self, place: str, mark: str, seconds: int, until: datetime) -> str:
        """One entry of the work log; Jira counts minutes, of which a begun one is a whole one."""
        path = f"{self._api}/issue/{place}/worklog"
        if (known := await self._work_log(path, mark)) is not None:
            return known
        minutes = max(1, math.ceil(seconds / 60))
        started = (until - timedelta(minutes=minutes)).astimezone(UTC)
        body: dict[str, Any] = {
            "comment": self._body(mark, WORKED),
            "started": f"{started:%Y-%m-%dT%H:%M:%S}.000+0000",
            "timeSpentSeconds": minutes * 60,
        }
        if self._cloud:
            body["properties"] = [{"key": PROPERTY, "value": {"mark": mark}}]
        return (await self._rest.change(_WorkLog, "POST", path, body, adjustEstimate="leave")).id

    async def _work_log(self, path: str, mark: str) -> str | None:
        """Our own entry with the mark, which is where the marks of comments are."""
        own, anchor = set(await self.own_names()), _anchor(mark)
        seen = 0
        for _ in range(MAX_PAGES):
            page = await self._rest.get(_WorkLogs, path, startAt=seen, maxResults=PAGE, expand="properties")
            for each in page.worklogs:
                if each.author is None or not own.intersection(each.author.names):
                    continue
                has_anchor = isinstance(each.comment, str) and each.comment.startswith(anchor)
                if _has(each.properties, mark) if self._cloud else has_anchor:
                    return each.id
            seen += len(page.worklogs)
            if not page.worklogs or seen >= page.total:
                break
        return None


def _status_for(policy: SenderPolicy, project: str, progress: Progress) -> str:
    of_project: Statuses = policy.project_transitions.get(project, {})
    return of_project.get(progress.value) or policy.transitions.get(progress.value, "")


def _has(properties: Sequence[Mapping[str, Any]], mark: str) -> bool:
    values = [each.get("value") for each in properties if each.get("key") == PROPERTY]
    return any(isinstance(value, dict) and value.get("mark") == mark for value in values)


def _anchor(mark: str) -> str:
    """A macro that shows nothing; ends of it in a mark would show."""
    return "{anchor:journeyman:" + mark.replace("}", "").replace("|", "") + "}\n"
