"""A rolling upgrade: every service is replaced by a newer or an equal one while people, senders and agents go on."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import duckdb
import httpx
import pytest

from cli.demo.webhook import new_issue
from services.projector.export import Dump, dump
from shared.claude.demo.repo import DEMO_ISSUE_BODY, DEMO_ISSUE_TITLE
from shared.contracts.subjects import read_event_subject
from shared.event_store.envelope import RecordedEvent
from shared.nats.bus import Bus
from shared.nats.direct import get_batch
from shared.nats.streams import COMMANDS, EVENTS
from testing.api_client import END
from testing.checker import problems_of_costs, problems_of_log, problems_of_story, story_of
from testing.eventually import eventually
from testing.service_group import ROOT, SERVICES, Member, ServiceGroup
from testing.system import REPO
from tests.fault.drain.held_model import HELD_AT, HeldModel
from tests.fault.drain.newer import ADDED, newer_version
from tests.fault.drain.traffic import Traffic
from tests.integration.projector.projector_process import expected
from tests.unit.projector.projector_support import Log

pytestmark = [pytest.mark.campaign("full"), pytest.mark.xdist_group("drain"), pytest.mark.timeout(600)]

WITHIN_S = 240.0
"""For a machine that does much else at the same time; alone it is a matter of seconds."""


async def test_no_request_fails_and_no_turn_is_redone_while_every_service_is_replaced_with_two_versions_mixed(
    tmp_path: Path,
) -> None:
    newer = newer_version(tmp_path / "newer")
    group = ServiceGroup(tmp_path / "group")
    group.model = model = HeldModel(*HELD_AT)
    traffic = Traffic(group.secret)
    async with group:
        old = {service: [added(group, service, number, ROOT) for number in (1, 2)] for service in SERVICES}
        await asyncio.gather(*(member.start() for pair in old.values() for member in pair))
        traffic.use(old["gateway"][0].facts["http"])
        async with traffic.flowing(group.bus):
            tasks = await bring_work(traffic)
            await eventually(lambda: model.holds_all, within=WITHIN_S)
            for service in SERVICES:
                for number, tree in ((3, newer), (4, ROOT)):
                    await replace(group, traffic, old[service].pop(0), added(group, service, number, tree))
            model.release()
            await ended(group.bus, tasks, traffic)
        stories = await ended(group.bus, tasks, traffic)
        await eventually(lambda: idle(group.bus), within=WITHIN_S, every=0.25)
        log = await whole_log(group.bus)
        await traffic.heard_up_to(shown(log)[-1])
        await traffic.close()
        read_models = [group.members[name] for name in ("projector-3", "projector-4")]
        for each in read_models:
            await until_come_to(each, len(log.stored))
        await asyncio.gather(*(member.stop() for member in group.members.values()))

        assert traffic.failures == []
        assert traffic.heard == shown(log), "a dashboard misses nothing and hears nothing twice"
        assert model.asked_again == []
        problems = await problems_of_log(group.bus)
        for id in tasks:
            problems += [f"{id}: {each}" for each in problems_of_story(stories[id], group.repository)]
            problems += [f"{id}: {each}" for each in problems_of_costs(stories[id], model)]
        for id in set(stories) - set(tasks):
            ends = [each.name for each in stories[id] if each.kind == "task" and each.name in END]
            problems += [] if ends == ["declined"] else [f"{id} ended as {ends}"]
        assert problems == []
        claims = [each for id in tasks for each in stories[id] if (each.kind, each.name) == ("run", "claimed")]
        assert Counter(ADDED in each.raw for each in claims).keys() == {True, False}, "both versions claimed runs"
        whole = expected(log)
        for each in read_models:
            assert rows(each.data) == whole, f"the read models of {each.name}"
        print(dict(traffic.answered), f"{len(log.stored)} events, {len(stories)} tasks")


def added(group: ServiceGroup, service: str, number: int, tree: Path) -> Member:
    """One of the instances. Those that run agents share this machine's data directory; a projector has its own."""
    name = f"{service}-{number}"
    data = group.folder / name if service == "projector" else None
    return group.add(
        service,
        name=name,
        data=data,
        tree=tree,
        JOURNEYMAN_HTTP_PORT="0",
        JOURNEYMAN_APPROVAL="auto",
        JOURNEYMAN_SILENCE_TIMEOUT_SECONDS="3600",
    )


async def replace(group: ServiceGroup, traffic: Traffic, old: Member, new: Member) -> None:
    """As docs/operations.md has it: the new one is ready before the old one is asked to leave."""
    await new.start()
    if new.service == "gateway":
        traffic.use(new.facts["http"])
    await old.stop()
    assert old.code == 0, old.log.read_text()[-3000:]


async def bring_work(traffic: Traffic) -> list[str]:
    """A task for the brain's agent, one for the planner's, and one for the executor's; returns their ids."""
    judged = new_issue(REPO, 1)
    await traffic.deliver(judged)
    planned = await traffic.open(f"{DEMO_ISSUE_TITLE}\n\n{DEMO_ISSUE_BODY}", "plan")
    done = await traffic.open(f"{DEMO_ISSUE_TITLE}\n\n{DEMO_ISSUE_BODY}\n\ndemo executor: turns 3", "implement")
    return [judged.task_id, planned, done]


async def ended(bus: Bus, tasks: Sequence[str], traffic: Traffic) -> dict[str, list[RecordedEvent]]:
    """The stories of all accepted tasks, once each of them has come to an end."""
    stories: dict[str, list[RecordedEvent]] = {}

    async def look() -> bool:
        for id in {*tasks, *traffic.accepted} - stories.keys():
            story = await story_of(bus, id)
            if any(each.kind == "task" and each.name in END for each in story):
                stories[id] = story
        return stories.keys() >= {*tasks, *traffic.accepted}

    await eventually(look, within=WITHIN_S, every=0.25)
    return stories


async def idle(bus: Bus) -> bool:
    """Whether every service has done all that there is to do."""
    found = [each for stream in (EVENTS, COMMANDS) for each in await bus.js.consumers_info(stream)]
    return all(not each.num_pending and not each.num_ack_pending for each in found)


async def until_come_to(projector: Member, seq: int) -> None:
    await eventually(lambda: has_come_to(projector, seq), within=WITHIN_S)


async def has_come_to(projector: Member, seq: int) -> bool:
    """Whether its read models have the log up to there. A question would be answered by any projector."""
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        metrics = (await http.get(f"http://127.0.0.1:{projector.facts['health']}/metrics")).text
    (position,) = re.findall(r"^journeyman_projector_position (\S+)$", metrics, re.MULTILINE)
    return float(position) >= seq


async def whole_log(bus: Bus) -> Log:
    """Everything in EVENTS."""
    log = Log()
    while True:
        batch = await get_batch(bus, EVENTS, "evt.>", start=len(log.stored) + 1, limit=1000)
        for message in batch.messages:
            log.raw(message.subject, message.data)
        if not batch.pending:
            return log


def shown(log: Log) -> list[int]:
    """The sequences of what a dashboard is told."""
    kinds = ("task", "plan", "run", "reply")
    return [each.seq for each in log.stored if read_event_subject(each.subject)[0].kind in kinds]


def rows(data: Path) -> Dump:
    """Everything in the newest file of a projector that does not run; each version has a file of its own."""
    newest = max((data / "projector").glob("views-*.duckdb"), key=lambda file: file.stat().st_mtime)
    with duckdb.connect(str(newest), read_only=True) as connection:
        return dump(connection)
