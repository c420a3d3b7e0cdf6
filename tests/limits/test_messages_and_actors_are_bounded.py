from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from shared.contracts import task
from shared.contracts.decider import Decider, Rejected
from shared.contracts.messages import Command
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent, TooLarge
from shared.event_store.journal import Conflict
from shared.nats.bus import Bus
from shared.nats.direct import get_batch
from shared.nats.feed import Feed
from shared.nats.journal import NatsJournal
from shared.nats.pull import StandingPull
from shared.nats.streams import ARTIFACTS, EVENTS
from shared.ops.limits import Limits
from shared.ops.timings import NatsTimings
from shared.runtime import dead_letters as parked
from shared.runtime.activity import Activity, ActivityContext
from shared.runtime.actor_host import ActorHost
from shared.runtime.client import Client
from shared.runtime.mailbox import Mailboxes
from shared.runtime.reactor import Reactor
from testing.counting_actor import COUNTER, Count, CountingJournal
from testing.eventually import eventually
from testing.nats import Nats
from testing.slow_timings import PATIENT, RARE_HEARTBEATS, connect_patiently

ACTOR = Actor("task", "T1")
AT_ONCE = (0.01,)


@contextlib.asynccontextmanager
async def bounded(nats: Nats, timings: NatsTimings = PATIENT, **bounds: int) -> AsyncIterator[Bus]:
    """A connection with bounds of its own."""
    bus = await connect_patiently(nats.url, name="bounded", limits=Limits(**bounds), timings=timings)
    yield bus
    await asyncio.wait_for(bus.close(), 60)


@contextlib.asynccontextmanager
async def running(*pulls: StandingPull | Activity) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(pull.run()) for pull in pulls]
    yield
    for pull in pulls:
        pull.drain()
    await asyncio.wait_for(asyncio.gather(*tasks), 60)


def host_of(bus: Bus, decider: Decider[Any] = COUNTER, **options: Any) -> ActorHost:
    return ActorHost(NatsJournal(bus), [decider], source="t", limits=bus.limits, **options)


async def say(
    host: ActorHost, number: int, *, actor: Actor = ACTOR, principal: str = "user:ada"
) -> RecordedEvent | None:
    command = task.GiveInput(message=str(number))
    return await host.execute(actor, command, id=f"{actor.id}-{number}", principal=principal)


async def test_a_message_of_the_bound_is_stored_and_one_byte_more_is_refused(nats_server: Nats) -> None:
    async with bounded(nats_server, max_message_bytes=65_536) as bus:
        await bus.publish("cmd.nobody.T1.take", b"x" * 65_536, {})
        with pytest.raises(TooLarge, match="65,536"):
            await bus.publish("cmd.nobody.T1.take", b"x" * 65_537, {})
        assert (await bus.js.stream_info("COMMANDS")).state.messages == 1


async def test_the_server_s_own_bound_counts_where_it_is_lower(nats_server: Nats) -> None:
    async with bounded(nats_server, max_message_bytes=8 << 20) as bus:
        await bus.publish("cmd.nobody.T1.take", b"x" * bus.most_bytes, {"Nats-Msg-Id": "y" * 200})
        with pytest.raises(TooLarge):
            await bus.publish("cmd.nobody.T1.take", b"x" * (bus.most_bytes + 1), {})


async def test_a_command_whose_event_would_be_too_large_is_answered_so_and_its_neighbours_go_on(
    nats_server: Nats,
) -> None:
    decider = Decider("task", Count(), lambda _, command: task.InputGiven(message=command.message * 2), COUNTER.evolve)
    async with bounded(nats_server, max_message_bytes=65_536) as bus:
        async with running(*Mailboxes(bus, host_of(bus, decider), service="brain").pulls):
            client = Client(bus, source="t")
            with pytest.raises(Rejected) as refusal:
                await client.send(ACTOR, task.GiveInput(message="x" * 40_000), principal="user:ada", timeout=60)
            assert refusal.value.code == "too-large"
            taken = await client.send(ACTOR, task.GiveInput(message="x" * 30_000), principal="user:ada", timeout=60)
            assert taken.position == 1
            with pytest.raises(TooLarge):
                await client.send(ACTOR, task.GiveInput(message="x" * 70_000), principal="user:ada")
        (entry,) = [each async for _, each in parked.listing(bus)]
        assert "most 65,536" in entry.reason


