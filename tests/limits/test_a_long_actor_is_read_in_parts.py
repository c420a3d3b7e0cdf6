from __future__ import annotations

from shared.contracts import task
from shared.contracts.subjects import Actor
from shared.nats.bus import Bus
from shared.nats.journal import LOAD_BATCH
from shared.nats.snapshots import NatsSnapshots
from shared.runtime.actor_host import ActorHost
from testing.counting_actor import COUNTER, CountingJournal, grow

ACTOR = Actor("task", "LONG")
LENGTH = 5_000
"""Each new event is synced to disk here; `python -m bench --only long-actor` loads twenty times as many."""


async def test_a_snapshot_spares_the_old_events_and_nothing_is_in_memory_whole(bus: Bus) -> None:
    await grow(bus, ACTOR, LENGTH)

    def host() -> tuple[CountingJournal, ActorHost]:
        journal = CountingJournal(bus)
        return journal, ActorHost(journal, [COUNTER], source="t", snapshots=NatsSnapshots(bus))

    journal, first = host()
    assert (await first.state(ACTOR)).count == LENGTH
    assert (journal.read, journal.largest) == (LENGTH, LOAD_BATCH)
    for number in range(7):
        await first.execute(ACTOR, task.GiveInput(message="m"), id=f"new-{number}", principal="user:ada")

    journal, second = host()
    assert (await second.state(ACTOR)).count == LENGTH + 7
    assert journal.read == 7, "only what came after the snapshot"
    again = await second.execute(ACTOR, task.GiveInput(message="m"), id=f"c{LENGTH - 1}", principal="user:ada")
    assert again is not None and again.sequence == LENGTH - 1
    assert journal.read == 7, "a command that was handled before is found without them too"
