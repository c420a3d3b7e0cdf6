from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.contracts import task
from shared.contracts.calls import Call, Outcome, Tally
from shared.contracts.decider import Decider
from shared.contracts.subjects import Actor
from shared.event_store.envelope import MessageMetadata, utc_now
from shared.event_store.journal import LogFull
from shared.nats.bus import Bus
from shared.nats.calls import CallBucket
from shared.nats.idempotency import Claim, IdempotencyKeys
from shared.nats.journal import NatsJournal
from shared.nats.objects import Artifacts
from shared.nats.snapshots import NatsSnapshots
from shared.nats.streams import (
    CALLS,
    COMMANDS,
    EVENTS,
    IDEMPOTENCY,
    OUTPUT,
    PARKED,
    TIMERS,
    provision,
    stream_limits_of,
)
from shared.ops.limits import MEBI, Limits
from shared.runtime import dead_letters as parked
from shared.runtime.actor_host import ActorHost
from shared.runtime.client import Client, NoAnswer
from shared.runtime.mailbox import Mailboxes
from shared.runtime.timers import set_timer
from testing.counting_actor import COUNTER, Count
from testing.eventually import eventually
from testing.nats import Nats
from testing.slow_timings import connect_patiently

ACTOR = Actor("task", "T1")
SMALL = Limits(
    max_events_bytes=MEBI,
    max_commands_bytes=MEBI,
    max_output_bytes=MEBI,
    max_timers_bytes=MEBI,
    max_parked_bytes=MEBI,
    max_artifacts_bytes=MEBI,
    max_snapshots_bytes=MEBI,
    max_idempotency_bytes=MEBI,
    max_message_tries=1,
)


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[Bus]:
    """A connection to a server whose streams are as small as they may be."""
    nats = Nats(tmp_path / "nats")
    await nats.start()
    bus = await connect_patiently(nats.url, name="test", limits=SMALL)
    await provision(bus, stream_limits_of(SMALL))
    yield bus
    await asyncio.wait_for(bus.close(), 60)
    await nats.stop()


async def messages(bus: Bus, stream: str) -> int:
    return int((await bus.js.stream_info(stream)).state.messages)


async def more_room(bus: Bus, stream: str) -> None:
    config = (await bus.js.stream_info(stream)).config
    config.max_bytes = 8 * MEBI
    await bus.js.update_stream(config)


async def test_a_full_log_refuses_and_what_is_in_it_stays(bus: Bus) -> None:
    host = ActorHost(NatsJournal(bus), [COUNTER], source="t", snapshots=NatsSnapshots(bus), limits=SMALL)

    async def say(number: int) -> None:
        await host.execute(ACTOR, task.GiveInput(message="x" * 200_000), id=f"c{number}", principal="user:ada")

    for number in range(5):
        await say(number)
    with pytest.raises(LogFull, match="stream edit EVENTS"):
        await say(5)
    assert (await host.state(ACTOR)).count == 5
    await more_room(bus, EVENTS)
    await say(5)
    assert (await host.state(ACTOR)).count == 6


async def test_full_mailboxes_refuse_a_command_and_the_ones_before_are_kept(bus: Bus) -> None:
    client = Client(bus, source="t")
    for _ in range(5):
        with pytest.raises(NoAnswer):
            await client.send(ACTOR, task.GiveInput(message="x" * 200_000), principal="user:ada", timeout=0.01)
    with pytest.raises(LogFull, match="stream edit COMMANDS"):
        await client.send(ACTOR, task.GiveInput(message="x" * 200_000), principal="user:ada", timeout=0.01)
    assert await messages(bus, COMMANDS) == 5


async def test_output_drops_its_oldest_lines_and_nothing_else(bus: Bus) -> None:
    for number in range(6):
        await bus.js.publish("out.run.T1", f"{number}".encode() * 200_000)
    state = (await bus.js.stream_info(OUTPUT)).state
    assert (state.messages, state.first_seq, state.last_seq) == (5, 2, 6)


async def test_a_timer_too_many_is_refused_and_the_ones_that_wait_stay(bus: Bus) -> None:
    metadata = MessageMetadata(id="t", source="t", time=utc_now(), principal="t")

    async def set_one(id: str) -> None:
        await set_timer(bus, task.Resume(id=id, at=utc_now() + timedelta(hours=1)), metadata)

    at = (utc_now() + timedelta(hours=1)).isoformat(timespec="seconds").replace("+00:00", "Z")
    await set_one("T1")
    for number, size in enumerate((450_000, 450_000, 50_000)):
        await set_one(f"T2{number}")
        headers = {"Nats-Schedule": f"@at {at}", "Nats-Schedule-Target": f"timer.due.task.L{number}.resume"}
        await bus.js.publish(f"timer.set.task.L{number}.resume", b"x" * size, headers=headers)
    with pytest.raises(LogFull, match="stream edit TIMERS"):
        await set_one("T3")
    assert await messages(bus, TIMERS) == 7
    await more_room(bus, TIMERS)
    await set_one("T3")
    assert await messages(bus, TIMERS) == 8


