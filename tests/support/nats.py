"""Real NATS servers for tests."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

from shared.nats.server import NatsServer


class Nats:
    """A server over one directory that a test may kill and start again on the same port."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
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
        self._server = await NatsServer.start(self.directory, port=self._port)
        self._port = self._server.port

    async def kill(self) -> None:
        """As by a power cut of the process."""
        await self.stop(signal.SIGKILL)

    async def stop(self, number: int = signal.SIGTERM) -> None:
        if self._server is not None:
            await self._server.stop(number)


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
