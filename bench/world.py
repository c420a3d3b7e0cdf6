"""Servers and processes of one benchmark: made in its own folder, on free ports, and ended whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from shared.nats.bus import Bus
from shared.nats.server import NatsServer
from shared.nats.streams import MEBI, StreamLimits, provision
from testing.door import SETTINGS, lay_token

START_S: Final = 30.0
END_S: Final = 20.0
WEBHOOK_SECRET: Final = "benchmark-webhook-secret"
SMALL: Final = StreamLimits(
    events_bytes=2048 * MEBI,
    commands_bytes=256 * MEBI,
    output_bytes=256 * MEBI,
    parked_bytes=64 * MEBI,
    artifacts_bytes=512 * MEBI,
)
"""Streams that fit on any disk: the server reserves the sizes that the product asks for."""
ROOT: Final = Path(__file__).resolve().parent.parent


class CannotMeasure(Exception):
    """Something that a benchmark needs is missing or does not start; the text names the mend."""


@contextlib.asynccontextmanager
async def nats_server(directory: Path) -> AsyncIterator[NatsServer]:
    """The product's own server, which syncs every message to disk, with all streams."""
    server = await NatsServer.start(directory)
    try:
        async with connected(server, "bench-provision") as bus:
            await provision(bus, SMALL)
        yield server
    finally:
        await server.stop()


@contextlib.asynccontextmanager
async def connected(server: NatsServer, name: str) -> AsyncIterator[Bus]:
    """A connection to it."""
    bus = await Bus.connect(server.url, name=name)
    try:
        yield bus
    finally:
        await bus.close()


@contextlib.asynccontextmanager
async def process(
    argv: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A child process; on leaving it gets SIGTERM, and SIGKILL when it is not gone in time."""
    with log.open("ab") as output:
        child = await asyncio.create_subprocess_exec(
            *argv,
            cwd=ROOT,
            env={**_inherited(), **(environment or {})},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.terminate()
            try:
                await asyncio.wait_for(child.wait(), END_S)
            except TimeoutError:
                child.kill()
                await child.wait()


@contextlib.asynccontextmanager
async def service(name: str, server: NatsServer, directory: Path, **settings: str) -> AsyncIterator[dict[str, Any]]:
    """One of our services as its own process, as `up` runs it; yields what it says when it is ready."""
    lay_token(directory)
    ready, log = directory / f"{name}.ready", directory / f"{name}.log"
    environment = {
        "JOURNEYMAN_NATS_URL": server.url,
        "JOURNEYMAN_DATA_DIR": str(directory),
        "JOURNEYMAN_HTTP_PORT": "0",
        "JOURNEYMAN_HEALTH_PORT": "0",
        "JOURNEYMAN_READY_FILE": str(ready),
        "JOURNEYMAN_MACHINE_ID": "bench",
        **SETTINGS,
        "JOURNEYMAN_GITHUB_WEBHOOK_SECRET": WEBHOOK_SECRET,
        **{f"JOURNEYMAN_{key.upper()}": value for key, value in settings.items()},
    }
    async with process([sys.executable, "-m", f"services.{name}"], log=log, environment=environment) as child:
        await until(ready.exists, child, log, f"The service {name}")
        yield json.loads(ready.read_text())


async def until(found: Any, child: asyncio.subprocess.Process, log: Path, what: str) -> None:
    """Wait for ``found()``; raises `CannotMeasure` when the process ends, or does not come up in time."""
    deadline = asyncio.get_running_loop().time() + START_S
    while not found():
        if child.returncode is not None or asyncio.get_running_loop().time() > deadline:
            said = log.read_text(errors="replace").strip().splitlines()
            raise CannotMeasure(f"{what} does not come up: {said[-1] if said else 'it says nothing'}")
        await asyncio.sleep(0.02)


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _inherited() -> dict[str, str]:
    """The environment without settings of a real installation: no key, no secret, no address of its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("JOURNEYMAN_", "ANTHROPIC_"))}
