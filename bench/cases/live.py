"""From an event's acknowledgement by the log to its arrival at a WebSocket client of the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Final

from websockets.asyncio.client import ClientConnection, connect

from bench.measure import Timed, timed
from bench.peers.direct_feed import watch
from bench.result import Found, Goal, compare
from bench.sizes import Sizes
from bench.world import CannotMeasure, connected, nats_server, service
from shared.contracts.ids import new_task_id
from shared.contracts.subjects import Actor
from shared.contracts.task import Source, Submitted
from shared.event_store.envelope import MessageMetadata, utc_now
from shared.event_store.journal import Head
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from testing.door import BEARER

PEER: Final = "the same events, straight from the log (shared.nats.feed)"
PACE_S: Final = (0.004, 0.016)
PATIENCE_S: Final = 10.0

ABOUT: Final = (
    "A client subscribed to `tasks` and a feed of the log, both in the process that appends; events come 4 to 16 ms "
    "apart. Time zero is the moment the appending process has the log's acknowledgement."
)


async def run(sizes: Sizes, directory: Path) -> Found:
    """Both watch the same events at the same time."""
    chance = random.Random(20260301)
    mine: list[Timed] = []
    theirs: list[Timed] = []
    async with (
        nats_server(directory / "nats") as server,
        service("gateway", server, directory / "data") as gateway,
        connected(server, "bench-append") as appending,
        connected(server, "bench-feed") as feeding,
        connect(f"{gateway['http'].replace('http', 'ws', 1)}/ws", additional_headers=BEARER) as socket,
    ):
        await _subscribe(socket)
        seen: dict[int, float] = {}
        fed: dict[int, float] = {}
        async with _beside(_watch(socket, seen)), _beside(watch(feeding, 0, fed)):
            await _run(appending, 20, chance, seen, fed)
            for _ in range(sizes.rounds):
                ours, peer = await _run(appending, sizes.live_events, chance, seen, fed)
                mine.append(ours)
                theirs.append(peer)
    goal = Goal(value_most=50)
    lines = [
        compare("event to WebSocket: p50", "ms", mine, _p50, peer=PEER, theirs=theirs, peer_value=_p50),
        compare("event to WebSocket: p99", "ms", mine, _p99, peer=PEER, theirs=theirs, peer_value=_p99, goal=goal),
    ]
    return Found(title="Events on the dashboard", lines=lines, about=f"{ABOUT} {sizes.live_events} events a run.")


def _p50(run: Timed) -> float:
    return run.p50_ms


def _p99(run: Timed) -> float:
    return run.p99_ms


async def _run(
    bus: Bus, count: int, chance: random.Random, seen: dict[int, float], fed: dict[int, float]
) -> tuple[Timed, Timed]:
    journal = NatsJournal(bus)
    acknowledged: dict[int, float] = {}
    begun = time.perf_counter()
    for number in range(count):
        actor = Actor("task", new_task_id())
        event = Submitted(
            title=f"Invoice {number}: the total ignores the discount of a single line",
            text="When an order has a discount on a single line, the total is computed from the list prices. " * 8,
            source=Source(kind="github", reference=f"octo-shop/storefront#{number}", author="ada"),
            repo="octo-shop/storefront",
        )
        metadata = MessageMetadata(
            id=f"bench-{actor.id}", source="journeyman/bench", time=utc_now(), principal="github:ada"
        )
        recorded = await journal.append(actor, event, expected=Head(), metadata=metadata)
        acknowledged[recorded.position] = time.perf_counter()
        await asyncio.sleep(chance.uniform(*PACE_S))
    elapsed = time.perf_counter() - begun
    deadline = time.perf_counter() + PATIENCE_S
    while not (acknowledged.keys() <= seen.keys() and acknowledged.keys() <= fed.keys()):
        if time.perf_counter() > deadline:
            raise CannotMeasure(f"Of {count} events not all have arrived at the socket within {PATIENCE_S:g} s.")
        await asyncio.sleep(0.01)
    ours = [seen[seq] - at for seq, at in acknowledged.items()]
    peer = [fed[seq] - at for seq, at in acknowledged.items()]
    return timed(ours, elapsed), timed(peer, elapsed)


async def _subscribe(socket: ClientConnection) -> None:
    await socket.send(json.dumps({"type": "subscribe", "topics": ["tasks"]}))
    answer = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))
    if answer["type"] != "subscribed":
        raise CannotMeasure(f"The gateway does not subscribe a socket: {answer}.")


async def _watch(socket: ClientConnection, seen: dict[int, float]) -> None:
    async for frame in socket:
        at = time.perf_counter()
        seen.setdefault(json.loads(frame)["seq"], at)


@contextlib.asynccontextmanager
async def _beside(work: Awaitable[None]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
