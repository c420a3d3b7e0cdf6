"""Loading an actor with a very long log, without and with its snapshot, against reading the log alone."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from bench.cases.appends import PROCESS, TRANSCRIPT, USAGE
from bench.filling import fill
from bench.history import BASE, BEGAN, REPO, Published
from bench.measure import in_turns
from bench.peers.read_stream import read_all
from bench.result import Found, Goal, compare
from bench.sizes import Sizes
from bench.world import CannotMeasure, connected, nats_server
from services.executor.actors import run as run_actor
from shared.contracts.messages import Event, name_of
from shared.contracts.run import Checkpointed, Claimed, Requested, Started
from shared.contracts.subjects import Actor, event_subject
from shared.event_store.envelope import MessageMetadata, encode_event, hash_of
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.nats.snapshots import NatsSnapshots
from shared.runtime.actor_host import ActorHost

PEER: Final = "reading the same stream alone (shared.nats.feed)"
ACTOR: Final = Actor("run", "01LONG00000000000000000000")
ABOUT: Final = (
    "`ActorHost.state` of a run that nobody has in memory: every event read, checked against the hash of the one "
    "before it, and folded; then the same from its snapshot, which is checked against the log. The peer decodes "
    "nothing."
)


async def run(sizes: Sizes, directory: Path) -> Found:
    """One actor, loaded several times by hosts that know nothing of it."""
    count = sizes.actor_events
    await fill(directory / "nats", _log(count), count)
    async with nats_server(directory / "nats") as server, connected(server, "bench-long-actor") as bus:
        size = await read_all(bus, count)

        async def loaded() -> float:
            return await _load(bus, count, snapshots=False)

        async def from_snapshot() -> float:
            return await _load(bus, count, snapshots=True)

        async def read() -> float:
            begun = time.perf_counter()
            await read_all(bus, count)
            return (time.perf_counter() - begun) * 1000

        await from_snapshot()  # which makes it
        if await NatsSnapshots(bus).get(ACTOR) is None:
            raise CannotMeasure("The long actor got no snapshot.")
        whole, short, theirs = await in_turns(sizes.rounds, loaded, from_snapshot, read)
    lines = [
        compare("load-long-actor", "ms", whole, float, peer=PEER, theirs=theirs, peer_value=float,
                goal=Goal(value_most=5000)),
        compare("load-long-actor-from-snapshot", "ms", short, float, peer=PEER, theirs=theirs, peer_value=float,
                goal=Goal(value_most=200)),
    ]  # fmt: skip
    about = f"{ABOUT} {count:,} events of {size // count:,} bytes on average, {size >> 20:,} MiB in all."
    return Found(title="Loading a long actor", lines=lines, about=about)


async def _load(bus: Bus, count: int, *, snapshots: bool) -> float:
    """Milliseconds until a new host has the actor's state."""
    store = NatsSnapshots(bus) if snapshots else None
    host = ActorHost(NatsJournal(bus), [run_actor.DECIDER], source="journeyman/bench", snapshots=store)
    begun = time.perf_counter()
    state = await host.state(ACTOR)
    elapsed = time.perf_counter() - begun
    if state.turn != count - 3:
        raise CannotMeasure(f"The actor was folded to turn {state.turn} of {count - 3}.")
    return elapsed * 1000


def _log(count: int) -> Iterator[Published]:
    previous = ""
    for sequence, event in enumerate(_events(count), start=1):
        metadata = MessageMetadata(
            id=str(uuid.uuid4()),
            source="journeyman/executor",
            time=BEGAN + timedelta(seconds=sequence),
            principal="service:executor",
            causation_id=str(uuid.uuid4()),
            correlation_id=ACTOR.id,
        )
        body = encode_event(ACTOR, event, sequence=sequence, prevhash=previous, metadata=metadata)
        previous = hash_of(body)
        yield Published(event_subject(ACTOR, name_of(event)), body)


def _events(count: int) -> Iterator[Event]:
    yield Requested(round=1, repo=REPO, base_commit=BASE, title="Fix it", text="It is wrong.")
    yield Claimed(round=1, attempt=1, worker="bench:1", session=str(uuid.uuid4()))
    yield Started(attempt=1, cli_version="2.1.187", model="claude-sonnet")
    for turn in range(1, count - 2):
        yield Checkpointed(
            attempt=1, turn=turn, transcript=TRANSCRIPT, process=PROCESS, offset=4096 * turn, usage=USAGE
        )
