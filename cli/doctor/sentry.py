"""What Sentry's credentials let us do: the integration, its scopes, and the projects in journeyman.toml.

Source: https://docs.sentry.io/api/permissions/ and https://docs.sentry.io/api/organizations/
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from cli.doctor.finding import Finding, bad, good, note
from cli.doctor.senders import Credentials
from services.gateway.inbound.sentry import KNOWN_TRIGGERS
from services.gateway.outbound.channels.rest import Gone, Rest
from services.gateway.outbound.channels.sentry import NAME, rest_of
from shared.ops.config import Config, SenderPolicy
from shared.ops.settings import Settings, variable_of

SCOPES: Final = {
    "event:read": ("event:read", "event:write", "event:admin"),
    "event:write": ("event:write", "event:admin"),
    "org:read": ("org:read", "org:write", "org:admin"),
}
"""What we need, and what has it in it."""
MAX_PAGES: Final = 10


class _Name(msgspec.Struct, frozen=True):
    name: str | None = None


class _Auth(msgspec.Struct, frozen=True):
    scopes: list[str] | None = None


class _Root(msgspec.Struct, frozen=True):
    user: _Name | None = None
    auth: _Auth | None = None


class _Project(msgspec.Struct, frozen=True):
    id: str
    slug: str = ""


def _wants(policy: SenderPolicy) -> list[str]:
    return ["resolve"] if policy.resolve else []


async def _ask(rest: Rest, settings: Settings, config: Config) -> list[Finding]:
    root = await rest.get(_Root, "/api/0/")
    if root.user is None:
        mend = f"Renew {variable_of('sentry_token')}: the token of an internal integration."
        return [bad("Sentry", f"{settings.sentry_url} does not know our token", mend)]
    scopes = root.auth.scopes if root.auth is not None else None
    lacking = [scope for scope, enough in SCOPES.items() if scopes is not None and not set(enough) & set(scopes)]
    if lacking:
        mend = "Give the integration Issue & Event: Read & Write, and Organization: Read."
        return [bad("Sentry", f"the token lacks {', '.join(lacking)}", mend)]
    organization = f"/api/0/organizations/{settings.sentry_organization}"
    try:
        pages = rest.pages(list[_Project], f"{organization}/projects/", most=MAX_PAGES)
        projects = [project async for page in pages for project in page]
    except Gone as error:
        mend = f"Correct {variable_of('sentry_organization')}, or make the integration in that organization."
        return [bad("Sentry", error.sentence, mend)]
    who = f"we are {root.user.name or 'an integration'} in {settings.sentry_organization}"
    return [
        good("Sentry", f"{who} at {settings.sentry_url}"),
        *_sources(projects, config),
        *_triggers(config.sender(NAME)),
        *await _link(rest, organization),
    ]


def _sources(projects: list[_Project], config: Config) -> list[Finding]:
    there = {name.lower() for project in projects for name in (project.slug, project.id)}
    slugs = ", ".join(sorted(project.slug for project in projects)) or "none"
    return [
        bad("Sentry", f"there is no project {source!r} for us, only {slugs}", f"Correct sources of {name}.")
        for name, repo in config.repos.items()
        for source in repo.sources.get(NAME, ())
        if source.lower() not in there
    ]


def _triggers(policy: SenderPolicy) -> list[Finding]:
    unknown = [each for each in policy.triggers or () if each not in KNOWN_TRIGGERS]
    if not unknown:
        return []
    mend = f"There are {', '.join(KNOWN_TRIGGERS)}: mend triggers under [senders.{NAME}]."
    return [bad("Sentry", f"{', '.join(map(repr, unknown))} is nothing that Sentry sends", mend)]


async def _link(rest: Rest, organization: str) -> list[Finding]:
    seen = len(await rest.get(list[Any], f"{organization}/sentry-app-installations/"))
    if seen == 1:
        return []
    said = f"the token sees {seen} integrations, so that issues get no link to the pull request (the note has it)"
    return [note("Sentry", said, "Use the token of one internal integration.")]


CREDENTIALS: Final = Credentials(needs=("sentry_organization", "sentry_token"), rest_of=rest_of, wants=_wants, ask=_ask)
