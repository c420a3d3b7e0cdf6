"""The actor host, mailboxes, reactor and activity on a real NATS server."""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import msgspec
import pytest

from services.brain.actors import task as task_actor
from shared.contracts import task
from shared.contracts.decider import Decider, Rejected
from shared.contracts.ids import new_task_id
from shared.contracts.messages import Command
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent
from shared.event_store.journal import LogDamaged, LogFull
from shared.nats.bus import Bus
from shared.nats.dead_letters import DeadLetter
from shared.nats.feed import Feed
from shared.nats.journal import NatsJournal
from shared.nats.pull import StandingPull
from shared.nats.streams import EVENTS, PARKED, GuardsOff, check_guards, provision
from shared.runtime import dead_letters as parked
from shared.runtime.acknowledge import RetryPolicy
from shared.runtime.activity import Activity, ActivityContext
from shared.runtime.actor_host import ActorHost
from shared.runtime.client import Client
from shared.runtime.mailbox import Mailboxes
from shared.runtime.reactor import Reactor
from testing.eventually import end, eventually
from testing.nats import Nats

SUBMIT = task.Submit(title="t", text="x", source=task.Source(kind="test"))
QUICK = RetryPolicy(most=3, waits_s=(0.05,))
QUICK_HERE = RetryPolicy(most_here=3, waits_here_s=(0.05,))


def host_of(bus: Bus, decider: Decider[Any] = task_actor.DECIDER) -> ActorHost:
    return ActorHost(NatsJournal(bus), [decider], source="journeyman/test")


@asynccontextmanager
async def running(*pulls: StandingPull) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(pull.run()) for pull in pulls]
    try:
        yield
    finally:
        for pull in pulls:
            pull.drain()
        await asyncio.wait_for(asyncio.gather(*tasks), 60)


async def test_the_same_command_id_takes_effect_once_and_answers_the_same(bus: Bus) -> None:
    host, actor = host_of(bus), Actor("task", new_task_id())
    first = await host.execute(actor, SUBMIT, id="c1", principal="user:ada")
    again = await host_of(bus).execute(actor, SUBMIT, id="c1", principal="user:ada")
    assert first is not None and again is not None and again.position == first.position
    assert await NatsJournal(bus).last_position() == 1


async def test_a_state_kept_in_memory_is_checked_before_a_command_is_refused(bus: Bus) -> None:
    one, other, actor = host_of(bus), host_of(bus), Actor("task", new_task_id())
    await one.execute(actor, SUBMIT, id="c1", principal="user:ada")
    await other.execute(actor, task.Stop(), id="c2", principal="user:ada")
    retried = await one.execute(actor, task.Retry(), id="c3", principal="user:ada")
    assert retried is not None and retried.name == "retried"


async def test_hosts_that_race_for_one_actor_lose_no_command(bus: Bus) -> None:
    def evolve(state: int, event: object) -> int:
        return state + 1

    def decide(state: int, command: object) -> task.Retried:
        return task.Retried(stage=task.Stage.TRIAGE)

    hosts = [ActorHost(NatsJournal(bus), [Decider("task", 0, decide, evolve)], source="t") for _ in range(4)]
    actor = Actor("task", "A")
    await asyncio.gather(
        *(hosts[n % 4].execute(actor, task.Retry(), id=f"c{n}", principal="user:ada") for n in range(40))
    )
    events = await NatsJournal(bus).load(actor)
    assert sorted(e.causation_id for e in events) == sorted(f"c{n}" for n in range(40))


async def test_a_command_is_answered_with_its_event_or_its_rejection(bus: Bus) -> None:
    boxes = Mailboxes(bus, host_of(bus), service="brain")
    client, actor = Client(bus, source="journeyman/test"), Actor("task", new_task_id())
    async with running(*boxes.pulls):
        result = await client.send(actor, SUBMIT, principal="user:ada")
        assert result.event is not None and result.event["type"] == "task.submitted"
        assert result.event["principal"] == "user:ada"
        with pytest.raises(Rejected) as refused:
            await client.send(actor, task.Retry(), principal="user:ada")
        assert refused.value.code == "task-wrong-state"


