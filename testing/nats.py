"""Real NATS servers for tests: in a container where an engine answers, else from the binary."""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shared.nats.server import NatsServer, configure, find_server, read_ports

if TYPE_CHECKING:
    from testing.container_nats import ContainerServer

ENGINE_SOCKET: Final = Path("/var/run/docker.sock")
GIVEN_AWAY: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOWEST_PORT: Final = 10_000
MOST_WORKERS: Final = 8
_promised: Final[set[int]] = set()


class Nats:
    """A server over one directory that a test may kill and start again on the same port."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._server: NatsServer | ContainerServer | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        assert self._server is not None
        return self._server.pid

    @property
    def monitor(self) -> int:
        assert self._server is not None
        return self._server.monitor

    async def start(self) -> None:
        self._port = self._port or free_port()
        self._server = await kind_of_server().start(self.directory, port=self._port)

    async def kill(self) -> None:
        """As by a power cut of the process."""
        await self.stop(signal.SIGKILL)

    async def stop(self, number: int = signal.SIGTERM) -> None:
        if self._server is not None:
            await self._server.stop(number)


@functools.cache
def kind_of_server() -> type[NatsServer] | type[ContainerServer]:
    """What `Nats` starts: a container where one can run; JOURNEYMAN_TEST_NATS may say ``container`` or ``binary``."""
    match os.environ.get("JOURNEYMAN_TEST_NATS", ""):
        case "binary":
            return NatsServer
        # Importing testcontainers takes half a second: only where there may be an engine.
        case "" if not (ENGINE_SOCKET.exists() or "DOCKER_HOST" in os.environ):
            return NatsServer
        case wanted:
            assert wanted in ("", "container"), f"JOURNEYMAN_TEST_NATS is {wanted}, not container or binary"
    from testing.container_nats import ContainerServer, why_not

    reason = why_not()
    assert not (wanted and reason), f"JOURNEYMAN_TEST_NATS is {wanted}, but {reason}"
    return NatsServer if reason else ContainerServer


def free_port() -> int:
    """A port nobody listens on right now, and none that is given away twice: by us, or by the kernel by itself.

    Each of the kernel's may be taken before it is listened on, or between two lives of a server: by any outgoing
    connection, even by a client of that server, which is then connected with itself. Ours are another range for each
    worker of pytest-xdist.
    """
    given_away = int(GIVEN_AWAY.read_text().split()[0])
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % MOST_WORKERS
    width = (given_away - LOWEST_PORT) // MOST_WORKERS
    while given_away > 2 * LOWEST_PORT:
        port = LOWEST_PORT + worker * width + secrets.randbelow(width)
        if port not in _promised:
            with contextlib.suppress(OSError), socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
                _promised.add(port)
                return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def server_with_password(directory: Path, user: str, password: str) -> Iterator[int]:
    """The port of a server that takes connections of one user only, while the context lasts."""
    with server_with(directory, f'authorization {{ user: "{user}", password: "{password}" }}') as ports:
        yield ports[0]


@contextlib.contextmanager
def server_with(directory: Path, more: str, *, without: tuple[str, ...] = ()) -> Iterator[tuple[int, int]]:
    """The ports of a server with ``more`` in its configuration, while the context lasts: clients' and the monitoring's.

    ``without`` leaves out what the lines of our own configuration begin with.
    """
    config = configure(directory)
    lines = [line for line in config.read_text().splitlines() if not line.startswith(without)] if without else []
    text = "\n".join(lines) or config.read_text()
    config.write_text(f"{text}\n{more}\n")
    with (directory / "nats.log").open("wb") as log:
        process = subprocess.Popen([str(find_server()), "-c", str(config)], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while (ports := read_ports(directory)) is None:
            assert process.poll() is None and time.monotonic() < deadline, (directory / "nats.log").read_text()
            time.sleep(0.02)
        yield ports
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def refusing_port() -> Iterator[int]:
    """A port at which nobody answers while the context lasts: it is held, so nobody can listen on it meanwhile."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield int(holder.getsockname()[1])
