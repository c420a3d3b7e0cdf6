from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from cli.doctor.finding import Finding, FindingState
from cli.doctor.senders import look_at_senders
from shared.ops.config import Config, Repo, SenderPolicy
from shared.ops.settings import Settings, load_settings
from testing import jira_server, sentry_server
from testing.jira_server import JiraServer
from testing.sentry_server import SentryServer

JIRA = SenderPolicy(
    transitions={"working": "in progress", "done": "Done"}, work_log=True, jql={"OPS": "priority = Highest"}
)


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Where there is no .env."""
    monkeypatch.chdir(tmp_path)


@pytest_asyncio.fixture(params=["cloud", "data center"])
async def jira(request: pytest.FixtureRequest) -> AsyncIterator[JiraServer]:
    async with JiraServer(cloud=request.param == "cloud") as server:
        server.filters["priority = Highest"] = lambda _: False
        yield server


@pytest_asyncio.fixture
async def sentry() -> AsyncIterator[SentryServer]:
    async with SentryServer() as server:
        yield server


def of_jira(server: JiraServer, **more: str) -> Settings:
    email = jira_server.EMAIL if server.cloud else ""
    return load_settings({}, **{"jira_url": server.url, "jira_email": email, "jira_token": jira_server.TOKEN, **more})


def of_sentry(server: SentryServer, **more: str) -> Settings:
    given = {"sentry_url": server.url, "sentry_organization": sentry_server.ORGANIZATION}
    return load_settings({}, **{**given, "sentry_token": sentry_server.TOKEN, **more})


def config(name: str, *sources: str, policy: SenderPolicy | None = None) -> Config:
    repo = Repo(url="https://git.test/app.git", sources={name: sources})
    return Config(repos={"octo/app": repo}, senders={name: policy or SenderPolicy()})


def told(found: list[Finding]) -> str:
    return "\n".join(f"{each.state} {each.what}: {each.detail} {each.mend}" for each in found)


def wrong(found: list[Finding]) -> list[Finding]:
    return [each for each in found if each.state is not FindingState.GOOD]


async def test_what_nobody_has_configured_is_not_looked_at() -> None:
    assert await look_at_senders(load_settings({}), Config()) == []


@pytest.mark.parametrize(
    ("settings", "policies", "said"),
    [
        ({"jira_url": "https://acme.example"}, {}, "bad Jira: its credentials are there by half Set JOURNEYMAN_JIRA"),
        ({"jira_token": "t"}, {}, "bad Jira: JOURNEYMAN_JIRA_TOKEN is set without JOURNEYMAN_JIRA_URL Set both"),
        ({"sentry_organization": "acme"}, {}, "bad Sentry: its credentials are there by half Set JOURNEYMAN"),
        ({"jira_webhook_secret": "s"}, {}, "note Jira: no credentials: nobody is answered"),
        ({}, {"jira": JIRA}, "bad Jira: [senders.jira] has transitions, jql, work_log, which come to nothing"),
        ({}, {"sentry": SenderPolicy(resolve=True)}, "bad Sentry: [senders.sentry] has resolve, which come to nothing"),
    ],
)  # fmt: skip
async def test_credentials_that_are_asked_for_and_missing_are_told(
    settings: dict[str, str], policies: dict[str, SenderPolicy], said: str
) -> None:
    found = await look_at_senders(load_settings({}, **settings), Config(senders=policies))
    assert told(found).startswith(said) and len(found) == 1


async def test_a_jira_that_lets_us_do_everything_is_told_so(jira: JiraServer) -> None:
    found = await look_at_senders(of_jira(jira), config("jira", "APP", "OPS/core", "label:core", policy=JIRA))
    assert [each.what for each in found] == ["Jira", "Jira APP", "Jira OPS", "Jira missed events", "Jira filter of OPS"]
    assert wrong(found) == []


@pytest.mark.parametrize(
    ("forbidden", "policy", "said"),
    [
        ({"ADD_COMMENTS", "LINK_ISSUES"}, SenderPolicy(), "our account may not: Add comments, Link issues"),
        ({"TRANSITION_ISSUES", "WORK_ON_ISSUES"}, SenderPolicy(), ""),
        ({"TRANSITION_ISSUES"}, JIRA, "our account may not: Transition issues"),
        ({"WORK_ON_ISSUES"}, JIRA, "our account may not: Work on issues"),
    ],
)
async def test_what_our_account_may_not_do_in_a_project_is_told_where_it_is_wanted(
    jira: JiraServer, forbidden: set[str], policy: SenderPolicy, said: str
) -> None:
    jira.forbidden = forbidden
    found = wrong(await look_at_senders(of_jira(jira), config("jira", "APP", policy=policy)))
    assert said in told(found) and bool(found) is bool(said)


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (SenderPolicy(transitions={"review": "In Reveiw"}), "has no status 'In Reveiw', only 'To Do', 'In Progress'"),
        (SenderPolicy(project_transitions={"APP": {"done": "Closed"}}), "has no status 'Closed'"),
        (SenderPolicy(jql={"APP": "priorty = 1"}), "Error in the JQL Query"),
        (SenderPolicy(project_transitions={"GONE": {"done": "Done"}}), "bad Jira GONE: "),
    ],
)
async def test_names_in_the_configuration_that_jira_does_not_know_are_told(
    jira: JiraServer, policy: SenderPolicy, said: str
) -> None:
    (found,) = wrong(await look_at_senders(of_jira(jira), config("jira", "APP", policy=policy)))
    assert said in told([found]) and found.mend


async def test_what_keeps_missed_events_from_being_asked_for_is_told(jira: JiraServer) -> None:
    jira.no_projects = {"APP"}
    (found,) = wrong(await look_at_senders(of_jira(jira), config("jira", "APP")))
    assert (found.what, found.state) == ("Jira missed events", FindingState.BAD)
    assert "'APP' does not exist" in found.detail and "sources.jira" in found.mend


async def test_a_token_that_jira_does_not_know_is_told_without_it(jira: JiraServer) -> None:
    (found,) = await look_at_senders(of_jira(jira, jira_token="s3cret-token"), config("jira", "APP"))
    assert found.state is FindingState.BAD and "401" in found.detail and "JOURNEYMAN_JIRA_EMAIL" in found.mend
    assert "s3cret-token" not in told([found])


async def test_an_address_that_is_not_jiras_own_is_told(jira: JiraServer) -> None:
    jira.base_url = "https://jira.acme.example"
    (found,) = wrong(await look_at_senders(of_jira(jira), config("jira", "APP")))
    assert found.state is FindingState.NOTE and "calls itself https://jira.acme.example" in found.detail


async def test_a_sender_that_is_not_there_is_told() -> None:
    settings = {"jira_url": "http://127.0.0.1:9", "jira_token": "t"}
    settings |= {"sentry_url": "http://127.0.0.1:9", "sentry_organization": "acme", "sentry_token": "t"}
    found = await look_at_senders(load_settings({}, **settings), Config())
    assert [(each.what, each.state) for each in found] == [("Jira", "bad"), ("Sentry", "bad")]
    assert all("no answer came from http://127.0.0.1:9" in each.detail for each in found)


async def test_a_sentry_that_lets_us_do_everything_is_told_so(sentry: SentryServer) -> None:
    policy = SenderPolicy(triggers=("event_alert", "issue.created"), resolve=True)
    found = await look_at_senders(of_sentry(sentry), config("sentry", "Backend", "2", policy=policy))
    assert told(found) == f"good Sentry: we are journeyman-1a2b in acme at {sentry.url} "


@pytest.mark.parametrize(
    ("more", "scopes", "sources", "policy", "said"),
    [
        ({"sentry_token": "other"}, None, (), SenderPolicy(), "Renew JOURNEYMAN_SENTRY_TOKEN"),
        ({"sentry_organization": "acm"}, None, (), SenderPolicy(), "Correct JOURNEYMAN_SENTRY_ORGANIZATION"),
        ({}, ["event:read"], (), SenderPolicy(), "the token lacks event:write, org:read"),
        ({}, ["event:admin", "org:admin"], (), SenderPolicy(), ""),
        ({}, None, ("backend", "frontend"), SenderPolicy(), "no project 'frontend' for us, only backend, other"),
        ({}, None, (), SenderPolicy(triggers=("issue.craeted",)), "'issue.craeted' is nothing that Sentry sends"),
    ],
)  # fmt: skip
async def test_what_sentry_does_not_let_us_do_or_know_is_told(
    sentry: SentryServer,
    more: dict[str, str],
    scopes: list[str] | None,
    sources: tuple[str, ...],
    policy: SenderPolicy,
    said: str,
) -> None:
    sentry.scopes = scopes or sentry.scopes
    found = wrong(await look_at_senders(of_sentry(sentry, **more), config("sentry", *sources, policy=policy)))
    assert said in told(found) and bool(found) is bool(said)
    assert all(each.state is FindingState.BAD for each in found)
