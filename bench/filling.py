"""Making a long log fast."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Final

from bench.history import Published
from bench.world import SMALL, CannotMeasure, answers, free_port, process, until
from shared.nats.bus import Bus
from shared.nats.server import find_server
from shared.nats.streams import EVENTS, provision

WINDOW: Final = 2_000
FILL_S: Final = 300.0


async def fill(directory: Path, events: Iterable[Published], count: int) -> None:
    """Write a log into a server's directory, with a server that does not sync: it is made here, not measured."""
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
