from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from shared.claude.process.reaper import marks
from shared.contracts import session, task
from shared.contracts.ids import new_task_id
from shared.contracts.review import ReviewTarget
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.nats.streams import EVENTS
from shared.runtime.activity import Activity, ActivityContext
from shared.runtime.actor_host import ActorHost
from shared.runtime.client import Client
from shared.workspace.git import git
from testing.counting_actor import COUNTER
from testing.eventually import end, eventually
from testing.nats import Nats
from testing.service_group import ServiceGroup
from testing.slow_timings import connect_patiently
from testing.system import REPO

NOOP = Path(__file__).parents[2] / "testing" / "noop_agent.sh"
EXECUTORS, SLOTS, QUEUED = 5, 2, 200
AGENTS = ("task", "plan", "run", "session")
"""Whom agents work for: bounded by max_concurrent_triages (and _reviews), _plans, _runs and _answers."""
PUBLISHING = "gateway-publish"
"""The consumer behind max_concurrent_publications."""


async def test_five_executors_take_what_is_queued_in_its_order_and_each_its_share(nats_server: Nats, bus: Bus) -> None:
    host = ActorHost(NatsJournal(bus), [COUNTER], source="t")
    queued = []
    for number in range(QUEUED):
        event = await host.execute(Actor("task", f"T{number}"), task.GiveInput(message="m"), id="c", principal="t")
        assert event is not None
        queued.append(event.position)
    begun: list[int] = []
    at_work: Counter[int] = Counter()
    most: Counter[int] = Counter()
    taken: Counter[int] = Counter()

    def worker(number: int, own: Bus) -> Activity:
        async def work(event: RecordedEvent, turn: ActivityContext) -> None:
            begun.append(event.position)
            taken[number] += 1
            at_work[number] += 1
            most[number] = max(most[number], at_work[number])
            await asyncio.sleep(0.01 * (event.position % 3))  # work takes its time, each its own
            at_work[number] -= 1

        return Activity(own, work, service="executor", name="run", event="evt.task.*.input-given", slots=SLOTS)

    buses = [await connect_patiently(nats_server.url, name=f"executor-{number}") for number in range(EXECUTORS)]
    workers = [worker(number, own) for number, own in enumerate(buses)]
    running = [asyncio.create_task(each.run()) for each in workers]
    await eventually(lambda: len(begun) >= QUEUED, within=60)
    for each in workers:
        each.drain()
    await asyncio.wait_for(asyncio.gather(*running), 60)
    for own in buses:
        await asyncio.wait_for(own.close(), 30)

    assert sorted(begun) == queued, "each once"
    ahead = [sum(earlier > position for earlier in begun[:index]) for index, position in enumerate(begun)]
    assert max(ahead) < EXECUTORS * SLOTS, "nobody waits for more than those who are at work beside it"
    assert set(taken) == set(range(EXECUTORS)), f"each has its share: {taken}"
    assert max(most.values()) <= SLOTS


@pytest.mark.timeout(400)
async def test_agents_are_at_work_up_to_the_bound_of_each_service_and_the_others_wait_in_the_log(
    tmp_path: Path,
) -> None:
    async with ServiceGroup(tmp_path, checks=()) as group:
        add = partial(
            group.add,
            JOURNEYMAN_CLAUDE_CLI=str(NOOP),
            JOURNEYMAN_APPROVAL="auto",
            JOURNEYMAN_MAX_CONCURRENT_TRIAGES="2",
            JOURNEYMAN_MAX_CONCURRENT_REVIEWS="1",
            JOURNEYMAN_MAX_CONCURRENT_ANSWERS="1",
            JOURNEYMAN_MAX_CONCURRENT_PLANS="1",
            JOURNEYMAN_MAX_CONCURRENT_RUNS="2",
            JOURNEYMAN_MAX_CONCURRENT_PUBLICATIONS="1",
        )
        for name in ("brain", "planner", "executor", "gateway"):
            add(name)
        await asyncio.gather(*(member.start() for member in group.members.values()))
        client, ids = Client(group.bus, source="t"), [new_task_id() for _ in range(5)]
        most: Counter[str] = Counter()
        reviews, at_reviews = [new_task_id() for _ in range(2)], Counter[str]()
        talks, at_answers = [new_task_id() for _ in range(2)], Counter[str]()
        watchers = [
            asyncio.create_task(_watch(group.bus, *watched))
            for watched in ((ids, most), (reviews, at_reviews), (talks, at_answers))
        ]
        for id in talks:
            ask = session.Ask(message_id=new_task_id(), message="linger 1", author="user:ada")
            await client.send(Actor("session", id), ask, principal="user:ada", timeout=60)
        head = await _branch(group.repository)
        for id in reviews:
            submit = task.Submit(
                title="t",
                text="linger 1",
                source=task.Source(kind="api"),
                repo=REPO,
                review=ReviewTarget(number=1, head=head, base="main"),
            )
            await client.send(Actor("task", id), submit, principal="user:ada", timeout=60)
        for number, id in enumerate(ids):
            # Three go straight to the executor, all at once; two are judged and planned first.
            submit = task.Submit(
                title="t",
                text="linger 2" if number < 3 else "linger 1",
                source=task.Source(kind="api"),
                repo=REPO,
                directive=task.Directive.IMPLEMENT if number < 3 else task.Directive.AUTO,
                approval=task.Approval.AUTO,
            )
            await client.send(Actor("task", id), submit, principal="user:ada", timeout=60)
        for id in ids:
            await group.until(id, "task.completed", within=120)
        for id in reviews:
            await group.until(id, "task.review-written", within=120)
        for id in talks:
            await group.until(id, "session.answered", within=120)
        for watching in watchers:
            await end(watching)
    assert most["task"] <= 2 and most[PUBLISHING] <= 1
    at_work = (most["plan"], most["run"], at_reviews["task"], at_answers["session"])
    assert at_work == (1, 2, 1, 1), "and as many as may be do work"


async def _branch(repository: Path) -> str:
    """A commit that is on a branch alone."""
    author = ("-c", "user.name=Eve", "-c", "user.email=eve@example.org")
    tree = (await git("rev-parse", "main^{tree}", cwd=repository)).strip()
    made = (await git(*author, "commit-tree", tree, "-p", "main", "-m", "x", cwd=repository)).strip()
    await git("branch", "feature", made, cwd=repository)
    return made


async def _watch(bus: Bus, ids: Sequence[str], most: Counter[str]) -> None:
    """How many agents are at work at most, by the kind of actor that they work for; how many results on their way."""
    while True:
        at_work = {mark.partition("@")[0] for mark in await asyncio.to_thread(marks)}
        for kind in AGENTS:
            most[kind] = max(most[kind], len(at_work & {f"{kind}-{id}" for id in ids}))
        for info in await bus.js.consumers_info(EVENTS):
            if info.name == PUBLISHING:
                most[PUBLISHING] = max(most[PUBLISHING], info.num_ack_pending or 0)
        await asyncio.sleep(0.02)
