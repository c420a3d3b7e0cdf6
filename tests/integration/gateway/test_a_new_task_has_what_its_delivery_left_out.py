"""Jira and Sentry are asked for what their deliveries leave out before work begins, which it does anyway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
import pytest_asyncio
from pydantic import SecretStr

from services.gateway.actors.delivery import DECIDER
from services.gateway.inbound import authorisation
from services.gateway.inbound.authorisation import Authorisation
from services.gateway.inbound.detail_sources import details_of
from services.gateway.inbound.sentry_details import event_of
from shared.contracts import task
from shared.contracts.delivery import Accepted, Authorised, Signal
from shared.contracts.ids import derived_task_id
from shared.contracts.subjects import Actor
from shared.event_store.envelope import MessageMetadata, utc_now
from shared.event_store.journal import Head
from shared.ops.config import Config, Repo, SenderPolicy
from shared.ops.settings import Settings, load_settings
from shared.runtime.activity import ActivityContext
from shared.runtime.actor_host import ActorHost
from testing import jira_payloads, jira_server, sentry_payloads, sentry_server
from testing.fault_proxy import Fault, FaultProxy
from testing.jira_server import JiraServer
from testing.received import Received, encoded, signed
from testing.sentry_server import SentryServer

CONFIG = Config(
    repos={
        "octo/app": Repo(url="https://git.test/app.git", sources={"jira": ("APP",), "sentry": ("backend",)}),
        "octo/core": Repo(url="https://git.test/core.git", sources={"jira": ("label:core-team",)}),
    },
    senders={
        "jira": SenderPolicy(people=("*",)),
        "sentry": SenderPolicy(people=("*",), triggers=("event_alert", "issue.created")),
    },
)


@pytest_asyncio.fixture(params=["cloud", "data center"])
async def jira(request: pytest.FixtureRequest) -> AsyncIterator[JiraServer]:
    async with JiraServer(cloud=request.param == "cloud") as server:
        yield server


@pytest_asyncio.fixture
async def sentry() -> AsyncIterator[SentryServer]:
    async with SentryServer() as server:
        yield server


def of_jira(server: JiraServer, url: str = "") -> Settings:
    email = jira_server.EMAIL if server.cloud else ""
    return Settings.model_construct(
        jira_url=url or server.url, jira_email=email, jira_token=SecretStr(jira_server.TOKEN)
    )


def of_sentry(server: SentryServer, url: str = "") -> Settings:
    token = SecretStr(sentry_server.TOKEN)
    return Settings.model_construct(
        sentry_url=url or server.url, sentry_organization=sentry_server.ORGANIZATION, sentry_token=token
    )


class Door:
    """A gateway's door and what it asks about each delivery."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.details = dict(details_of(settings, lambda: CONFIG))
        self.received = Received(name, CONFIG, asked=self.details)
        self.journal = self.received.journal

    async def takes(self, payload: Any, **headers: str) -> Signal:
        """What counts of a delivery in the end."""
        body = encoded(payload)
        sign = ("x-hub-signature", "sha256=") if self.received.name == "jira" else ("sentry-hook-signature", "")
        answer = await self.received.send(body, {**headers, **signed(sign[0], body, prefix=sign[1])})
        assert answer.status == 202, answer
        accepted = self.journal.log[-1]
        assert isinstance(accepted.data, Accepted) and accepted.data.asks_permission is bool(self.details)
        if not accepted.data.asks_permission:
            return accepted.data.signal
        host = ActorHost(self.journal, [DECIDER], source="journeyman/gateway")
        judge = Authorisation(host, cast(Any, self.journal), {}, self.details)
        await judge.judge(accepted, ActivityContext(1, asyncio.Event()))
        told = self.journal.log[-1].data
        assert isinstance(told, Authorised) and told.decided_by == "details"
        return told.signal


def comment_there(server: JiraServer, issue: jira_server.Issue) -> dict[str, Any]:
    """The webhook of Cloud: of the issue it brings few fields."""
    said = jira_payloads.said("@agent plan")
    said["issue"] |= {"id": issue.id, "key": issue.key, "self": f"{server.url}/rest/api/2/{issue.id}"}
    return said