async def test_a_reaction_that_is_too_large_is_parked_and_the_next_event_is_reacted_to(nats_server: Nats) -> None:
    def react(event: RecordedEvent) -> list[Command]:
        return [task.GiveInput(id="T2", message="x" * int(event.data.message))]

    async with bounded(nats_server, max_message_bytes=65_536) as bus:
        host = host_of(bus)
        for size in (70_000, 10):
            await say(host, size)
        async with running(Reactor(bus, react, ["evt.task.*.input-given"], service="brain").pull):
            await eventually(lambda: _parked(bus, 1))
            await eventually(lambda: _commands(bus, 1))


async def test_what_is_too_large_to_be_parked_in_a_message_is_kept_in_artifacts_and_can_be_replayed(
    nats_server: Nats,
) -> None:
    seen: list[str] = []

    def decide(state: Count, command: task.GiveInput) -> task.InputGiven:
        seen.append(command.message)
        if len(seen) == 1:
            raise RuntimeError("not this one")
        return task.InputGiven(message=command.message[:5])

    decider = Decider("task", Count(), decide, COUNTER.evolve)
    message = "é" * 450_000
    async with (
        bounded(nats_server, max_message_tries=1) as bus,
        running(*Mailboxes(bus, host_of(bus, decider), service="brain").pulls),
    ):
        await bus.nc.publish("cmd.task.T1.give-input", msgspec.json.encode({"message": message}))
        await eventually(lambda: _parked(bus, 1))
        ((number, entry),) = [each async for each in parked.listing(bus)]
        assert entry.body == "" and entry.artifact is not None
        assert (await bus.js.stream_info(f"OBJ_{ARTIFACTS}")).state.bytes > 900_000
        await parked.replay(bus, number)
        await eventually(lambda: len(seen) == 2)
        assert seen[1] == message


async def test_a_full_actor_hears_people_no_more_but_its_work_comes_to_an_end(nats_server: Nats) -> None:
    async with bounded(nats_server, max_actor_events=100) as bus:
        host = host_of(bus)
        for number in range(100):
            await say(host, number)
        with pytest.raises(Rejected) as refusal:
            await say(host, 100)
        assert refusal.value.code == "actor-full"
        assert (await say(host, 99)) is not None, "what was told before is still known"
        for number in range(100, 110):
            assert await say(host, number, principal="service:executor") is not None
        with pytest.raises(Rejected):
            await say(host, 110, principal="service:executor")
        with pytest.raises(Rejected):
            await say(host_of(bus), 111)


async def forget_ids(bus: Bus) -> None:
    """Ten minutes later: the server has forgotten the id of a message that came after all others."""

    async def is_new() -> bool:
        return not (await bus.js.publish("evt.probe", b"", headers={"Nats-Msg-Id": "probe"})).duplicate

    assert await is_new()
    config = (await bus.js.stream_info(EVENTS)).config
    config.duplicate_window = 0.1
    await bus.js.update_stream(config)
    await eventually(is_new)


async def test_one_actor_more_than_may_be_kept_makes_the_oldest_leave(nats_server: Nats) -> None:
    async with bounded(nats_server, max_kept_actors=2) as bus:
        journal = CountingJournal(bus)
        host = ActorHost(journal, [COUNTER], source="t", limits=bus.limits)
        for actor in ("A", "B"):
            await say(host, 1, actor=Actor("task", actor))
        for actor in ("A", "B"):
            await host.state(Actor("task", actor))
        assert journal.read == 0, "both were kept"
        await say(host, 1, actor=Actor("task", "C"))
        await host.state(Actor("task", "B"))
        assert journal.read == 0, "the one unused for longest left"
        assert (await host.state(Actor("task", "A"))).count == 1
        assert journal.read == 1


async def test_a_command_is_remembered_for_as_many_others_as_may_be(nats_server: Nats) -> None:
    async with bounded(nats_server, max_remembered_commands=16) as bus:
        host = host_of(bus)
        positions = [await say(host, number) for number in range(17)]
        again = await say(host, 1)
        assert again == positions[1], "still one of the last sixteen"
        assert await say(host, 0) == positions[0], "forgotten here, but the server knows it for ten minutes"
        await forget_ids(bus)
        forgotten = await say(host, 0)
        assert forgotten is not None and forgotten.sequence == 18


