"""Guarded appends through the actor host, and through the journal alone, against bare publishes."""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.measure import Timed, in_turns, timed
from bench.peers.raw_publish import publish_all
from bench.result import Found, Goal, Line, compare
from bench.sizes import Sizes
from bench.world import connected, nats_server
from services.executor.actors import run as run_actor
from shared.contracts.ids import new_task_id
from shared.contracts.messages import ArtifactRef, Command
from shared.contracts.run import Checkpointed, Claim, RecordCheckpoint, RecordStarted, Request
from shared.contracts.subjects import Actor
from shared.contracts.usage import ModelUsage
from shared.event_store.envelope import MessageMetadata, RecordedEvent, utc_now
from shared.event_store.journal import Head, head_of
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.runtime.actor_host import ActorHost

PEER = "nats-py js.publish, same headers and sizes"
PROCESS = "run-01KJMBQDE0FDHVEXFWR0ACETA6-1-1"
TRANSCRIPT = ArtifactRef(name="01KJMBQDE0FDHVEXFWR0ACETA6.transcript.tar.gz", sha256="a1" * 32, size=48_211)
USAGE = (ModelUsage(model="claude-sonnet", input_tokens=1200, output_tokens=340, cost_microusd=8700),)

ABOUT = (
    "Runs record checkpoints, one after the other in each run, as an executor does: decide, encode the envelope with "
    "version and hash chain, append behind the guard, read our own bytes back into an event, evolve; the runs are in "
    "memory. The peer publishes ready-made bytes with the same headers. One connection each to the same server, "
    "which syncs every message to disk."
)


async def run(sizes: Sizes, directory: Path) -> Found:
    """Sequential and many actors at once."""
    async with (
        nats_server(directory / "nats") as server,
        connected(server, "bench-ours") as ours,
        connected(server, "bench-peer") as peer,
    ):
        body = await _a_body(ours)
        lines: list[Line] = []
        for label, actors, each in (
            ("sequential", 1, sizes.appends),
            (f"{sizes.actors} actors", sizes.actors, sizes.appends_per_actor),
        ):
            lines += await _measure(label, actors, each, sizes.append_rounds, ours, peer, body)
    return Found(title="Guarded appends", lines=lines, about=f"{ABOUT} Bodies of {len(body)} bytes.")


async def _measure(label: str, actors: int, each: int, rounds: int, ours: Bus, peer: Bus, body: bytes) -> list[Line]:
    async def raw() -> Timed:
        return await publish_all(peer.js, actors=actors, each=each, body=body)

    async def hosted() -> Timed:
        return await _many(actors, each, _host_of(ours))

    async def journaled() -> Timed:
        return await _many(actors, each, _journal_of(ours))

    # Opens connections' buffers, the stream's first block and the interpreter's caches for all three.
    for warm_up in (raw, hosted, journaled):
        await warm_up()
    mine, bare, theirs = await in_turns(rounds, hosted, journaled, raw)
    goal = Goal(ratio_least=0.8)
    return [
        compare(f"appends, {label}: ActorHost.execute", "appends/s", mine, _rate, peer=PEER, theirs=theirs,
                peer_value=_rate, goal=goal),
        compare(f"appends, {label}: ActorHost.execute p50", "ms", mine, _p50, peer=PEER, theirs=theirs,
                peer_value=_p50),
        compare(f"appends, {label}: ActorHost.execute p99", "ms", mine, _p99, peer=PEER, theirs=theirs,
                peer_value=_p99),
        compare(f"appends, {label}: NatsJournal.append", "appends/s", bare, _rate, peer=PEER, theirs=theirs,
                peer_value=_rate, goal=goal),
    ]  # fmt: skip


def _rate(run: Timed) -> float:
    return run.rate


def _p50(run: Timed) -> float:
    return run.p50_ms


def _p99(run: Timed) -> float:
    return run.p99_ms


Append = Callable[[], Awaitable[object]]
"""Appends the next event of one actor."""


async def _many(actors: int, each: int, new_actor: Callable[[], Awaitable[Append]]) -> Timed:
    latencies: list[float] = []

    async def chain(append: Append) -> None:
        for _ in range(each):
            begun = time.perf_counter()
            await append()
            latencies.append(time.perf_counter() - begun)

    appends = [await new_actor() for _ in range(actors)]
    begun = time.perf_counter()
    await asyncio.gather(*(chain(append) for append in appends))
    return timed(latencies, time.perf_counter() - begun)


def _host_of(bus: Bus) -> Callable[[], Awaitable[Append]]:
    host = ActorHost(NatsJournal(bus), [run_actor.DECIDER], source="journeyman/bench")

    async def new_actor() -> Append:
        actor = Actor("run", new_task_id())
        turns = itertools.count(1)

        async def tell(command: Command) -> object:
            return await host.execute(actor, command, id=str(uuid.uuid4()), principal="service:executor")

        async def append() -> object:
            turn = next(turns)
            return await tell(
                RecordCheckpoint(
                    attempt=1, turn=turn, transcript=TRANSCRIPT, process=PROCESS, offset=4096 * turn, usage=USAGE
                )
            )

        await tell(Request(round=1, repo="octo/app", base_commit="c0ffee00" * 5, title="Fix it", text="It is wrong."))
        await tell(Claim(round=1, worker="bench:1", session=str(uuid.uuid4())))
        await tell(RecordStarted(attempt=1, cli_version="2.1.187", model="claude-sonnet"))
        return append

    return new_actor


def _journal_of(bus: Bus) -> Callable[[], Awaitable[Append]]:
    journal = NatsJournal(bus)

    async def new_actor() -> Append:
        actor = Actor("run", new_task_id())
        turns = itertools.count(1)
        head = Head()

        async def append() -> object:
            nonlocal head
            turn = next(turns)
            event = Checkpointed(
                attempt=1, turn=turn, transcript=TRANSCRIPT, process=PROCESS, offset=4096 * turn, usage=USAGE
            )
            metadata = MessageMetadata(
                id=str(uuid.uuid4()),
                source="journeyman/bench",
                time=utc_now(),
                principal="service:executor",
                causation_id=str(uuid.uuid4()),
            )
            recorded = await journal.append(actor, event, expected=head, metadata=metadata)
            head = head_of(recorded)
            return recorded

        return append

    return new_actor


async def _a_body(bus: Bus) -> bytes:
    """The stored bytes of one such event, for the peer to publish."""
    append = await _host_of(bus)()
    recorded = await append()
    assert isinstance(recorded, RecordedEvent)
    return recorded.raw