async def test_the_issue_of_a_comment_says_its_repository_and_text(jira: JiraServer) -> None:
    issue = jira.opens()
    issue.fields |= {"labels": ["core-team"], "description": "All of *it*.", "summary": "Long ago"}
    signal = await Door("jira", of_jira(jira)).takes(comment_there(jira, issue))
    assert (signal.repo, signal.title, signal.context) == ("octo/core", "Long ago", "All of **it**.")
    assert (signal.text, signal.directive) == ("@agent plan", "plan")
    assert signal.url == f"{jira.url}/browse/{issue.key}"


async def test_a_comment_of_an_old_server_without_its_issue_opens_a_whole_task(jira: JiraServer) -> None:
    issue = jira.opens()
    said = jira_payloads.comment("@agent plan", author=jira_payloads.server_user())
    said["self"] = f"{jira.url}/rest/api/2/issue/{issue.id}/comment/{said['id']}"
    signal = await Door("jira", of_jira(jira)).takes({"webhookEvent": "comment_created", "comment": said})
    assert (signal.repo, signal.title, signal.context) == ("octo/app", "It drops", "It does.")


async def test_a_task_that_there_is_is_not_asked_about(jira: JiraServer) -> None:
    issue, door = jira.opens(), Door("jira", of_jira(jira))
    thread = jira.thread(issue)
    opened = task.Submitted(title="t", text="x", source=task.Source(kind="jira", reference=thread))
    metadata = MessageMetadata(id="s", source="t", time=utc_now(), principal="jira:ada")
    await door.journal.append(Actor("task", derived_task_id(0, thread)), opened, expected=Head(), metadata=metadata)
    issue.fields["labels"] = ["core-team"]
    assert (await door.takes(comment_there(jira, issue))).repo == "octo/app"


@pytest.mark.parametrize("what", ["gone", "away", "another site"])
async def test_work_begins_as_it_came_where_the_sender_says_nothing(
    jira: JiraServer, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authorisation, "DETAILS_S", 0.3)
    monkeypatch.setattr(authorisation, "AGAIN_S", 0.05)
    issue = jira.opens()
    told = comment_there(jira, issue)
    settings = of_jira(jira)
    match what:
        case "gone":
            jira.issues.clear()
        case "away":
            settings = of_jira(jira, "http://127.0.0.1:9")
            told["issue"]["self"] = "http://127.0.0.1:9/rest/api/2/7"
        case _:
            told["issue"]["self"] = f"https://else.example/rest/api/2/{issue.id}"
    assert (await Door("jira", settings).takes(told)).repo == "octo/app"


async def test_what_fails_once_is_asked_again(jira: JiraServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authorisation, "AGAIN_S", 0.01)
    issue = jira.opens()
    issue.fields["labels"] = ["core-team"]
    async with FaultProxy(jira.url) as proxy:
        proxy.then(Fault.ERROR_BEFORE, Fault.DROPPED)
        told = comment_there(jira, issue)
        told["issue"]["self"] = f"{proxy.url}/rest/api/2/{issue.id}"
        assert (await Door("jira", of_jira(jira, proxy.url)).takes(told)).repo == "octo/core"


async def test_credentials_that_are_gone_meanwhile_hold_nothing_up(jira: JiraServer) -> None:
    door = Door("jira", of_jira(jira))
    asked, door.details = door.details, {}
    door.received = Received("jira", CONFIG, asked=asked)
    door.journal = door.received.journal
    body = encoded(comment_there(jira, jira.opens()))
    await door.received.send(body, signed("x-hub-signature", body, prefix="sha256="))
    host = ActorHost(door.journal, [DECIDER], source="t")
    judge = Authorisation(host, cast(Any, door.journal), {})
    await judge.judge(door.journal.log[-1], ActivityContext(1, asyncio.Event()))
    assert isinstance(door.journal.log[-1].data, Authorised)


