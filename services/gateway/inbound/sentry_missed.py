"""What Sentry has not told us: issues that are new, and errors that have come back, as its webhooks tell them.

The list of issues says which ones were seen lately. That an error has come back is told by the issue's activity, with
another time than the webhook has: whether the task has heard of it stands in the task's own events.

Source: https://docs.sentry.io/api/events/list-an-organizations-issues/ and
https://docs.sentry.io/api/events/retrieve-an-issue/
"""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from services.gateway.inbound.missed_events import Happening, Source
from services.gateway.inbound.sentry import COMES_BACK, NAME, came_back_origin
from services.gateway.outbound.channels.rest import Gone, Rest
from services.gateway.outbound.channels.sentry import rest_of
from shared.contracts.ids import derived_task_id
from shared.contracts.subjects import Actor
from shared.event_store.journal import Journal
from shared.ops.config import Config
from shared.ops.settings import Settings

LATE_S: Final = 1200.0
"""A published integration's webhook is tried for a quarter of an hour, and each try has another id and time."""
PAGE: Final = 100
MAX_PAGES: Final = 20
"""Of issues in one look, those that were seen last first."""
Json = dict[str, Any]


class _Activity(msgspec.Struct, frozen=True, rename="camel"):
    type: str = ""
    date_created: str = ""


class _Detail(msgspec.Struct, frozen=True):
    activity: list[_Activity] = []


def source_of(settings: Settings, config: Callable[[], Config], journal: Journal) -> Source | None:
    """Sentry, where there are credentials for it. Raises ValueError with the mend for half of them."""
    rest = rest_of(settings)
    return None if rest is None else SentryMissed(rest, config, journal, organization=settings.sentry_organization)


class SentryMissed:
    """Asks for the issues of the configured projects."""

    def __init__(self, rest: Rest, config: Callable[[], Config], journal: Journal, *, organization: str) -> None:
        self._rest = rest
        self._config = config
        self._journal = journal
        self._organization = f"/api/0/organizations/{organization}"

    @property
    def late_s(self) -> float:
        """See `LATE_S`."""
        return LATE_S

    async def close(self) -> None:
        """Close the connections."""
        await self._rest.close()

    async def now(self) -> float:
        """Sentry's own time; ours where it does not tell its."""
        await self._rest.get(msgspec.Raw, "/api/0/")
        return self._rest.told_at or time.time()

    async def happened(self, since: float, until: float) -> AsyncIterator[Happening]:
        """See `Source`."""
        path, projects = f"{self._organization}/issues/", _projects(self._config())
        minutes = math.ceil((await self.now() - since) / 60) + 1
        wanted: dict[str, str | int] = {"query": f"lastSeen:-{minutes}m", "sort": "date", "project": -1, "limit": PAGE}
        # They are read to the end before anything is done: what is seen meanwhile moves up, and would hide others.
        found: dict[str, Json] = {}
        async for page in self._rest.pages(list[Json], path, most=MAX_PAGES, **wanted):
            found |= {str(each.get("id", "")): each for each in page}
        for id, issue in found.items():
            project = issue.get("project") or {}
            if projects and projects.isdisjoint({str(project.get("slug", "")).lower(), str(project.get("id", ""))}):
                continue
            if since < moment(issue.get("firstSeen")) <= until:
                yield _told("created", issue)
            if issue.get("substatus") == "regressed":
                for back in await self._not_heard(id, since, until):
                    yield _told(COMES_BACK, {**issue, "lastSeen": back})

    async def _not_heard(self, id: str, since: float, until: float) -> list[str]:
        """When the error came back in that time without its task having heard of it, the oldest first."""
        try:
            activity = (await self._rest.get(_Detail, f"{self._organization}/issues/{id}/")).activity
        except Gone:
            return []
        ordered = sorted(activity, key=lambda each: moment(each.date_created))
        heard: Sequence[float] | None = None
        before, missing = 0.0, []
        for each in ordered:
            at = moment(each.date_created)
            if each.type == "set_regression" and since < at <= until:
                heard = await self._heard(id) if heard is None else heard
                # It was seen when somebody had resolved the issue, and a moment before Sentry wrote that down.
                if not any(before < seen <= at for seen in heard):
                    missing.append(_iso(at))
            if each.type.startswith("set_"):
                before = at
        return missing

    async def _heard(self, id: str) -> list[float]:
        origin = came_back_origin(id)
        events = await self._journal.load(Actor("task", derived_task_id(0, f"{NAME}:{id}")))
        origins = [getattr(event.data, "origin", "") for event in events]
        return [moment(each.removeprefix(origin)) for each in origins if each.startswith(origin)]


def _projects(config: Config) -> set[str]:
    return {source.lower() for repo in config.repos.values() for source in repo.sources.get(NAME, ())}


def _told(action: str, issue: Json) -> Happening:
    actor = {"type": "application", "id": NAME, "name": "Sentry"}
    body = {"action": action, "data": {"issue": issue}, "actor": actor}
    return Happening(event="issue", body=msgspec.json.encode(body))


def moment(text: object) -> float:
    """A time of Sentry in seconds since 1970; 0 for what is none."""
    try:
        return datetime.fromisoformat(text).timestamp() if isinstance(text, str) else 0.0
    except (ValueError, OverflowError):
        return 0.0


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
