"""What Jira's credentials let us do: our account, its permissions in each project, and the names in journeyman.toml.

Source: https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-permissions/ and
https://docs.atlassian.com/software/jira/docs/api/REST/latest/
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

import msgspec

from cli.doctor.finding import Finding, bad, good, note
from cli.doctor.senders import Credentials
from services.gateway.inbound.jira_missed import quoted, scope_of
from services.gateway.outbound.channels.jira import NAME, rest_of
from services.gateway.outbound.channels.rest import Gone, Refused, Rest
from services.gateway.outbound.displays import CannotShow
from shared.ops.config import Config, SenderPolicy
from shared.ops.settings import Settings, variable_of

NEEDED: Final = ("BROWSE_PROJECTS", "ADD_COMMENTS", "EDIT_OWN_COMMENTS", "LINK_ISSUES")


class _User(msgspec.Struct, frozen=True, rename="camel"):
    account_id: str | None = None
    name: str | None = None
    display_name: str | None = None


class _Server(msgspec.Struct, frozen=True, rename="camel"):
    base_url: str = ""


class _Permission(msgspec.Struct, frozen=True, rename="camel"):
    name: str = ""
    have_permission: bool = False


class _Permissions(msgspec.Struct, frozen=True):
    permissions: dict[str, _Permission] = {}


class _Status(msgspec.Struct, frozen=True):
    name: str = ""


class _IssueType(msgspec.Struct, frozen=True):
    statuses: list[_Status] = []


def _wants(policy: SenderPolicy) -> list[str]:
    wanted = {
        "transitions": policy.transitions,
        "project_transitions": policy.project_transitions,
        "jql": policy.jql,
        "work_log": policy.work_log,
    }
    return [name for name, value in wanted.items() if value]


async def _ask(rest: Rest, settings: Settings, config: Config) -> list[Finding]:
    is_cloud = bool(settings.jira_email)
    api = "/rest/api/3" if is_cloud else "/rest/api/2"
    try:
        own = await rest.get(_User, f"{api}/myself")
    except CannotShow as error:
        kind = "is set, as on Cloud" if is_cloud else "is not set, as on Data Center"
        mend = f"Renew {variable_of('jira_token')}; {variable_of('jira_email')} {kind}: see whether that is right."
        return [bad("Jira", error.sentence, mend)]
    who = own.display_name or own.name or own.account_id or "an account without a name"
    found = [good("Jira", f"we are {who} at {settings.jira_url}"), *await _address(rest, api, settings)]
    policy = config.sender(NAME)
    for project in _projects(config, policy):
        found.append(await _project(rest, api, project, policy))
    found.append(await _search(rest, api, is_cloud, config))
    found += [await _filter(rest, api, is_cloud, project, jql) for project, jql in policy.jql.items()]
    return found


async def _address(rest: Rest, api: str, settings: Settings) -> list[Finding]:
    """Deliveries name their Jira by its own address: an issue of another one is nothing that we can answer."""
    theirs = (await rest.get(_Server, f"{api}/serverInfo")).base_url
    ours = settings.jira_url
    if not theirs or urlsplit(theirs).netloc.lower() == urlsplit(ours).netloc.lower():
        return []
    mend = f"If its webhooks say so, too, set {variable_of('jira_url')} to that."
    return [note("Jira", f"{ours} calls itself {theirs}", mend)]


def _projects(config: Config, policy: SenderPolicy) -> list[str]:
    """The keys of all projects that journeyman.toml names."""
    sources = [source for repo in config.repos.values() for source in repo.sources.get(NAME, ())]
    named = [each.partition("/")[0] for each in sources if not each.lower().startswith("label:")]
    return list(dict.fromkeys([*named, *policy.project_transitions, *policy.jql]))


async def _project(rest: Rest, api: str, project: str, policy: SenderPolicy) -> Finding:
    what = f"Jira {project}"
    statuses = policy.transitions | policy.project_transitions.get(project, {})
    wanted = [*NEEDED, *(["TRANSITION_ISSUES"] if statuses else []), *(["WORK_ON_ISSUES"] if policy.work_log else [])]
    try:
        has = await rest.get(_Permissions, f"{api}/mypermissions", projectKey=project, permissions=",".join(wanted))
        missing = _missing(has, wanted)
        if missing:
            return bad(what, f"our account may not: {', '.join(missing)}", "Give it that in the project's permissions.")
        types = await rest.get(list[_IssueType], f"{api}/project/{project}/statuses") if statuses else []
    except (Gone, Refused) as error:
        mend = "Correct the key in journeyman.toml, or let our account browse the project."
        return bad(what, error.sentence, mend)
    there = {status.name.lower(): status.name for each in types for status in each.statuses}
    unknown = sorted({status for status in statuses.values() if status and status.lower() not in there})
    if unknown:
        return bad(
            what,
            f"has no status {', '.join(map(repr, unknown))}, only {', '.join(map(repr, there.values()))}",
            f"Mend transitions under [senders.{NAME}], or project_transitions of {project}.",
        )
    return good(what, "our account may do there what it has to")


def _missing(has: _Permissions, wanted: Sequence[str]) -> list[str]:
    """As people find them in Jira."""
    known = {key: each for key, each in has.permissions.items() if key in wanted}
    return [
        (known[key].name if key in known else "") or key.replace("_", " ").title()
        for key in wanted
        if key not in known or not known[key].have_permission
    ]


async def _search(rest: Rest, api: str, is_cloud: bool, config: Config) -> Finding:
    """What the gateway asks every minute: one name that is not there, and Jira refuses all of it."""
    what = "Jira missed events"
    try:
        path = f"{api}/search/jql" if is_cloud else f"{api}/search"
        jql = f"{scope_of(config)}updated >= -1m ORDER BY updated DESC"
        await rest.get(msgspec.Raw, path, jql=jql, fields="updated", maxResults=1)
    except (Gone, Refused) as error:
        mend = f"Name only projects under sources.{NAME} in journeyman.toml that are there and that our account sees."
        return bad(what, error.sentence, mend)
    return good(what, "can be asked for")


async def _filter(rest: Rest, api: str, is_cloud: bool, project: str, jql: str) -> Finding:
    what = f"Jira filter of {project}"
    query = f"project = {quoted(project)} AND ({jql}) ORDER BY updated DESC"
    try:
        path = f"{api}/search/jql" if is_cloud else f"{api}/search"
        await rest.get(msgspec.Raw, path, jql=query, fields="updated", maxResults=1)
    except (Gone, Refused) as error:
        return bad(what, error.sentence, f"Mend jql under [senders.{NAME}].")
    return good(what, "is taken")


CREDENTIALS: Final = Credentials(needs=("jira_url", "jira_token"), rest_of=rest_of, wants=_wants, ask=_ask)
