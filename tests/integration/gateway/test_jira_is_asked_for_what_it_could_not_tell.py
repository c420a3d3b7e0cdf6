"""A Jira with its own clock and time zone; webhooks are lost, come twice and late; gateways die while they ask."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from pydantic import SecretStr, ValidationError

from services.gateway.inbound import jira_missed
from services.gateway.inbound.jira import read
from services.gateway.outbound.displays import CannotShow, NotNow
from shared.contracts.delivery import SignalKind, Word
from shared.nats.bus import Bus
from shared.nats.positions import Positions
from shared.ops.config import Config, Repo, SenderPolicy
from shared.ops.settings import Settings
from testing import jira_server
from testing.campaign_size import CampaignSize
from testing.fault_proxy import Fault, FaultProxy
from testing.jira_server import Issue, JiraServer
from testing.missed import Asking

FAULTS = (Fault.ERROR_BEFORE, Fault.DROPPED, Fault.LOST_AFTER, Fault.LIMITED)
MINUTE = 60.0


class World(Asking):
    """A Jira, the log, and gateways that come and go."""

    def __init__(self, server: JiraServer) -> None:
        policy = SenderPolicy(
            accounts=(jira_server.BOT,),
            people=("ada",),
            label="agent",
            statuses=("In Progress",),
            jql={"OPS": "priority = Highest"},
        )
        repo = Repo(url="https://git.test/app.git", sources={"jira": ("APP", "OPS/core")})
        config = Config(repos={"octo/app": repo}, senders={"jira": policy})
        super().__init__("jira", server, self._credentials, jira_missed.source_of, config)
        self.server = server
        server.filters["priority = Highest"] = lambda issue: issue.fields.get("priority") == "Highest"

    def _credentials(self, url: str) -> Settings:
        email, token = jira_server.EMAIL if self.server.cloud else "", SecretStr(jira_server.TOKEN)
        return Settings.model_construct(jira_url=url, jira_email=email, jira_token=token)

    async def hears(self, body: bytes) -> None:
        await self.tell(msgspec.json.decode(body)["webhookEvent"], body)

    def commented(self, issue: Issue, text: str, author: str = "ada") -> tuple[dict[str, Any], bytes]:
        comment = self.server.says(issue, text, [], author)
        return comment, self.server.delivery("comment_created", issue, author, comment=comment)

    def changed(self, issue: Issue, author: str, *items: dict[str, Any]) -> bytes:
        change = self.server.changes_of(issue, author, *items)
        return self.server.delivery(
            "jira:issue_updated", issue, author, changelog={"id": change["id"], "items": change["items"]}
        )


def item(field: str, before: str | None, after: str | None, to: str | None = None) -> dict[str, Any]:
    return {"field": field, "fromString": before, "toString": after, "from": None, "to": to}


@pytest_asyncio.fixture(params=["cloud", "data center"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with JiraServer(cloud=request.param == "cloud") as server:
        yield World(server)


async def test_what_was_there_before_us_is_no_work(world: World) -> None:
    issue = world.server.opens()
    world.commented(issue, "@agent plan")
    world.time += 10 * MINUTE
    assert [await world.look(0), await world.look(), len(world.signals)] == [0, 0, 0]


async def test_each_trigger_that_no_webhook_brought_is_found_once_and_only_what_is_ours(world: World) -> None:
    await world.look()
    labelled, moved, given, said, elsewhere, plain = (
        world.server.opens(key) for key in ("APP-1", "APP-2", "APP-3", "OPS-4", "HR-5", "APP-6")
    )
    world.changed(labelled, "ada", item("labels", "", "x agent"))
    world.changed(moved, "ada", item("status", "To Do", "In Progress"))
    world.changed(given, "ada", item("assignee", None, "Journeyman", jira_server.BOT))
    world.commented(said, "@agent plan")
    world.commented(elsewhere, "@agent plan")
    world.commented(plain, "nothing for anybody")
    world.changed(plain, jira_server.BOT, item("labels", "", "agent"))
    assert await world.look(10.0) == 0, "webhooks have a minute for it"
    assert await world.look() == 4
    assert {(each.kind, each.thread.rpartition("#")[2]) for each in world.signals} == {
        (SignalKind.WORK, labelled.id),
        (SignalKind.WORK, moved.id),
        (SignalKind.WORK, given.id),
        (SignalKind.COMMENT, said.id),
    }
    assert [await world.look() for _ in range(3)] == [0, 0, 0]


async def test_a_webhook_and_our_asking_are_one_delivery_in_either_order(world: World) -> None:
    await world.look()
    issue = world.server.opens()
    bodies = [world.commented(issue, "@agent plan")[1], world.changed(issue, "ada", item("labels", "", "agent"))]
    await world.hears(bodies[0])
    assert await world.look() == 1
    for body in bodies:
        await world.hears(body)
    assert Counter(each.kind for each in world.signals) == {SignalKind.COMMENT: 1, SignalKind.WORK: 1}


async def test_the_issue_is_told_as_it_was_when_it_was_changed(world: World) -> None:
    await world.look()
    issue = world.server.opens()
    for number in range(4):
        world.changed(issue, "ada", item("summary", "It drops" if not number else f"No. {number - 1}", f"No. {number}"))
    world.changed(issue, "ada", item("labels", "", "agent"))
    world.changed(issue, "ada", item("summary", "No. 3", "Other words"))
    world.changed(issue, "ada", item("status", "To Do", "Done"), item("resolution", None, "Fixed"))
    world.changed(issue, "ada", item("status", "Done", "To Do"), item("resolution", "Fixed", None))
    await world.look()
    told = [(each.kind, each.title) for each in world.signals]
    assert told == [
        *[(SignalKind.EDITED, f"No. {number}") for number in range(4)],
        (SignalKind.WORK, "No. 3"),
        (SignalKind.EDITED, "Other words"),
        (SignalKind.CLOSED, "Other words"),
        (SignalKind.REOPENED, "Other words"),
    ]


async def test_words_that_were_edited_before_anybody_heard_them_are_a_wish_and_never_approve(world: World) -> None:
    await world.look()
    wished, approved = world.server.opens(), world.server.opens()
    for issue, text in ((wished, "@agent plan the parser"), (approved, "@agent approve v1 3fa94c11")):
        comment, _ = world.commented(issue, "hm")
        world.time += 1
        world.server.rewords(issue, comment, text)
    await world.look()
    assert {(each.kind, each.directive) for each in world.signals} == {
        (SignalKind.COMMENT, Word.PLAN),
        (SignalKind.EDITED, Word.PLAN),
    }


async def test_what_comes_to_fit_a_filter_is_work_once_and_a_wrong_filter_stops_nothing(world: World) -> None:
    await world.look()
    policy = world.config.senders["jira"].model_copy(update={"jql": {"APP": "priority =", "OPS": "priority = Highest"}})
    world.config = world.config.model_copy(update={"senders": {"jira": policy}})
    fits, other = world.server.opens("OPS-1"), world.server.opens("OPS-2")
    world.changed(fits, "eve", item("priority", "Low", "Highest"))
    world.changed(other, "eve", item("priority", "Low", "High"))
    assert await world.look() == 1
    (signal,) = world.signals
    assert (signal.kind, signal.thread, signal.trusted) == (SignalKind.WORK, world.server.thread(fits), False)
    world.changed(fits, "eve", item("summary", "It drops", "It really drops"))
    await world.look()
    assert [each.kind for each in world.signals] == [SignalKind.WORK, SignalKind.EDITED]


async def test_nothing_is_asked_before_we_know_ourselves_nor_while_jira_takes_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jira_missed, "OWN_TRIES", 1)
    await world.look()
    world.commented(world.server.opens(), "@agent plan")
    known = world.config
    world.config = known.model_copy(update={"senders": {}})
    with pytest.raises(NotNow, match="not known yet"):
        await world.look()
    world.config = known
    async with FaultProxy(world.server.url, retry_after_s=3600) as proxy:
        world.url = proxy.url
        gateway = world.gateway()
        proxy.then(Fault.LIMITED)
        for _ in range(3):
            with pytest.raises(NotNow):
                await gateway.look()
        assert proxy.happened == {Fault.LIMITED: 1}, "until then nothing is sent"
        gateway.drain()
        await gateway.run()
    world.url = world.server.url
    assert await world.look() == 1


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_lost_on_the_way_stands_in_the_log_once(world: World, seed: int) -> None:
    await _a_day_of_faults(world, Random(seed))


@pytest.mark.campaign
@pytest.mark.timeout(3600)
async def test_whatever_is_lost_on_the_way_stands_in_the_log_once_in_many_runs(
    world: World, campaign_size: CampaignSize
) -> None:
    for seed in range(campaign_size.pick(small=20, full=300)):
        print("seed", seed)
        fresh = World(world.server)
        world.server.issues.clear()
        await _a_day_of_faults(fresh, Random(seed))


async def _a_day_of_faults(world: World, random: Random) -> None:
    """Compared with what stands in the log where every webhook comes."""
    everything = World(world.server)
    world.keeps_time()
    async with FaultProxy(world.server.url, faults=FAULTS, share=0.1, random=random) as proxy:
        await world.look()
        world.url = proxy.url
        issues = [world.server.opens(f"APP-{number}") for number in range(6)]
        late: list[bytes] = []
        for _ in range(30):
            world.time += random.choice((0.2, 5.0, 50.0, 400.0, 4000.0))
            body = _something(world, random, random.choice(issues))
            await everything.hears(body)
            for told in random.choices(([body], [body, body], [], []))[0]:
                if random.random() < 0.7:
                    await world.hears(told)
                else:
                    late.append(told)
            if random.random() < 0.3 and late:
                await world.hears(late.pop(random.randrange(len(late))))
            if random.random() < 0.4:
                await _try(world)
        world.url = world.server.url
        await world.look(jira_missed.LATE_S + 1)
        for told in late:
            await world.hears(told)
    assert _keys(world) == _keys(everything)


def _keys(world: World) -> list[str]:
    return sorted(str(each.actor) for each in world.journal.log)


async def _try(world: World) -> None:
    with contextlib.suppress(NotNow, CannotShow):
        await world.look(1.0)


def _something(world: World, random: Random, issue: Issue) -> bytes:
    match random.randrange(4):
        case 0:
            return world.commented(issue, random.choice(("@agent plan", "@agent status", "well")))[1]
        case 1:
            labels = " ".join(issue.fields.get("labels", []))
            return world.changed(issue, "ada", item("labels", labels, random.choice(("x", "x agent", ""))))
        case 2:
            to = random.choice(("To Do", "In Progress", "Done"))
            fixed = (issue.fields.get("resolution") or {}).get("name")
            now = "Fixed" if to == "Done" else None
            return world.changed(issue, "ada", item("status", issue.status, to), item("resolution", fixed, now))
        case _:
            before = issue.fields.get("summary", "It drops")
            return world.changed(issue, "ada", item("summary", before, f"Version {random.randrange(1000)}"))


def test_one_comment_has_one_name_in_every_time_zone() -> None:
    def named(at: str) -> tuple[str, ...]:
        comment = {"id": "7", "body": "@agent plan", "created": at, "updated": at, "author": {"accountId": "ada"}}
        issue = {"id": "1", "self": "https://acme.test/rest/api/2/issue/1"}
        body = msgspec.json.encode({"webhookEvent": "comment_created", "issue": issue, "comment": comment})
        return read("comment_created", body, Config()).content

    assert named("2026-01-02T04:00:00.123+0000") == named("2026-01-01T20:00:00.123-0800") != ()


@pytest.mark.parametrize("jql", ["", "priority = High ORDER BY key"])
def test_a_filter_that_is_no_condition_is_refused(jql: str) -> None:
    with pytest.raises(ValidationError, match="has to be a condition"):
        SenderPolicy(jql={"OPS": jql})


async def test_a_position_is_kept_in_nats(bus: Bus) -> None:
    assert await Positions(bus).get("jira") is None
    await Positions(bus).put("jira", 12.5)
    await Positions(bus).put("jira", 13.5)
    assert (await Positions(bus).get("jira"), await Positions(bus).get("sentry")) == (13.5, None)