class Raced(NatsJournal):
    """Somebody else appends first, so many times."""

    losses = 0

    async def append(self, actor: Actor, event: Any, **rest: Any) -> RecordedEvent:
        if self.losses:
            self.losses -= 1
            other = ActorHost(NatsJournal(self._bus), [COUNTER], source="other")
            await other.execute(actor, task.GiveInput(message="first"), id=f"other-{self.losses}", principal="user:bob")
        return await super().append(actor, event, **rest)


@pytest.mark.parametrize("losses", [2, 3])
async def test_an_append_that_loses_too_often_gives_up(nats_server: Nats, losses: int) -> None:
    async with bounded(nats_server, max_append_tries=3) as bus:
        journal = Raced(bus)
        journal.losses = losses
        host = ActorHost(journal, [COUNTER], source="t", limits=bus.limits)
        if losses < 3:
            assert (await say(host, 1)) is not None
        else:
            with pytest.raises(Conflict, match="3 tries"):
                await say(host, 1)


async def test_a_read_holds_no_more_bytes_than_it_may_and_still_reads_everything(nats_server: Nats) -> None:
    async with bounded(nats_server, max_read_bytes=1 << 20) as bus:
        host, half = host_of(bus), "x" * 500_000
        for number in range(7):
            command = task.GiveInput(message=f"{half}{number}")
            await host.execute(ACTOR, command, id=f"c{number}", principal="user:ada")
        batch = await get_batch(bus, EVENTS, "evt.>", start=1, limit=1000)
        assert 1 <= len(batch.messages) <= 3
        assert batch.pending == 7 - len(batch.messages)
        assert len(await NatsJournal(bus).load(ACTOR)) == 7
        async with Feed(bus, EVENTS, "evt.>", after=0) as feed:
            positions = []
            async for message in feed:
                positions.append(message.position)
                if message.position == 7:
                    break
        assert positions == list(range(1, 8))


async def test_an_activity_holds_no_more_messages_than_it_may_however_many_slots_there_are(nats_server: Nats) -> None:
    begun, go_on = [], asyncio.Event()

    async def work(event: RecordedEvent, turn: ActivityContext) -> None:
        begun.append(event.position)
        await go_on.wait()

    async with bounded(nats_server, max_held_messages=16) as bus:
        host = host_of(bus)
        for number in range(17):
            await say(host, number)
        activities = [
            Activity(bus, work, service="t", name="held", event="evt.task.*.input-given", slots=12) for _ in range(2)
        ]
        async with running(*activities):
            await eventually(lambda: len(begun) == 16)
            info = await bus.js.consumer_info(EVENTS, "t-held")
            assert (info.num_ack_pending, info.num_pending) == (16, 1)
            go_on.set()
            await eventually(lambda: len(begun) == 17)


@pytest.mark.parametrize("tries", [1, 3])
async def test_what_fails_is_tried_so_often_and_then_parked(nats_server: Nats, tries: int) -> None:
    failed: list[str] = []

    def decide(state: Count, command: task.GiveInput) -> task.InputGiven:
        failed.append(command.message)
        raise RuntimeError("never")

    async with bounded(nats_server, max_message_tries=tries) as bus:
        host = host_of(bus, Decider("task", Count(), decide, COUNTER.evolve))
        async with running(*Mailboxes(bus, host, service="brain").pulls):
            await bus.publish("cmd.task.T1.give-input", b'{"message":"a"}', {})
            await eventually(lambda: _parked(bus, 1))
        assert len(failed) == tries


@pytest.mark.parametrize("tries", [1, 2])
async def test_work_that_fails_is_tried_so_often_and_then_reported(nats_server: Nats, tries: int) -> None:
    failed, reported = [], []

    async def work(event: RecordedEvent, turn: ActivityContext) -> None:
        failed.append(turn.delivered)
        raise RuntimeError("never")

    async def give_up(event: RecordedEvent, reason: str) -> None:
        reported.append(reason)

    async with bounded(nats_server, RARE_HEARTBEATS, max_activity_tries=tries) as bus:
        await say(host_of(bus), 1)
        activity = Activity(
            bus, work, service="t", name="fails", event="evt.task.*.input-given", slots=1, give_up=give_up
        )
        async with running(activity):
            await eventually(lambda: _parked(bus, 1))
    assert failed == list(range(1, tries + 1))
    assert reported == ["RuntimeError: never"]


async def _parked(bus: Bus, number: int) -> bool:
    return await parked.count(bus) == number


async def _commands(bus: Bus, number: int) -> bool:
    return bool((await bus.js.stream_info("COMMANDS")).state.messages == number)