async def test_a_command_typed_by_hand_needs_no_envelope(bus: Bus) -> None:
    boxes = Mailboxes(bus, host_of(bus), service="brain")
    id = new_task_id()
    async with running(*boxes.pulls):
        body = msgspec.json.encode({"title": "by hand", "text": "", "source": {"kind": "nats"}})
        await bus.nc.publish(f"cmd.task.{id}.submit", body)
        events = await eventually(lambda: NatsJournal(bus).load(Actor("task", id)))
        assert events[0].data.title == "by hand" and events[0].principal == "nats:operator"


async def test_one_actors_commands_are_taken_in_the_order_sent_whichever_instance_takes_them(bus: Bus) -> None:
    def decide(state: int, command: task.GiveInput) -> task.InputGiven:
        return task.InputGiven(message=command.message)

    decider = Decider("task", 0, decide, lambda state, event: state + 1)
    boxes = [Mailboxes(bus, host_of(bus, decider), service="brain") for _ in range(3)]
    ids = [new_task_id() for _ in range(5)]
    async with running(*(pull for each in boxes for pull in each.pulls)):
        for number in range(30):
            for id in ids:
                await bus.publish(f"cmd.task.{id}.give-input", msgspec.json.encode({"message": str(number)}), {})
        await eventually(lambda: _at_position(bus, 150))
    for id in ids:
        events = await NatsJournal(bus).load(Actor("task", id))
        assert [e.data.message for e in events] == [str(n) for n in range(30)]


async def _at_position(bus: Bus, position: int) -> bool:
    return await NatsJournal(bus).last_position() >= position


async def test_a_poison_command_is_parked_with_its_reason_and_its_neighbours_go_on(bus: Bus) -> None:
    def decide(state: int, command: task.GiveInput) -> task.InputGiven:
        if command.message == "poison":
            raise ZeroDivisionError("cannot take this")
        return task.InputGiven(message=command.message)

    boxes = Mailboxes(bus, host_of(bus, Decider("task", 0, decide, lambda s, e: s + 1)), service="brain", retry=QUICK)
    async with running(*boxes.pulls):
        for message in ("before", "poison", "after"):
            await bus.publish("cmd.task.A.give-input", msgspec.json.encode({"message": message}), {})
        await eventually(lambda: _at_position(bus, 2))
    events = await NatsJournal(bus).load(Actor("task", "A"))
    assert [e.data.message for e in events] == ["before", "after"]
    last = await bus.js.get_last_msg(PARKED, "parked.>")
    entry = msgspec.json.decode(last.data or b"", type=DeadLetter)
    assert "cannot take this" in entry.reason and entry.tries >= 3 and entry.stream == "COMMANDS"
    await eventually(lambda: _is_empty(bus, "COMMANDS"))


async def _is_empty(bus: Bus, stream: str) -> bool:
    return (await bus.js.stream_info(stream)).state.messages == 0


async def test_an_unreadable_command_is_parked_at_once(bus: Bus) -> None:
    boxes = Mailboxes(bus, host_of(bus), service="brain")
    async with running(*boxes.pulls):
        await bus.publish("cmd.task.A.submit", b"no json at all", {})
        await bus.publish("cmd.task.A.levitate", b"{}", {})
        await eventually(lambda: _count(bus, PARKED, 2))


async def _count(bus: Bus, stream: str, count: int) -> bool:
    return (await bus.js.stream_info(stream)).state.messages >= count


async def test_an_event_taken_twice_sends_nothing_twice(bus: Bus) -> None:
    def react(event: RecordedEvent) -> list[Command]:
        return [task.RequestTriage(id=event.actor.id), task.Stop(id=event.actor.id)]

    await host_of(bus).execute(Actor("task", "A"), SUBMIT, id="c1", principal="user:ada")
    for service in ("one", "one-again"):
        # Another durable of the same service name in the ids: as when the acknowledgement was lost.
        reactor = Reactor(bus, react, ["evt.task.*.submitted"], service=service)
        async with running(reactor.pull):
            await _until_acked(bus, f"{service}-reactor")
    assert (await bus.js.stream_info("COMMANDS")).state.messages == 2


async def test_an_activity_is_held_while_it_works_and_delivered_once(bus: Bus) -> None:
    seen: list[int] = []

    async def work(event: RecordedEvent, turn: ActivityContext) -> None:
        seen.append(turn.delivered)
        await asyncio.sleep(ack_wait_s + 2)

    # Long enough for a server that stands still for some seconds in the middle of it.
    ack_wait_s = 12.0
    activity = Activity(
        bus, work, service="t", name="slow", event="evt.task.*.submitted", slots=2, ack_wait_s=ack_wait_s
    )
    await host_of(bus).execute(Actor("task", "A"), SUBMIT, id="c1", principal="user:ada")
    async with running(activity.pull):
        await eventually(lambda: _acked(bus, "t-slow"))
    assert seen == [1]


