from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from pydantic import SecretStr

from services.gateway.inbound import sentry_missed
from services.gateway.outbound.displays import NotNow
from shared.contracts import task
from shared.contracts.delivery import SignalKind
from shared.contracts.ids import derived_task_id
from shared.contracts.subjects import Actor
from shared.event_store.envelope import MessageMetadata, utc_now
from shared.event_store.journal import Head
from shared.ops.config import Config, Repo, SenderPolicy
from shared.ops.settings import Settings
from testing import sentry_server
from testing.campaign_size import CampaignSize
from testing.fault_proxy import Fault, FaultProxy
from testing.missed import Asking
from testing.sentry_server import Issue, SentryServer

FAULTS = (Fault.ERROR_BEFORE, Fault.DROPPED, Fault.LOST_AFTER, Fault.LIMITED)
LATE_S = sentry_missed.LATE_S + 1


class World(Asking):
    """A Sentry, the log, and gateways that come and go."""

    def __init__(self, server: SentryServer) -> None:
        repo = Repo(url="https://git.test/app.git", sources={"sentry": ("Backend",)})
        senders = {"sentry": SenderPolicy(triggers=("issue.created",))}
        config = Config(repos={"octo/app": repo}, senders=senders)
        super().__init__("sentry", server, self._credentials, sentry_missed.source_of, config)
        self.server = server

    def _credentials(self, url: str) -> Settings:
        return Settings.model_construct(
            sentry_url=url,
            sentry_organization=sentry_server.ORGANIZATION,
            sentry_token=SecretStr(sentry_server.TOKEN),
        )

    def webhook(self, action: str, issue: Issue) -> bytes:
        data: dict[str, Any] = {"issue": self.server.told(issue)}
        actor = {"type": "application", "id": "sentry", "name": "Sentry"}
        return msgspec.json.encode({"action": action, "installation": {"uuid": "u"}, "data": data, "actor": actor})

    async def brain(self) -> None:
        """The task of each thing hears what its deliveries say."""
        for signal in self.signals:
            actor = Actor("task", derived_task_id(0, signal.thread))
            events = await self.journal.load(actor)
            if signal.origin and signal.origin not in [each.data.origin for each in events]:
                head = Head(events[-1].position, len(events), events[-1].hash) if events else Head()
                metadata = MessageMetadata(id=signal.origin, source="t", time=utc_now(), principal="service:brain")
                said = task.FollowedUp(
                    text=signal.text,
                    author="sentry",
                    stage=task.Stage.PLANNING,
                    base_commit="c0",
                    directive=task.Directive.AUTO,
                    origin=signal.origin,
                )
                await self.journal.append(actor, said, expected=head, metadata=metadata)


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    async with SentryServer() as server:
        yield World(server)


async def test_new_issues_of_our_projects_are_found_once_and_by_the_same_name_as_their_webhooks(world: World) -> None:
    world.server.opens()
    await world.look()
    issues = [world.server.opens("backend" if number < 7 else "other") for number in range(9)]
    await world.tell("issue", world.webhook("created", issues[0]))
    assert await world.look() == 0, "a published integration is tried again for a quarter of an hour"
    for issue in issues[:3]:
        world.server.seen(issue)
    assert await world.look(LATE_S) == 6
    await world.tell("issue", world.webhook("created", issues[1]))
    assert [await world.look() for _ in range(3)] == [0, 0, 0]
    assert sorted(each.thread for each in world.signals) == sorted(f"sentry:{each.id}" for each in issues[:7])
    assert {(each.kind, each.repo) for each in world.signals} == {(SignalKind.WORK, "octo/app")}


async def test_nothing_is_opened_that_no_trigger_names(world: World) -> None:
    world.config = world.config.model_copy(update={"senders": {}})
    await world.look()
    world.server.opens()
    assert [await world.look(LATE_S), world.signals] == [0, []]


@pytest.mark.parametrize("by_webhook", [True, False])
async def test_an_error_that_has_come_back_is_told_once_each_time(world: World, by_webhook: bool) -> None:
    issue = world.server.opens()
    await world.look()
    for _ in range(2):
        world.server.resolved(issue)
        world.time += 60
        world.server.seen(issue)
        if by_webhook:
            await world.tell("issue", world.webhook("unresolved", issue))
            await world.brain()
        world.time += 90
        world.server.seen(issue)
        await world.look(LATE_S)
        await world.brain()
        world.server.seen(issue)
        await world.look()
        await world.brain()
    assert [each.kind for each in world.signals] == [SignalKind.COMMENT] * 2
    assert len({each.origin for each in world.signals}) == 2


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_lost_on_the_way_stands_in_the_log_once(world: World, seed: int) -> None:
    await _days_of_faults(world, Random(seed))


@pytest.mark.campaign
@pytest.mark.timeout(3600)
async def test_whatever_is_lost_on_the_way_stands_in_the_log_once_in_many_runs(campaign_size: CampaignSize) -> None:
    for seed in range(campaign_size.pick(small=10, full=300)):
        print("seed", seed)
        async with SentryServer() as server:
            await _days_of_faults(World(server), Random(1_000 + seed))


async def _days_of_faults(world: World, random: Random) -> None:
    """Issues that are new, seen, resolved and seen again; webhooks that come, come twice, and do not come."""
    back: Counter[str] = Counter()
    async with FaultProxy(world.server.url, faults=FAULTS, share=0.2, random=random) as proxy:
        await world.look()
        world.url = proxy.url
        opened: list[Issue] = []
        for _ in range(15):
            world.time += random.choice((1.0, 300.0, 3000.0))
            opened.append(issue := world.server.opens())
            for _ in range(random.choice((0, 0, 1, 2))):
                await world.tell("issue", world.webhook("created", issue))
            for each in random.sample(opened, k=random.randrange(len(opened))):
                world.server.seen(each)
            if random.random() < 0.4:
                await _comes_back(world, random, random.choice(opened), back)
            with contextlib.suppress(NotNow):
                await world.look(1.0)
            await world.brain()
        world.url = world.server.url
        await world.look(LATE_S)
        await world.brain()
        await world.look(LATE_S)
    work = [each.thread for each in world.signals if each.kind is SignalKind.WORK]
    assert sorted(work) == sorted(f"sentry:{each.id}" for each in opened)
    assert Counter(each.thread for each in world.signals if each.kind is SignalKind.COMMENT) == back


async def _comes_back(world: World, random: Random, issue: Issue, back: Counter[str]) -> None:
    if issue.status == "resolved":
        return
    world.server.resolved(issue)
    world.time += random.choice((60.0, 4000.0))
    world.server.seen(issue)
    back[f"sentry:{issue.id}"] += 1
    if random.random() < 0.5:
        await world.tell("issue", world.webhook("unresolved", issue))
        await world.brain()
    world.time += 90.0
