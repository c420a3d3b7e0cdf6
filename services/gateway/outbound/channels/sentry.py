"""Sentry's board: notes at an issue, its link to the pull request, and that a merge resolves it in the next release.

Notes are no part of Sentry's published API. The same text by the same account within an hour is refused there, which
is as good as written. Source: https://github.com/getsentry/sentry (src/sentry/issues/endpoints/group_notes.py) and
https://docs.sentry.io/api/events/update-an-issue/
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

import httpx
import msgspec
import structlog

from services.gateway.outbound.channels.board import Board, Note, Parts
from services.gateway.outbound.channels.rest import Refused, Rest
from services.gateway.outbound.defused import units
from services.gateway.outbound.displays import CannotShow, NotNow
from shared.contracts.reply import EffectKind, Progress
from shared.ops.settings import Settings, variable_of

NAME: Final = "sentry"
MAX_UNITS: Final = 12_500
MAX_PEOPLE: Final = 1_000
"""Names of people that are kept."""
POSTED_ALREADY: Final = "already posted that comment"
_SUMMARY: Final = re.compile(r"<details><summary>(.*?)</summary>", re.DOTALL)
_MARKER: Final = re.compile(r"^<!-- .*? -->\n?", re.DOTALL)
_TAG: Final = re.compile(r"</?(?:sub|details)>\n*")
_CODE: Final = re.compile(r"</?code>")

log = structlog.get_logger(__name__)


class _User(msgspec.Struct, frozen=True):
    id: str | int | None = None
    name: str | None = None
    email: str | None = None


class _Text(msgspec.Struct, frozen=True):
    text: str = ""


class _Note(msgspec.Struct, frozen=True):
    id: str
    user: _User | None = None
    data: _Text = _Text()


class _Issue(msgspec.Struct, frozen=True):
    id: str
    status: str = ""
    permalink: str | None = None
    project: dict[str, Any] = {}


class _App(msgspec.Struct, frozen=True):
    uuid: str = ""


class _Installation(msgspec.Struct, frozen=True):
    uuid: str
    app: _App = _App()


class _External(msgspec.Struct, frozen=True):
    id: str | int


class _Root(msgspec.Struct, frozen=True):
    user: _User | None = None


def rest_of(settings: Settings, *, http: httpx.AsyncClient | None = None) -> Rest | None:
    """The API, where there are credentials for it. Raises ValueError with the mend for half of them."""
    token = settings.sentry_token.get_secret_value()
    if not token:
        return None
    if not settings.sentry_organization:
        names = variable_of("sentry_token"), variable_of("sentry_organization")
        raise ValueError(f"{names[0]} is set without {names[1]}: set both.")
    url, setting = settings.sentry_url, variable_of("sentry_token")
    return Rest("Sentry", url, setting, authorization=f"Bearer {token}", http=http)


def board_of(settings: Settings, parts: Parts, *, http: httpx.AsyncClient | None = None) -> Board | None:
    """The board, where there are credentials for it. Raises ValueError with the mend for half of them."""
    rest = rest_of(settings, http=http)
    if rest is None:
        return None
    return SentryBoard(rest, parts, organization=settings.sentry_organization)


class SentryBoard:
    """Notes of issues, which a thread names by their number."""

    def __init__(self, rest: Rest, parts: Parts, *, organization: str) -> None:
        self._rest = rest
        self._parts = parts
        self._organization = f"/api/0/organizations/{organization}"
        self._own: tuple[str, ...] = ()
        self._people: dict[str, str] = {}

    def shows(self, kind: EffectKind | None, text: str) -> bool:
        """Notes and links; of the states only that it is done, where journeyman.toml says so."""
        match kind:
            case EffectKind.COMMENT | EffectKind.REFUSAL | EffectKind.ANSWER | EffectKind.LINK:
                return True
            case EffectKind.STATE:
                return text == Progress.DONE and self._parts.config().sender(NAME).resolve
            case _:
                return False

    async def own_names(self) -> tuple[str, ...]:
        """The number of the integration's user and its name; webhooks name the integration itself, by its uuid."""
        if not self._own:
            user = (await self._rest.get(_Root, "/api/0/")).user or _User()
            seen = await self._installations()
            app = seen[0].app.uuid if len(seen) == 1 else ""
            self._own = tuple(str(each) for each in (user.id, user.name, app) if each)
        return self._own

    async def _installations(self) -> list[_Installation]:
        path = f"{self._organization}/sentry-app-installations/"
        try:
            return await self._rest.get(list[_Installation], path)
        except CannotShow:
            # The token of a person has none.
            return []

    async def name_of(self, account: str, place: str) -> str:
        """The name by which the account has written notes there: Sentry tells nobody's by a number alone."""
        if account not in self._people:
            try:
                await self._notes(place)
            except CannotShow as unknown:
                log.info("an account has no name for us", account=account, why=unknown.sentence)
        return self._people.get(account, account)

    async def _notes(self, place: str) -> list[_Note]:
        """The issue's notes; who has written them is remembered."""
        notes = await self._rest.get(list[_Note], f"{self._issue(place)}/comments/")
        named = {str(each.user.id): each.user.name for each in notes if each.user and each.user.name}
        if len(self._people) + len(named) > MAX_PEOPLE:
            self._people.clear()
        self._people |= dict(list(named.items())[:MAX_PEOPLE])
        return notes

    def place(self, thread: str) -> str:
        """The issue's number; a metric alert is no place where anything can be said."""
        id = thread.removeprefix(f"{NAME}:")
        if not id.isdecimal():
            raise CannotShow("place-unknown", f"{thread!r} is no issue of Sentry: nothing can be shown there.")
        return id

    def fits(self, markdown: str) -> bool:
        """Whether people would still read it there."""
        return units(markdown) <= MAX_UNITS

    async def find(self, place: str, mark: str) -> Note | None:
        """Our own note that ends with the mark."""
        own = set(await self.own_names())
        notes = await self._notes(place)
        ours = [each for each in notes if each.user is not None and str(each.user.id) in own]
        found = [each.id for each in ours if each.data.text.endswith(_mark(mark))]
        return await self._note(place, min(found, key=_number)) if found else None

    async def write(self, place: str, mark: str, markdown: str) -> Note:
        """One more note; one that is refused because it is there is looked up."""
        body = {"text": note_of(mark, markdown)}
        try:
            made = await self._rest.change(_Note, "POST", f"{self._issue(place)}/comments/", body)
        except Refused as refused:
            if POSTED_ALREADY not in refused.said:
                raise
            found = await self.find(place, mark)
            if found is None:
                raise NotNow("Sentry says that the note is there, and does not show it yet.") from refused
            return found
        return await self._note(place, made.id)

    async def rewrite(self, place: str, id: str, mark: str, markdown: str) -> Note:
        """The note says this instead; raises `Gone`."""
        body = {"text": note_of(mark, markdown)}
        await self._rest.change(_Note, "PUT", f"{self._issue(place)}/comments/{id}/", body)
        return await self._note(place, id)

    def _issue(self, place: str) -> str:
        return f"{self._organization}/issues/{place}"

    async def _note(self, place: str, id: str) -> Note:
        issue = await self._rest.get(_Issue, f"{self._issue(place)}/")
        return Note(id=id, url=f"{issue.permalink.rstrip('/')}/activity/#event_{id}" if issue.permalink else "")

    async def move(self, place: str, progress: Progress) -> str:
        """Resolve the issue in the next release, unless somebody has resolved it."""
        issue = await self._rest.get(_Issue, f"{self._issue(place)}/")
        if progress is not Progress.DONE or issue.status == "resolved":
            return issue.status
        body = {"status": "resolvedInNextRelease"}
        await self._rest.change(msgspec.Raw, "PUT", f"{self._issue(place)}/", body)
        return "resolved"

    async def log_work(self, place: str, mark: str, seconds: int, until: datetime) -> str:
        """Sentry's issues have no work log."""
        raise CannotShow("no-work-log", "An issue of Sentry has no work log.")

    async def link(self, place: str, task_id: str, url: str, title: str) -> str:
        """The one link that an integration has at an issue: a later one takes its place."""
        installations = await self._installations()
        if len(installations) != 1:
            raise CannotShow(
                "no-installation",
                f"The token of {variable_of('sentry_token')} sees {len(installations)} integrations, so that nobody "
                "knows whose the link would be. The note has it, too.",
            )
        issue = await self._rest.get(_Issue, f"{self._issue(place)}/")
        made = await self._rest.change(
            _External,
            "POST",
            f"/api/0/sentry-app-installations/{installations[0].uuid}/external-issues/",
            {
                "issueId": int(place),
                "webUrl": url,
                "project": str(issue.project.get("slug", "")),
                "identifier": title,
            },
        )
        return str(made.id)


def note_of(mark: str, markdown: str) -> str:
    """A text of ours as Sentry shows Markdown: without HTML, and with a mark that people can read."""
    text = _MARKER.sub("", markdown)
    text = _SUMMARY.sub(lambda found: f"**{_CODE.sub('`', found[1])}**", text)
    return f"{_TAG.sub('', text).strip()}\n\n{_mark(mark)}"


def _mark(mark: str) -> str:
    return f"`journeyman:{mark}`"


def _number(id: str) -> int:
    return int(id) if id.isdecimal() else 0
