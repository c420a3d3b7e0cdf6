"""Rebuilding the read models from the log, against reading the log alone."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Final

from bench.history import Published, history
from bench.measure import in_turns
from bench.peers.read_stream import read_all
from bench.result import Found, Goal, compare
from bench.sizes import Sizes
from bench.world import SMALL, CannotMeasure, answers, connected, free_port, nats_server, process, until
from services.projector.rebuild import rebuild
from shared.nats.bus import Bus
from shared.nats.server import find_server
from shared.nats.streams import EVENTS, provision

PEER: Final = "reading the same stream alone (shared.nats.feed)"
WINDOW: Final = 2_000
FILL_S: Final = 300.0

ABOUT: Final = (
    "`services.projector.rebuild` into a new DuckDB file, from the first event to the file's hand-over, against a feed "
    "that reads the same stream and decodes nothing."
)


async def run(sizes: Sizes, directory: Path) -> Found:
    """One log, rebuilt from several times."""
    count = sizes.log_events
    await _fill(directory / "nats", history(count, seed=1), count)
    async with nats_server(directory / "nats") as server, connected(server, "bench-rebuild") as bus:
        size = await read_all(bus, count)

        async def rebuilt() -> float:
            data = directory / "data"
            begun = time.perf_counter()
            progress = await rebuild(bus, data)
            elapsed = time.perf_counter() - begun
            shutil.rmtree(data)
            if progress.seq != count:
                raise CannotMeasure(f"The rebuild wrote {progress.seq} of {count} events.")
            return count / elapsed

        async def read() -> float:
            begun = time.perf_counter()
            await read_all(bus, count)
            return count / (time.perf_counter() - begun)

        mine, theirs = await in_turns(sizes.rounds, rebuilt, read)
    goal = Goal(value_least=30_000)
    lines = [
        compare("rebuild", "events/s", mine, float, peer=PEER, theirs=theirs, peer_value=float, goal=goal),
    ]
    about = f"{ABOUT} {count:,} events of {size // count:,} bytes on average, {size >> 20:,} MiB in all."
    return Found(title="Rebuild of the read models", lines=lines, about=about)


async def _fill(directory: Path, events: Iterable[Published], count: int) -> None:
    """Write the log with a server that does not sync each message: it is only made, not measured, here."""
    async with _careless_server(directory) as url:
        bus = await Bus.connect(url, name="bench-fill")
        try:
            await provision(bus, SMALL)
            for number, event in enumerate(events, start=1):
                await bus.nc.publish(event.subject, event.body)
                if number % WINDOW == 0:
                    await _stored(bus, number)
            await _stored(bus, count)
        finally:
            await bus.close()


async def _stored(bus: Bus, number: int) -> None:
    """Wait until that many are stored: the server drops what overruns it."""
    deadline = time.monotonic() + FILL_S
    await bus.nc.flush(timeout=int(FILL_S))
    while (await bus.js.stream_info(EVENTS)).state.last_seq < number:
        if time.monotonic() > deadline:
            raise CannotMeasure(f"The log did not take {number} events within {FILL_S:g} s.")
        await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def _careless_server(directory: Path) -> AsyncIterator[str]:
    directory.mkdir(parents=True)
    port, log = free_port(), directory / "fill.log"
    argv = [str(find_server()), "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(directory / "store")]
    async with process(argv, log=log) as child:
        await until(lambda: answers(port), child, log, "nats-server")
        yield f"nats://127.0.0.1:{port}"
