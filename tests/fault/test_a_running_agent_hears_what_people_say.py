"""A stop, an answer and an input reach a running agent, also when the log was away while its service followed it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import httpx
import pytest

from shared.claude.process.reaper import marked
from shared.contracts.ids import new_task_id
from shared.contracts.messages import Command
from shared.contracts.subjects import Actor
from shared.contracts.task import Directive, GiveInput, Stop
from shared.runtime.client import Client
from testing.checker import problems_of_costs, problems_of_story, story_of
from testing.eventually import eventually
from testing.proxy import Outage
from testing.service_group import Member, ServiceGroup
from tests.fault.crash.campaign import submit

pytestmark = [pytest.mark.campaign, pytest.mark.xdist_group("hears"), pytest.mark.timeout(300)]

HEARD_S: Final = 5.0
ANSWER_S: Final = 7.0
"""Longer than a service waits for an answer of JetStream."""
APPEND_S: Final = 18.0
"""Longer than a service tries one append."""
SERVICE_OF: Final = {"task": "brain", "plan": "planner", "run": "executor"}
DIRECTIVE_OF: Final = {"task": Directive.AUTO, "plan": Directive.PLAN, "run": Directive.IMPLEMENT}


async def away(seconds: float) -> None:
    """Wait until NATS has been away for so long."""
    began = time.monotonic()
    await eventually(lambda: time.monotonic() - began > seconds, within=2 * seconds)


async def say(group: ServiceGroup, id: str, command: Command) -> None:
    await Client(group.bus, source="test").send(Actor("task", id), command, principal="user:ada")


async def is_ready(member: Member) -> bool:
    """Whether a service says that it is connected and at work."""
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.get(f"http://127.0.0.1:{member.facts['health']}/health/ready")).status_code == 200


def nats_port(group: ServiceGroup) -> int:
    return int(group.nats.url.rpartition(":")[2])


@pytest.mark.parametrize("kind", sorted(SERVICE_OF))
async def test_a_stop_reaches_an_agent_whose_service_lost_nats_as_it_began_to_follow_it(
    kind: str, tmp_path: Path
) -> None:
    service, id = SERVICE_OF[kind], new_task_id()
    async with ServiceGroup(tmp_path) as group, Outage(nats_port(group)) as outage:
        group.add(service, JOURNEYMAN_NATS_URL=outage.url)
        outage.begin_at("CONSUMER.CREATE.EVENTS", f'"evt.{kind}.{id}.')
        await group.members[service].start()
        await group.start(*({"brain"} - {service}))
        await submit(group, f"Take a note\n\ndemo {service}: hang", DIRECTIVE_OF[kind], id=id)
        await eventually(lambda: outage.lost, within=60)
        await away(ANSWER_S)
        outage.end()
        await eventually(lambda: is_ready(group.members[service]))
        await eventually(lambda: marked(f"{kind}-{id}"), within=60)

        await say(group, id, Stop())
        await eventually(lambda: not marked(f"{kind}-{id}"), within=HEARD_S)
        await group.until(id, "task.cancelled", within=30)
        await group.members[service].stop()  # it needs the connection to leave


async def test_an_agent_hears_its_second_answer_though_the_log_did_not_take_that_it_had_the_first(
    tmp_path: Path, agents: Path
) -> None:
    id = new_task_id()
    async with ServiceGroup(tmp_path) as group, Outage(nats_port(group), silent=True) as outage:
        group.add("executor", JOURNEYMAN_NATS_URL=outage.url, JOURNEYMAN_AGENTS_DIR=str(agents))
        await group.members["executor"].start()
        await group.start("brain", "gateway")
        outage.begin_at(f"evt.run.{id}.resumed")
        await submit(
            group,
            "Take a note\n\ndemo executor: ask Which colour?\ndemo executor: ask Which size?",
            Directive.IMPLEMENT,
            id=id,
        )
        first = await group.until(id, "task.question-asked")
        await say(group, id, GiveInput(message="Ultramarine"))
        await eventually(lambda: outage.lost, within=30)
        await away(APPEND_S)
        outage.end()

        second = await group.until(id, "task.question-asked", after=first.position, within=30)
        await say(group, id, GiveInput(message="Enormous"))
        done = await group.until(id, "run.succeeded", after=second.position, within=30)
        assert "Ultramarine" in done.data.summary and "Enormous" in done.data.summary
        await group.until(id, "task.completed", within=30)
        story = await story_of(group.bus, id)
        told = [
            each.name for each in story if each.kind == "run" and each.name in ("claimed", "input-given", "resumed")
        ]
        assert told == ["claimed", "input-given", "resumed", "input-given", "resumed"]
        assert problems_of_story(story, group.repository) + problems_of_costs(story, group.model) == []
        await group.members["executor"].stop()  # it needs the connection to leave


async def test_an_agent_hears_its_answer_and_a_stop_after_nats_was_away(tmp_path: Path, agents: Path) -> None:
    id = new_task_id()
    async with ServiceGroup(tmp_path) as group:
        group.add("executor", JOURNEYMAN_AGENTS_DIR=str(agents))
        await group.members["executor"].start()
        await group.start("brain", "gateway")
        await submit(
            group,
            "Take a note\n\ndemo executor: ask Which colour?\ndemo executor: ask Which size?",
            Directive.IMPLEMENT,
            id=id,
        )
        first = await group.until(id, "task.question-asked")
        await group.nats.kill()
        await away(ANSWER_S)
        await group.nats.start()
        await eventually(lambda: group.bus.connected)

        await say(group, id, GiveInput(message="Ultramarine"))
        second = await group.until(id, "run.question-asked", after=first.position, within=60)
        assert second.data.question == "Which size?"
        await say(group, id, Stop())
        await eventually(lambda: not marked(f"run-{id}"), within=HEARD_S)
        await group.until(id, "task.cancelled", within=30)
        assert len([each for each in await story_of(group.bus, id) if each.name == "input-given"]) == 2
