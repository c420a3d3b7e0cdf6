"""Rebuilding the read models from the log, against reading the log alone."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Final

from bench.filling import fill
from bench.history import history
from bench.measure import in_turns
from bench.peers.read_stream import read_all
from bench.result import Found, Goal, compare
from bench.sizes import Sizes
from bench.world import CannotMeasure, connected, nats_server
from services.projector.rebuild import rebuild

PEER: Final = "reading the same stream alone (shared.nats.feed)"

ABOUT: Final = (
    "`services.projector.rebuild` into a new DuckDB file, from the first event to the file's hand-over, against a feed "
    "that reads the same stream and decodes nothing."
)


async def run(sizes: Sizes, directory: Path) -> Found:
    """One log, rebuilt from several times."""
    count = sizes.log_events
    await fill(directory / "nats", history(count, seed=1), count)
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
