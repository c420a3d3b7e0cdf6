"""Three NATS servers in the place of one: what is killed is the one that leads the log."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from shared.nats.bus import Bus
from testing.cluster import NODES, Cluster, leader
from testing.eventually import eventually

__all__ = ["NODES", "Nodes"]

ELECTED_S: Final = 60.0
FIRST: Final = "n0"


class Nodes:
    """A cluster that a service group takes for its server; between `kill` and `start` two of three run."""

    def __init__(self, directory: Path) -> None:
        self._cluster: Final = Cluster(directory)
        self._killed = ""
        self._bus: Bus | None = None

    @property
    def url(self) -> str:
        """All addresses."""
        return self._cluster.url

    @property
    def pid(self) -> int:
        """Of the first server, whether it leads or not."""
        return self._cluster.pid(FIRST)

    async def start(self) -> None:
        """All three, or the one that was killed."""
        if self._bus is None:
            await self._cluster.__aenter__()
            self._bus = await Bus.connect(self.url, name="nodes")
        else:
            await self._cluster.start(self._killed)

    async def kill(self) -> None:
        """The leader of the log, as by a power cut."""
        bus = self._bus
        assert bus is not None
        self._killed = await eventually(lambda: leader(bus), within=ELECTED_S)
        await self._cluster.kill(self._killed)

    async def stop(self) -> None:
        """All of them, for good."""
        if self._bus is not None:
            await asyncio.wait_for(self._bus.close(), 10)
        await self._cluster.__aexit__(None, None, None)