async def _until_acked(bus: Bus, durable: str) -> None:
    await eventually(lambda: _acked(bus, durable))


async def _acked(bus: Bus, durable: str) -> bool:
    with contextlib.suppress(Exception):
        info = await bus.js.consumer_info(EVENTS, durable)
        return bool(info.num_ack_pending == 0 and info.num_pending == 0 and info.delivered.consumer_seq > 0)
    return False


async def test_an_activity_takes_no_more_than_its_slots(bus: Bus) -> None:
    active = most = 0
    full = asyncio.Event()

    async def work(event: RecordedEvent, turn: ActivityContext) -> None:
        nonlocal active, most
        active += 1
        most = max(most, active)
        if active == 3:
            full.set()
        await full.wait()
        await asyncio.sleep(0.05)
        active -= 1

    host = host_of(bus)
    for number in range(12):
        await host.execute(Actor("task", f"A{number}"), SUBMIT, id=f"c{number}", principal="user:ada")
    activity = Activity(bus, work, service="t", name="few", event="evt.task.*.submitted", slots=3)
    async with running(activity.pull):
        await eventually(lambda: _acked(bus, "t-few"))
    assert most == 3


async def test_a_feed_goes_on_without_gap_or_repeat_when_the_server_is_killed(bus: Bus, nats_server: Nats) -> None:
    journal, seen = NatsJournal(bus), []

    async def follow() -> None:
        async with Feed(bus, EVENTS, "evt.>", after=0) as feed:
            async for message in feed:
                seen.append(message.position)

    following = asyncio.create_task(follow())
    host = host_of(bus)
    for number in range(40):
        if number == 20:
            await eventually(lambda: seen)
            await nats_server.kill()
            await nats_server.start()
            await eventually(lambda: bus.connected)
        await _insist(partial(host.execute, Actor("task", f"A{number}"), SUBMIT, id=f"c{number}", principal="user:ada"))
    await eventually(lambda: len(seen) >= 40)
    await end(following)
    assert seen == list(range(1, 41))
    assert await journal.last_position() == 40


async def _insist(act: Callable[[], Any]) -> None:
    for _ in range(50):
        try:
            await act()
            return
        except Exception:
            await asyncio.sleep(0.1)
    raise AssertionError("the log did not come back")


async def test_a_guard_that_was_switched_off_is_noticed(bus: Bus) -> None:
    await check_guards(bus)
    config = (await bus.js.stream_info(EVENTS)).config
    await bus.js.delete_stream(EVENTS)
    # The server refuses to lift a guard of a stream; a stream that was made without one shows what could happen.
    config.deny_purge = False
    await bus.js.add_stream(config)
    with pytest.raises(GuardsOff, match="deny_purge"):
        await check_guards(bus)


async def test_provisioning_twice_changes_nothing(bus: Bus) -> None:
    assert await provision(bus) == []


async def test_a_forged_event_is_never_folded_over(bus: Bus) -> None:
    host, actor = host_of(bus), Actor("task", "A")
    await host.execute(actor, SUBMIT, id="c1", principal="user:ada")
    first = await bus.js.get_msg(EVENTS, 1)
    await bus.publish("evt.task.A.submitted", first.data or b"", {})
    with pytest.raises(LogDamaged, match="stream sequence 2"):
        await host_of(bus).execute(actor, task.Stop(), id="c2", principal="user:ada")


async def test_a_full_log_refuses_and_loses_nothing(bus: Bus) -> None:
    info = await bus.js.stream_info(EVENTS)
    info.config.max_bytes = 4096
    await bus.js.update_stream(info.config)
    host, taken = host_of(bus), 0
    with pytest.raises(LogFull, match="max-bytes"):
        for number in range(50):
            await host.execute(Actor("task", f"A{number}"), SUBMIT, id=f"c{number}", principal="user:ada")
            taken += 1
    assert 0 < taken == await NatsJournal(bus).last_position()


