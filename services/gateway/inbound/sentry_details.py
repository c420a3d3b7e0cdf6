"""What Sentry is asked for when a task is opened: how often an error was seen, its newest event, and suspect commits.

Alerts bring an event and no numbers, and the webhooks of issues no event. Suspect commits are no published part of
Sentry's API. Source: https://docs.sentry.io/api/events/ and https://github.com/getsentry/sentry
(src/sentry/issues/endpoints/event_file_committers.py)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
import structlog

from services.gateway.inbound.authorisation import Asked, Details
from services.gateway.inbound.sentry import NAME, with_issue
from services.gateway.inbound.sentry_payloads import Event, Issue
from services.gateway.inbound.sentry_text import text_of_commits, text_of_event, text_of_issue, together
from services.gateway.outbound.channels.rest import Rest
from services.gateway.outbound.channels.sentry import rest_of
from services.gateway.outbound.displays import CannotShow
from shared.contracts.delivery import Signal, SignalKind
from shared.ops.config import Config
from shared.ops.settings import Settings

Json = dict[str, Any]
OPENS: Final = (SignalKind.WORK, SignalKind.COMMENT)

log = structlog.get_logger(__name__)


class _Commit(msgspec.Struct, frozen=True, rename="camel"):
    id: str = ""
    message: str | None = None
    date_created: str | None = None


class _Committer(msgspec.Struct, frozen=True):
    commits: list[_Commit] = []


class _Committers(msgspec.Struct, frozen=True):
    committers: list[_Committer] = []


def details_of(settings: Settings, config: Callable[[], Config]) -> Details | None:
    """Sentry, where there are credentials for it. Raises ValueError with the mend for half of them."""
    rest = rest_of(settings)
    return None if rest is None else SentryDetails(rest, config, organization=settings.sentry_organization)


class SentryDetails:
    """Asks for the issue that a new task is about."""

    def __init__(self, rest: Rest, config: Callable[[], Config], *, organization: str) -> None:
        self._rest = rest
        self._config = config
        self._organization = organization

    async def completed(self, asked: Asked) -> Signal:
        """See `Details`."""
        signal, id = asked.signal, asked.signal.thread.removeprefix(f"{NAME}:")
        if not asked.opens or signal.kind not in OPENS or not id.isdecimal():
            return signal
        path = f"/api/0/organizations/{self._organization}/issues/{id}/"
        issue = await self._rest.get(Issue, path)
        newest = await self._or_nothing(Json, f"{path}events/latest/") or {}
        has_event = asked.accepted.event == "event_alert"
        told = signal.text if has_event else text_of_event(event_of(newest), "") if newest else ""
        commits = await self._commits(issue, str(newest.get("eventID") or ""))
        return with_issue(signal, issue, together(text_of_issue(issue), commits, told), self._config())

    async def _commits(self, issue: Issue, event: str) -> str:
        if not event or not issue.project.slug:
            return ""
        path = f"/api/0/projects/{self._organization}/{issue.project.slug}/events/{event}/committers/"
        found = await self._or_nothing(_Committers, path)
        commits = [commit for each in found.committers for commit in each.commits] if found else []
        return text_of_commits([(each.id, each.message or "", each.date_created or "") for each in commits])

    async def _or_nothing(self, shape: type[msgspec.Struct] | type[Json], path: str) -> Any:
        try:
            return await self._rest.get(shape, path)
        except CannotShow as error:
            # Neither is there for every issue, nor may every token see it.
            log.info("Sentry has no details of an issue", path=path, reason=error.sentence)
            return None


def event_of(told: Json) -> Event:
    """An event of Sentry's API as an alert has it: the API has the interfaces as entries, and other names."""
    entries = {each.get("type"): each.get("data") for each in _dicts(told.get("entries"))}
    release = told.get("release")
    tags = [[each.get("key"), each.get("value")] for each in _dicts(told.get("tags"))]
    event: Json = {
        "title": told.get("title"),
        "culprit": told.get("culprit"),
        "platform": told.get("platform"),
        "message": told.get("message"),
        "datetime": told.get("dateCreated"),
        "release": release.get("version") if isinstance(release, dict) else None,
        "tags": tags,
        "exception": {"values": [_thrown(each) for each in _values(entries.get("exception"))]},
        "breadcrumbs": {"values": _values(entries.get("breadcrumbs"))},
        "request": entries.get("request"),
    }
    known = {name: _fits(name, value) for name, value in event.items()}
    return msgspec.convert({name: value for name, value in known.items() if value is not None}, Event)


def _fits(name: str, value: Any) -> Any:
    """The value, or None where it is not what the documentation says."""
    try:
        msgspec.convert({name: value}, Event)
    except msgspec.ValidationError:
        return None
    return value


def _thrown(thrown: Json) -> Json:
    stacktrace = thrown.get("stacktrace")
    frames = _dicts(stacktrace.get("frames")) if isinstance(stacktrace, dict) else []
    return {**thrown, "stacktrace": {"frames": [_frame(each) for each in frames]}}


def _frame(frame: Json) -> Json:
    """With its lines around the one that it is at, which the API gives with their numbers."""
    at, lines = frame.get("lineNo"), [each for each in frame.get("context") or () if isinstance(each, list)]
    around = [(each[0], str(each[1])) for each in lines if len(each) == 2 and isinstance(each[0], int)]
    return {
        "function": frame.get("function"),
        "filename": frame.get("filename"),
        "abs_path": frame.get("absPath"),
        "module": frame.get("module"),
        "lineno": at if isinstance(at, int) else None,
        "in_app": frame.get("inApp"),
        "context_line": next((line for number, line in around if number == at), None),
        "pre_context": [line for number, line in around if isinstance(at, int) and number < at],
        "post_context": [line for number, line in around if isinstance(at, int) and number > at],
    }


def _dicts(value: Any) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _values(data: Any) -> list[Json]:
    return _dicts(data.get("values")) if isinstance(data, dict) else []
