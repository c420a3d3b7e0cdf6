"""Real NATS servers for tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from shared.nats.server import NatsServer, find_server


class Nats:
    """A server over one directory that a test may kill and start again on the same port."""

    def __init__(self, directory: Path, *, max_file_store: str = "") -> None:
        self.directory = directory
        self._limit = max_file_store
        self._server: NatsServer | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        assert self._server is not None
        return self._server.process.pid

    @property
    def monitor(self) -> int:
        assert self._server is not None
        return self._server.monitor

    async def start(self) -> None:
        self._server = await NatsServer.start(self.directory, port=self._port, max_file_store=self._limit)
        self._port = self._server.port

    async def kill(self) -> None:
        """As by a power cut of the process."""
        await self.stop(signal.SIGKILL)

    async def stop(self, number: int = signal.SIGTERM) -> None:
        if self._server is not None:
            await self._server.stop(number)


class ProcessNats:
    """The server's binary as a child of the test process, for fixtures that outlive an event loop."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def __enter__(self) -> str:
        port = free_port()
        self._process = subprocess.Popen(
            [str(find_server()), "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(self._directory)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_port(port)
        return f"nats://127.0.0.1:{port}"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()


class ContainerNats:
    """The server's image, by testcontainers."""

    def __enter__(self) -> str:
        from testcontainers.community.nats import NatsContainer

        self._container: Any = NatsContainer("nats:2.15-alpine", jetstream=True)
        self._container.start()
        return str(self._container.nats_uri())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.stop()


def docker_answers() -> bool:
    """Whether a Docker API answers and has, or can get, the NATS image."""
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if host.startswith("unix://") and not Path(host.removeprefix("unix://")).exists():
        return False
    probe = "import docker; docker.from_env(timeout=3).images.get('nats:2.15-alpine')"
    return subprocess.run([sys.executable, "-c", probe], capture_output=True, timeout=30, check=False).returncode == 0


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, patience_s: float = 15.0) -> None:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