async def test_what_does_not_fit_into_parked_waits_until_there_is_room(bus: Bus) -> None:
    def decide(state: Count, command: task.GiveInput) -> task.InputGiven:
        raise RuntimeError("never")

    for _ in range(2):
        await bus.js.publish("parked.old", b"x" * 500_000)
    host = ActorHost(NatsJournal(bus), [Decider("task", Count(), decide, COUNTER.evolve)], source="t")
    pulls = Mailboxes(bus, host, service="brain").pulls
    tasks = [asyncio.create_task(pull.run()) for pull in pulls]
    await bus.publish("cmd.task.T1.give-input", b'{"message":"%b"}' % (b"x" * 100_000), {})
    info = await eventually(lambda: _delivered(bus, 3))
    assert info and await messages(bus, COMMANDS) == 1, "it is still in its mailbox"
    assert await messages(bus, PARKED) == 2
    await parked.drop(bus, 1)
    await eventually(lambda: _is_empty(bus, COMMANDS))
    assert await messages(bus, PARKED) == 2
    for pull in pulls:
        pull.drain()
    await asyncio.wait_for(asyncio.gather(*tasks), 60)


async def _delivered(bus: Bus, times: int) -> bool:
    """Whether the one command was delivered so often."""
    found = await bus.js.consumers_info(COMMANDS)
    return sum(each.delivered.consumer_seq for each in found if each.delivered) >= times


async def _is_empty(bus: Bus, stream: str) -> bool:
    return await messages(bus, stream) == 0


async def test_full_artifacts_refuse_and_keep_what_they_have(bus: Bus) -> None:
    artifacts = Artifacts(bus)
    kept = await artifacts.put("first", b"x" * 900_000)
    with pytest.raises(LogFull, match="stream edit OBJ_ARTIFACTS"):
        await artifacts.put("second", b"y" * 300_000)
    assert await artifacts.get(kept) == b"x" * 900_000


async def test_full_snapshots_cost_time_only(bus: Bus) -> None:
    bucket = await bus.js.key_value("SNAPSHOTS")
    await bucket.put("task.OTHER", b"x" * 1_000_000)
    store = NatsSnapshots(bus)
    host = ActorHost(NatsJournal(bus), [COUNTER], source="t", snapshots=store, snapshot_every=500)
    for number in range(500):
        # Long ids, so that the snapshot is larger than what is left.
        await host.execute(ACTOR, task.GiveInput(message="m"), id=f"{number}".zfill(200), principal="user:ada")
    assert await store.get(ACTOR) is None
    assert (await ActorHost(NatsJournal(bus), [COUNTER], source="t", snapshots=store).state(ACTOR)).count == 500


async def test_full_idempotency_keys_refuse_a_new_key_and_know_the_old_ones(bus: Bus) -> None:
    keys = IdempotencyKeys(bus)
    claim = Claim(task_id="T1", request="a")
    assert await keys.claim("user:ada", "first", claim) == claim
    bucket = await bus.js.key_value(IDEMPOTENCY)
    await bucket.put("other", b"x" * 1_000_000)
    with pytest.raises(LogFull, match="stream edit KV_IDEMPOTENCY"):
        for number in range(1000):
            await keys.claim("user:ada", f"key {number}", Claim(task_id="T2", request="b"))
    assert await keys.claim("user:ada", "first", Claim(task_id="T3", request="a")) == claim


async def test_in_a_full_bucket_of_calls_the_newest_push_out_the_oldest(bus: Bus) -> None:
    config = (await bus.js.stream_info(f"KV_{CALLS}")).config
    config.max_bytes = 64 * 1024
    await bus.js.update_stream(config)
    bucket, now = CallBucket(bus), datetime(2026, 1, 2, tzinfo=UTC)
    call = Call(at=now, outcome=Outcome.ACCEPTED, status=202, body="x" * 20_000)
    for door in ("first", "second", "third", "fourth"):
        await bucket.put(door, "one", Tally(day=now.date()), (call,))
    assert await bucket.recent("first") == () and await bucket.recent("fourth") == (call,)
