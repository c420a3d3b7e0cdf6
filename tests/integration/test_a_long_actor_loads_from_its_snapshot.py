from __future__ import annotations

import msgspec

from shared.actor import ActorHost
from shared.contracts import task
from shared.deciding import Decider
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.nats.snapshots import NatsSnapshots
from shared.nats.streams import EVENTS
from shared.subjects import Actor
from tests.support.counting import COUNTER, Count, grow

ACTOR = Actor("task", "LONG")


def host_of(bus: Bus, decider: Decider[Count] = COUNTER, every: int = 10) -> ActorHost:
    return ActorHost(NatsJournal(bus), [decider], source="t", snapshots=NatsSnapshots(bus), snapshot_every=every)


async def test_the_fold_from_a_snapshot_is_the_fold_of_everything(bus: Bus) -> None:
    await grow(bus, ACTOR, 57)
    assert (await host_of(bus).state(ACTOR)).count == 57
    assert await NatsSnapshots(bus).get(ACTOR) is not None
    fresh = host_of(bus)
    assert await fresh.state(ACTOR) == await ActorHost(NatsJournal(bus), [COUNTER], source="t").state(ACTOR)
    again = await fresh.tell(ACTOR, task.GiveInput(message="57"), id="c57", principal="t")
    assert again is not None and again.position == 57, "a snapshot remembers the commands it was folded from"


async def test_a_snapshot_of_other_code_or_of_another_log_is_not_used(bus: Bus) -> None:
    await grow(bus, ACTOR, 20)
    store = NatsSnapshots(bus)
    await host_of(bus).state(ACTOR)
    good = await store.get(ACTOR)
    assert good is not None
    lie = msgspec.Raw(b'{"count":9000}')
    for wrong in (
        msgspec.structs.replace(good, fold="other", state=lie),
        msgspec.structs.replace(good, head=msgspec.structs.replace(good.head, hash="0" * 64), state=lie),
        msgspec.structs.replace(good, head=msgspec.structs.replace(good.head, position=999), state=lie),
    ):
        await store.put(ACTOR, wrong)
        assert (await host_of(bus, every=1000).state(ACTOR)).count == 20


async def test_a_broken_snapshot_only_costs_time(bus: Bus) -> None:
    await grow(bus, ACTOR, 12)
    bucket = await bus.js.key_value("SNAPSHOTS")
    await bucket.put("task.LONG", b"no snapshot at all")
    assert (await host_of(bus).state(ACTOR)).count == 12
    await bus.js.delete_stream("KV_SNAPSHOTS")
    assert (await host_of(bus).state(ACTOR)).count == 12
    assert (await bus.js.stream_info(EVENTS)).state.messages == 12
