"""Guarded appends through the actor host, and through the journal alone, against bare publishes."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.measure import Timed, in_turns, timed
from bench.peers.raw_publish import publish_all
from bench.result import Found, Goal, Line, compare
from bench.sizes import Sizes
from bench.world import connected, nats_server
from services.brain.actors import session
from shared.actor import ActorHost
from shared.contracts.session import Said, Say
from shared.envelope import Stamp, utc_now
from shared.ids import new_task_id
from shared.journal import Head, head_of
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.subjects import Actor

PEER = "nats-py js.publish, same headers and sizes"
MESSAGE = "The total on the invoice page is wrong when a discount applies to a single line. " * 6

ABOUT = (
    "An actor takes commands one after the other: decide, encode the envelope with version and hash chain, append "
    "behind the guard, read our own bytes back into an event, evolve. The peer publishes ready-made bytes with the "
    "same headers. Both on one connection each to the same server, which syncs every message to disk."
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
        return await publish_all(peer.js, actors=actors, each=each, body=body, event="said")

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
        compare(f"appends, {label}: ActorHost.tell", "appends/s", mine, _rate, peer=PEER, theirs=theirs,
                peer_value=_rate, goal=goal),
        compare(f"appends, {label}: ActorHost.tell p50", "ms", mine, _p50, peer=PEER, theirs=theirs, peer_value=_p50),
        compare(f"appends, {label}: ActorHost.tell p99", "ms", mine, _p99, peer=PEER, theirs=theirs, peer_value=_p99),
        compare(f"appends, {label}: NatsJournal.append", "appends/s", bare, _rate, peer=PEER, theirs=theirs,
                peer_value=_rate, goal=goal),
    ]  # fmt: skip


def _rate(run: Timed) -> float:
    return run.rate


def _p50(run: Timed) -> float:
    return run.p50_ms


def _p99(run: Timed) -> float:
    return run.p99_ms


Chain = Callable[[], Callable[[], Awaitable[object]]]
"""Makes a new actor; each call of what it gives appends one event to it."""


async def _many(actors: int, each: int, chain: Chain) -> Timed:
    latencies: list[float] = []

    async def one() -> None:
        append = chain()
        for _ in range(each):
            begun = time.perf_counter()
            await append()
            latencies.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(actors)))
    return timed(latencies, time.perf_counter() - begun)


def _host_of(bus: Bus) -> Chain:
    host = ActorHost(NatsJournal(bus), [session.DECIDER], source="journeyman/bench")

    def new_actor() -> Callable[[], Awaitable[object]]:
        actor = Actor("session", str(uuid.uuid4()))

        async def append() -> object:
            command = Say(message=MESSAGE, author="ada", task_id=new_task_id())
            return await host.tell(actor, command, id=str(uuid.uuid4()), principal="user:ada")

        return append

    return new_actor


def _journal_of(bus: Bus) -> Chain:
    journal = NatsJournal(bus)

    def new_actor() -> Callable[[], Awaitable[object]]:
        actor = Actor("session", str(uuid.uuid4()))
        head = Head()

        async def append() -> object:
            nonlocal head
            event = Said(message=MESSAGE, author="ada", task_id=new_task_id())
            stamp = Stamp(
                id=str(uuid.uuid4()),
                source="journeyman/bench",
                time=utc_now(),
                principal="user:ada",
                causation_id=str(uuid.uuid4()),
            )
            recorded = await journal.append(actor, event, expected=head, stamp=stamp)
            head = head_of(recorded)
            return recorded

        return append

    return new_actor


async def _a_body(bus: Bus) -> bytes:
    """The stored bytes of one such event that follows another, for the peer to publish."""
    append = _host_of(bus)()
    await append()
    recorded = await append()
    raw: bytes = getattr(recorded, "raw", b"")
    return raw
