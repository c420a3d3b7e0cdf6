"""Durable timers on a real NATS server: over restarts of it and of the service, replaced, forged, and deleted."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from services.brain.actors import task as task_actor
from services.brain.policy import ReactionPolicy
from services.brain.reactions import FILTERS, reactions
from services.brain.timers import FILTERS as SET_BY
from services.brain.timers import timers
from shared.contracts import plan, task
from shared.contracts.decider import Decider
from shared.contracts.ids import new_task_id
from shared.contracts.subjects import Actor
from shared.event_store.envelope import MessageMetadata, RecordedEvent, utc_now
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.nats.streams import EVENTS, TIMERS, provision
from shared.runtime import dead_letters as parked
from shared.runtime.acknowledge import RetryPolicy
from shared.runtime.actor_host import ActorHost
from shared.runtime.mailbox import Mailboxes
from shared.runtime.reactor import Reactor
from shared.runtime.timers import DueTimers, Timekeeper, set_timer
from testing.eventually import eventually
from testing.nats import Nats

SOON = timedelta(seconds=1.5)
QUICK = RetryPolicy(most=2, waits_s=(0.05,))


def host_of(bus: Bus, *deciders: Decider[Any]) -> ActorHost:
    return ActorHost(NatsJournal(bus), deciders or [task_actor.DECIDER], source="journeyman/test")


@asynccontextmanager
async def brain(
    bus: Bus, policy: ReactionPolicy | None = None, *, clock: Callable[[], datetime] = utc_now
) -> AsyncIterator[ActorHost]:
    """A service that owns tasks, from its start to its end."""
    host = host_of(bus)
    pulls = [
        *Mailboxes(bus, host, service="brain").pulls,
        Reactor(bus, reactions(policy or ReactionPolicy()), FILTERS, service="brain").pull,
        Timekeeper(bus, timers, SET_BY, service="brain").pull,
        DueTimers(bus, host, service="brain", clock=clock, tries=QUICK).pull,
    ]
    tasks = [asyncio.create_task(pull.run()) for pull in pulls]
    try:
        yield host
    finally:
        for pull in pulls:
            pull.drain()
        await asyncio.wait_for(asyncio.gather(*tasks), 60)


async def tell(host: ActorHost, id: str, *commands: task.TaskCommand) -> None:
    for command in commands:
        await host.execute(Actor("task", id), command, id=new_task_id(), principal="service:test")


async def planning(host: ActorHost) -> str:
    """A new task that waits for its plan."""
    id = new_task_id()
    await tell(
        host, id, task.Submit(title="t", text="x", source=task.Source(kind="test"), directive=task.Directive.PLAN)
    )
    await tell(host, id, task.RequestTriage())
    verdict = task.RecordTriage(
        attempt=1, verdict=task.Verdict.PLAN, decided_by="rules", reason="", repo="r", base_commit="c"
    )
    await tell(host, id, verdict, task.RequestPlanning())
    return id


async def paused(host: ActorHost, until: datetime) -> str:
    """A new task that is paused."""
    id = await planning(host)
    await tell(host, id, task.RecordFailure(stage="planning", code="x", message="X.", retries_at=(until,)))
    return id


async def story(bus: Bus, id: str) -> list[RecordedEvent]:
    return await NatsJournal(bus).load(Actor("task", id))


async def until_named(bus: Bus, id: str, name: str, *, within: float = 60.0) -> RecordedEvent:
    async def look() -> RecordedEvent | None:
        return next((event for event in await story(bus, id) if event.name == name), None)

    found = await eventually(look, within=within, every=0.05)
    assert found is not None
    return found


async def stored(bus: Bus) -> dict[str, int]:
    """The messages in TIMERS by subject."""
    return (await bus.js.stream_info(TIMERS, subjects_filter=">")).state.subjects or {}


async def nothing_is_due(bus: Bus) -> bool:
    return await stored(bus) == {}


async def test_a_pause_ends_by_itself_at_its_moment_and_the_task_goes_on_once(bus: Bus) -> None:
    until = utc_now() + SOON
    async with brain(bus) as host:
        id = await paused(host, until)
        resumed = await until_named(bus, id, "resumed")
        assert resumed.time >= until
        assert (resumed.time - until).total_seconds() < 30
        await eventually(lambda: nothing_is_due(bus))
        await eventually(lambda: _count(bus, id, "planning-requested", 2))
    assert [each.name for each in await story(bus, id)].count("resumed") == 1


async def _count(bus: Bus, id: str, name: str, count: int) -> bool:
    return [each.name for each in await story(bus, id)].count(name) == count


async def _last_is(bus: Bus, id: str, name: str) -> bool:
    return (await story(bus, id))[-1].name == name


async def test_a_timer_that_came_due_while_nats_and_the_service_were_down_fires_once(
    bus: Bus, nats_server: Nats
) -> None:
    until = utc_now() + SOON
    async with brain(bus, clock=lambda: until - SOON) as host:
        id = await paused(host, until)
        await eventually(lambda: _is_set(bus, id))
    await nats_server.kill()
    await eventually(lambda: utc_now() > until)
    await nats_server.start()
    await eventually(lambda: bus.connected)
    for _ in range(2):
        # The second life finds what the first has done, and does nothing.
        async with brain(bus):
            resumed = await until_named(bus, id, "resumed")
            await eventually(lambda: nothing_is_due(bus))
    assert resumed.time >= until
    assert await _count(bus, id, "resumed", 1)


async def _is_set(bus: Bus, id: str) -> bool:
    """Or has come due already, on a machine that took its time."""
    return not {f"timer.{state}.task.{id}.resume" for state in ("set", "due")}.isdisjoint(await stored(bus))


async def test_a_service_that_dies_before_the_timer_is_set_sets_it_when_it_is_back(bus: Bus) -> None:
    until = utc_now() + timedelta(seconds=0.2)
    id = await paused(host_of(bus), until)
    await eventually(lambda: utc_now() > until)
    async with brain(bus):
        await until_named(bus, id, "resumed")


async def test_a_timer_that_is_early_by_the_hosts_clock_waits(bus: Bus) -> None:
    behind = timedelta(seconds=1.5)
    until = utc_now() + timedelta(seconds=0.3)
    async with brain(bus, clock=lambda: utc_now() - behind) as host:
        id = await paused(host, until)
        resumed = await until_named(bus, id, "resumed")
    assert resumed.time >= until + behind


async def test_a_timer_of_the_same_name_replaces_the_one_before(bus: Bus) -> None:
    id, now = new_task_id(), utc_now()
    metadata = MessageMetadata(id="s", source="test", time=now, principal="service:test")
    moments = [now + timedelta(seconds=late) for late in (1800, 3600, 1.2)]
    for at in moments:
        assert sum((await stored(bus)).values()) <= 1
        await set_timer(bus, task.Resume(id=id, at=at), metadata)
    await eventually(lambda: _has(bus, f"timer.due.task.{id}.resume", 1))
    message = await bus.js.get_last_msg(TIMERS, "timer.due.>")
    assert message.time is not None and message.time >= moments[-1]


async def _has(bus: Bus, subject: str, count: int) -> bool:
    return await stored(bus) == {subject: count}


@pytest.mark.parametrize(
    ("command", "end"), [(task.Stop(reason="Enough."), "cancelled"), (task.Retry(), "planning-requested")]
)
async def test_a_timer_that_nobody_waits_for_any_more_changes_nothing(
    bus: Bus, command: task.TaskCommand, end: str
) -> None:
    until, told = utc_now() + SOON, asyncio.Event()
    # However slow the machine is: the timer comes due for nobody before the command is told.
    async with brain(bus, clock=lambda: utc_now() if told.is_set() else until - SOON) as host:
        id = await paused(host, until)
        await eventually(lambda: _is_set(bus, id))
        await tell(host, id, command)
        told.set()
        await eventually(lambda: nothing_is_due(bus))
        await eventually(lambda: _last_is(bus, id, end))
        assert await _count(bus, id, "resumed", 0)


async def test_a_forged_due_timer_changes_nothing(bus: Bus) -> None:
    until = utc_now() + timedelta(hours=1)
    async with brain(bus) as host:
        id = await paused(host, until)
        before = await story(bus, id)
        due = f"timer.due.task.{id}"
        await _forge(bus, f"{due}.resume", {"at": utc_now()})
        await _forge(bus, f"{due}.resume", {"at": until - timedelta(microseconds=1)})
        await _forge(bus, f"{due}.resume", {"at": until})
        await _forge(bus, f"{due}.expire-approval", {"version": 1, "at": utc_now()})
        await _forge(bus, f"{due}.retry", {})
        await _forge(bus, f"{due}.levitate", {})
        await bus.publish(f"{due}.resume", b"no json", {})
        await _forge(bus, f"timer.due.task.{new_task_id()}.resume", {"at": utc_now()})
        await eventually(lambda: _parked(bus, 3))
        await eventually(lambda: _pending(bus, 2))
        assert await story(bus, id) == before


async def _forge(bus: Bus, subject: str, data: dict[str, object]) -> None:
    await bus.publish(subject, msgspec.json.encode(data), {})


async def _parked(bus: Bus, count: int) -> bool:
    return await parked.count(bus) == count


async def _pending(bus: Bus, count: int) -> bool:
    """Only those that are due in an hour are still held."""
    info = await bus.js.consumer_info(TIMERS, "brain-timers")
    return info.num_pending == 0 and (info.num_ack_pending or 0) <= count


async def test_deleted_timers_are_set_anew_from_the_log(bus: Bus) -> None:
    until, deleted = utc_now() + timedelta(seconds=3), asyncio.Event()
    async with brain(bus, clock=lambda: utc_now() if deleted.is_set() else until - SOON) as host:
        id = await paused(host, until)
        await eventually(lambda: _is_set(bus, id))
        await bus.js.delete_stream(TIMERS)
        deleted.set()
        assert await provision(bus) == [TIMERS]
        resumed = await until_named(bus, id, "resumed")
    assert resumed.time >= until
    assert await _count(bus, id, "resumed", 1)


async def test_who_sets_timers_reads_the_log_again_when_its_consumer_is_deleted(bus: Bus) -> None:
    id = await paused(host_of(bus), utc_now() + timedelta(hours=1))
    for _ in range(2):
        async with brain(bus):
            await eventually(lambda: _is_set(bus, id))
        await bus.js.purge_stream(TIMERS)
        with contextlib.suppress(Exception):
            await bus.js.delete_consumer(EVENTS, "brain-timekeeper")


async def test_a_plan_that_nobody_approves_expires_and_the_task_may_be_retried(bus: Bus) -> None:
    async with brain(bus, ReactionPolicy(approval_timeout_s=1.0)) as host:
        id = await planning(host)
        plans = host_of(bus, _PLANS)
        proposed = await plans.execute(Actor("plan", id), plan.Stop(), id="p1", principal="service:test")
        assert proposed is not None
        expired = await until_named(bus, id, "approval-expired")
        assert expired.time >= proposed.time + timedelta(seconds=1)
        await tell(host, id, task.Retry())
        await eventually(lambda: _count(bus, id, "planning-requested", 2))


_PLANS = Decider[Any](
    "plan",
    0,
    lambda state, command: plan.Proposed(
        version=1, digest="d" * 64, base_commit="c", markdown="# P", summary="s", attempt=1
    ),
    lambda state, event: 1,
)


async def test_a_passing_failure_of_the_planner_is_tried_again_by_itself(bus: Bus) -> None:
    fails = Decider[Any](
        "plan",
        0,
        lambda state, command: plan.Failed(attempt=1, code="agent-overloaded", message="Busy.", retryable=True),
        lambda state, event: state + 1,
    )
    async with brain(bus, ReactionPolicy(waits_s=(0.1,))) as host:
        id, plans = await planning(host), host_of(bus, fails)
        await plans.execute(Actor("plan", id), plan.Stop(), id="p1", principal="service:test")
        await eventually(lambda: _count(bus, id, "planning-requested", 2))
        await plans.execute(Actor("plan", id), plan.Stop(), id="p2", principal="service:test")
        failed = await until_named(bus, id, "failed")
    assert failed.data.code == "agent-overloaded"
    assert await _count(bus, id, "paused", 1)
