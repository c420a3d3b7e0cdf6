"""Three NATS servers that hold everything three times, on loopback."""

from __future__ import annotations

import asyncio
import signal
from asyncio.subprocess import Process
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec
import nats.errors

from shared.nats.bus import Bus
from shared.nats.server import find_server
from shared.nats.streams import EVENTS
from testing.eventually import eventually
from testing.nats import free_port
from testing.slow_timings import PATIENT, connect_patiently

NODES: Final = 3
ANSWER_S: Final = 3.0
"""Without a leader nobody answers, and what was asked then must be asked again."""

_CONFIG: Final = """\
listen: 127.0.0.1:{port}
server_name: n{number}
jetstream {{ store_dir: "{store}", sync_interval: always }}
feature_flags {{ js_ack_fc_v2: false }}
cluster {{ name: test, listen: 127.0.0.1:{route}, routes: [{routes}] }}
"""


class Cluster:
    """The servers ``n0``, ``n1``, ``n2``; each may be killed and started again."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._ports = [free_port() for _ in range(2 * NODES)]
        self._processes: dict[str, Process] = {}

    @property
    def url(self) -> str:
        """All three addresses."""
        return ",".join(f"nats://127.0.0.1:{port}" for port in self._ports[:NODES])

    async def __aenter__(self) -> Self:
        for number in range(NODES):
            await self.start(f"n{number}")
        bus = await connect_patiently(self.url, name="test", timings=msgspec.structs.replace(PATIENT, connect_s=90.0))

        async def ready() -> bool:
            try:
                return bool(await asyncio.wait_for(bus.js.account_info(), ANSWER_S))
            except (TimeoutError, nats.errors.Error):
                return False

        await eventually(ready, within=90, every=0.1)
        await bus.close()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(self.kill(name) for name in list(self._processes)))

    async def start(self, name: str) -> None:
        """Start one server over its directory."""
        number = int(name[1:])
        directory = self._directory / name
        directory.mkdir(parents=True, exist_ok=True)
        routes = self._ports[NODES:]
        config = directory / "nats.conf"
        config.write_text(
            _CONFIG.format(
                port=self._ports[number],
                number=number,
                store=directory / "store",
                route=routes[number],
                routes=", ".join(f"nats://127.0.0.1:{port}" for port in routes),
            )
        )
        with (directory / "nats.log").open("ab") as told:
            self._processes[name] = await asyncio.create_subprocess_exec(
                str(find_server()), "-c", str(config), stdout=told, stderr=told, start_new_session=True
            )

    def pid(self, name: str) -> int:
        """The process of a server that runs."""
        return self._processes[name].pid

    async def kill(self, name: str) -> None:
        """As by a power cut of one server."""
        process = self._processes.pop(name)
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def leader(bus: Bus) -> str:
    """The server that leads EVENTS, empty while there is none."""
    try:
        cluster = (await asyncio.wait_for(bus.js.stream_info(EVENTS), ANSWER_S)).cluster
    except (TimeoutError, nats.errors.Error):
        return ""
    return (cluster.leader or "") if cluster is not None else ""
