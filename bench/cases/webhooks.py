"""Signed webhook deliveries per second: our gateway against a FastAPI + Redis + SQLite receiver."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bench.load import Burst, burst
from bench.measure import in_turns
from bench.payload import issue_opened, request
from bench.peers.bare_sync import sync_all
from bench.result import Found, Goal, compare
from bench.sizes import Sizes
from bench.world import WEBHOOK_SECRET, CannotMeasure, answers, free_port, nats_server, process, service, until

PATH: Final = "/webhooks/github"
SHARED: Final = "FastAPI + Redis (AOF everysec) + SQLite (WAL), one connection"
OWN: Final = "the same with a SQLite connection for each request"
DISK: Final = "bare appends of the same size, one fsync each"
EVENT_BYTES: Final = 11_600
"""Of one such delivery as the log stores it."""
WARM_UP: Final = 200

ABOUT: Final = (
    "One process each, keep-alive connections that send unique signed `issues` deliveries. Ours: the whole gateway "
    "service; the delivery stands in the event log, synced to disk, before the 202. No worker runs on either side."
)


async def run(sizes: Sizes, directory: Path) -> Found:
    """All receivers under the same load."""
    numbers = itertools.count(1)
    async with (
        nats_server(directory / "nats") as server,
        service("gateway", server, directory / "data") as gateway,
        _peer(directory / "shared", "shared") as shared_port,
        _peer(directory / "own", "own") as own_port,
    ):

        def load_on(port: int) -> Callable[[], Awaitable[Burst]]:
            async def run_once() -> Burst:
                requests = _deliveries(port, sizes.deliveries, numbers)
                return await burst(port, requests, sizes.connections, expected=202)

            return run_once

        async def disk() -> Burst:
            return Burst(await asyncio.to_thread(sync_all, directory / "sync", sizes.deliveries // 4, EVENT_BYTES), {})

        ports = (urlsplit(gateway["http"]).port or 80, shared_port, own_port)
        for port in ports:
            await burst(port, _deliveries(port, WARM_UP, numbers), sizes.connections, expected=202)
        mine, shared, own, bare = await in_turns(sizes.rounds, *(load_on(port) for port in ports), disk)
    size = len(issue_opened(1))
    of = f"webhooks, {sizes.connections} connections"
    rate, p99 = Goal(ratio_least=3), Goal(value_most=60)
    lines = [
        compare(of, "requests/s", mine, _rate, peer=SHARED, theirs=shared, peer_value=_rate, goal=rate),
        compare(f"{of}: p50", "ms", mine, _p50, peer=SHARED, theirs=shared, peer_value=_p50),
        compare(f"{of}: p99", "ms", mine, _p99, peer=SHARED, theirs=shared, peer_value=_p99, goal=p99),
        compare(f"{of}, isolated peer", "requests/s", mine, _rate, peer=OWN, theirs=own, peer_value=_rate),
        compare(f"{of}, isolated peer: p99", "ms", mine, _p99, peer=OWN, theirs=own, peer_value=_p99),
        compare(f"{of}, the disk's ceiling", "requests/s", mine, _rate, peer=DISK, theirs=bare, peer_value=_rate),
    ]
    return Found(title="Webhooks", lines=lines, about=f"{ABOUT} Bodies of {size:,} bytes.")


def _rate(run: Burst) -> float:
    return run.timed.rate


def _p50(run: Burst) -> float:
    return run.timed.p50_ms


def _p99(run: Burst) -> float:
    return run.timed.p99_ms


def _deliveries(port: int, count: int, numbers: Iterator[int]) -> list[bytes]:
    return [
        request(issue_opened(next(numbers)), host=f"127.0.0.1:{port}", path=PATH, secret=WEBHOOK_SECRET)
        for _ in range(count)
    ]


@contextlib.asynccontextmanager
async def _peer(directory: Path, connection: str) -> AsyncIterator[int]:
    """The peer and its Redis; yields its port."""
    redis, port = free_port(), free_port()
    folder, log = directory / "redis", directory / "peer.log"
    folder.mkdir(parents=True)
    async with process(_redis_argv(redis, folder), log=folder / "redis.log") as store:
        await until(lambda: answers(redis), store, folder / "redis.log", "redis-server")
        environment = {
            "PEER_SECRET": WEBHOOK_SECRET,
            "PEER_DATABASE": str(directory / "peer.sqlite"),
            "PEER_REDIS": f"redis://127.0.0.1:{redis}/0",
            "PEER_CONNECTION": connection,
        }
        async with process(_peer_argv(port), log=log, environment=environment) as child:
            await until(lambda: answers(port), child, log, "The peer")
            yield port


def _redis_argv(port: int, folder: Path) -> list[str]:
    binary = shutil.which("redis-server")
    if binary is None:
        raise CannotMeasure("The peer needs a real Redis: install it (`apt-get install redis-server`).")
    # Debian's configuration with the append-only file on: `save` stays at its defaults.
    options = {"port": str(port), "bind": "127.0.0.1", "dir": str(folder), "appendonly": "yes"}
    return [binary, *itertools.chain.from_iterable((f"--{key}", value) for key, value in options.items())]


def _peer_argv(port: int) -> list[str]:
    address = ["--host", "127.0.0.1", "--port", str(port)]
    options = ["--workers", "1", "--no-access-log", "--log-level", "warning"]
    return [sys.executable, "-m", "uvicorn", "bench.peers.fastapi_receiver:app", *address, *options]