async def test_a_parked_command_is_handled_when_it_is_replayed_and_takes_effect_once(bus: Bus) -> None:
    poisonous = True

    def decide(state: int, command: task.GiveInput) -> task.InputGiven:
        if poisonous:
            raise ZeroDivisionError("not today")
        return task.InputGiven(message=command.message)

    boxes = Mailboxes(bus, host_of(bus, Decider("task", 0, decide, lambda s, e: s + 1)), service="brain", retry=QUICK)
    async with running(*boxes.pulls):
        await bus.publish("cmd.task.A.give-input", msgspec.json.encode({"message": "m"}), {"Nats-Msg-Id": "c1"})
        await eventually(lambda: _count(bus, PARKED, 1))
        poisonous = False
        numbers = [number async for number, _ in parked.listing(bus)]
        await parked.replay(bus, numbers[0])
        await eventually(lambda: _at_position(bus, 1))
    assert await parked.count(bus) == 0


async def test_a_parked_event_is_looked_at_again_by_its_own_consumer(bus: Bus) -> None:
    poisonous = True

    def react(event: RecordedEvent) -> list[Command]:
        if poisonous:
            raise ZeroDivisionError("not today")
        return [task.RequestTriage(id=event.actor.id)]

    await host_of(bus).execute(Actor("task", "A"), SUBMIT, id="c1", principal="user:ada")
    reactor = Reactor(bus, react, ["evt.task.*.submitted"], service="one", tries=QUICK)
    await parked.answer_replays(bus, "one-reactor", reactor.handle)
    async with running(reactor.pull):
        await eventually(lambda: _count(bus, PARKED, 1))
        with pytest.raises(parked.CannotReplay, match="not today"):
            await parked.replay(bus, 1)
        poisonous = False
        await parked.replay(bus, 1)
    assert await parked.count(bus) == 0
    assert (await bus.js.stream_info("COMMANDS")).state.messages == 1


async def test_what_is_dropped_is_gone_and_a_wrong_number_is_said(bus: Bus) -> None:
    with pytest.raises(parked.CannotReplay, match="Nothing is parked under 7"):
        await parked.drop(bus, 7)
    with pytest.raises(parked.CannotReplay, match="Nothing is parked under 7"):
        await parked.replay(bus, 7)


async def test_work_that_fails_again_and_again_is_reported_before_it_is_parked(bus: Bus) -> None:
    reported: list[str] = []

    async def work(event: RecordedEvent, turn: ActivityContext) -> None:
        raise ZeroDivisionError("never works")

    async def give_up(event: RecordedEvent, reason: str) -> None:
        reported.append(f"{event.actor.id}: {reason}")

    await host_of(bus).execute(Actor("task", "A"), SUBMIT, id="c1", principal="user:ada")
    activity = Activity(
        bus, work, service="t", name="bad", event="evt.task.*.submitted", slots=1, give_up=give_up, tries=QUICK
    )
    async with running(activity.pull):
        await eventually(lambda: _count(bus, PARKED, 1))
    # Said again when its message could not be parked at once.
    assert set(reported) == {"A: ZeroDivisionError: never works"}


async def test_a_full_disk_ends_the_work_with_its_reason_and_a_server_that_is_away_is_waited_for(bus: Bus) -> None:
    reported: list[str] = []
    tries: dict[str, int] = {"A": 0, "B": 0}
    errors = {
        "A": OSError(errno.ENOSPC, "No space left on device"),
        "B": ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed"),
    }

    async def work(event: RecordedEvent, turn: ActivityContext) -> None:
        tries[event.actor.id] += 1
        if tries["B"] <= QUICK_HERE.most_here or event.actor.id == "A":
            raise errors[event.actor.id]

    async def give_up(event: RecordedEvent, reason: str) -> None:
        reported.append(f"{event.actor.id}: {reason}")

    for id in tries:
        await host_of(bus).execute(Actor("task", id), SUBMIT, id=f"c{id}", principal="user:ada")
    activity = Activity(
        bus, work, service="t", name="full", event="evt.task.*.submitted", slots=2, give_up=give_up, tries=QUICK_HERE
    )
    async with running(activity.pull):
        await eventually(lambda: _count(bus, PARKED, 1))
        await eventually(lambda: tries["B"] > QUICK_HERE.most_here)
    assert set(reported) == {"A: [Errno 28] No space left on device, 3 times"}
    assert tries["A"] == QUICK_HERE.most_here


def test_tries_that_take_long_are_fewer() -> None:
    policy = RetryPolicy()
    assert policy.most_tries_here(took_s=1) * policy.wait_here_s(99) == 300, "five minutes"
    assert policy.most_tries_here(took_s=600) == policy.most