COMMITS = [
    {
        "author": {"name": "Eve", "email": "eve@acme.example"},
        "commits": [{"id": "c0ffee" * 6, "message": "Drop prices\n\nReally", "dateCreated": "2026-03-01T08:00:00Z"}],
    }
]
NEWEST: dict[str, Any] = {
    "eventID": sentry_server.EVENT,
    "title": "CartError",
    "culprit": "shop.cart in total",
    "dateCreated": "2026-03-02T11:00:00Z",
    "release": {"version": "shop@1.2.3"},
    "tags": [{"key": "browser", "value": "Firefox"}, {"key": "user", "value": "id:7"}],
    "entries": [
        {
            "type": "exception",
            "data": {
                "values": [
                    {
                        "type": "CartError",
                        "value": "for ada@acme.example",
                        "stacktrace": {
                            "frames": [
                                {"filename": "lib/x.py", "function": "f", "lineNo": 1, "inApp": False},
                                {
                                    "filename": "shop/cart.py",
                                    "function": "total",
                                    "lineNo": 12,
                                    "inApp": True,
                                    "context": [[11, "def total():"], [12, "    return price"], [13, ""], ["x"], None],
                                },
                            ]
                        },
                    }
                ]
            },
        },
        {"type": "breadcrumbs", "data": {"values": [{"category": "query", "message": "SELECT 1"}]}},
        {
            "type": "request",
            "data": {"method": "POST", "url": "https://acme.example/cart?x=1", "cookies": [["sid", "1"]]},
        },
        None,
    ],
}


def told_by(issue: sentry_server.Issue, **more: Any) -> dict[str, Any]:
    return sentry_payloads.payload("created", {"issue": sentry_payloads.issue(id=issue.id, **more)})


async def test_a_new_issue_of_sentry_has_its_stack_its_count_and_the_suspected_commits(sentry: SentryServer) -> None:
    issue = sentry.opens()
    sentry.event, sentry.committers = NEWEST, COMMITS
    signal = await Door("sentry", of_sentry(sentry)).takes(told_by(issue), **{"sentry-hook-resource": "issue"})
    for line in (
        "- Seen: 7 times by 0 users",
        "Commits that Sentry suspects:\n- c0ffeec0ffee (2026-03-01): Drop prices",
        "CartError: for [mail], most recent call last:",
        "    shop/cart.py, line 12, in total\n          def total():\n        >     return price",
        "- Release: shop@1.2.3",
        "- Request: POST /cart",
        "- query (info): SELECT 1",
        "- Tag browser: Firefox",
    ):
        assert line in signal.text, signal.text
    for hidden in ("ada@", "Eve", "eve@", "lib/x.py", "sid", "x=1", "id:7"):
        assert hidden not in signal.text


async def test_an_alert_of_sentry_keeps_its_own_event_and_has_count_and_commits_besides(sentry: SentryServer) -> None:
    issue = sentry.opens()
    sentry.event, sentry.committers = {**NEWEST, "entries": []}, COMMITS
    alert = sentry_payloads.alert(issue_id=issue.id)
    signal = await Door("sentry", of_sentry(sentry)).takes(alert, **{"sentry-hook-resource": "event_alert"})
    assert "(alert Many errors)" in signal.text and "shop/cart.py, line 12" in signal.text
    assert "Seen: 7 times" in signal.text and "Drop prices" in signal.text


async def test_a_comment_at_an_issue_of_sentry_opens_a_task_with_the_issues_text(sentry: SentryServer) -> None:
    issue = sentry.opens()
    said = sentry_payloads.comment("created", "@agent fix it")
    said["data"]["issue_id"] = int(issue.id)
    signal = await Door("sentry", of_sentry(sentry)).takes(said, **{"sentry-hook-resource": "comment"})
    assert (signal.title, signal.text, signal.repo) == ("ZeroDivisionError", "@agent fix it", "octo/app")
    assert "Seen: 7 times" in signal.context and signal.url.endswith(f"/issues/{issue.id}/")


async def test_without_credentials_nothing_is_asked() -> None:
    assert details_of(load_settings({}), lambda: CONFIG) == {}
    signal = await Door("sentry", load_settings({})).takes(
        sentry_payloads.alert(), **{"sentry-hook-resource": "event_alert"}
    )
    assert "shop/cart.py" in signal.text


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"entries": 5, "tags": 5, "release": "x"},
        {"entries": [{"type": "exception", "data": {"values": [{"stacktrace": 5, "type": 5}]}}]},
        {"tags": [{"key": 5}], "title": 7},
    ],
)
def test_an_odd_event_has_what_can_be_read_of_it(odd: dict[str, Any]) -> None:
    assert event_of({**odd, "culprit": "here"}).culprit == "here"
