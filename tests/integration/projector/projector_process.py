"""The projector as its own process, and logs to feed it with."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, Self

import duckdb

from services.projector.database import current
from services.projector.export import Dump, dump
from services.projector.rebuild import FOLDER
from shared.contracts.queries import GetStatus
from shared.nats.bus import Bus
from shared.runtime.client import Client, QueryFailed
from testing.asking import ask
from testing.eventually import eventually
from testing.prefork import Life, Prefork, the_prefork
from testing.random_walk import walked
from testing.reference_fold import Fold
from tests.unit.projector.projector_support import Log


class Projector:
    """The projector over one data directory; ``prefork`` is what it is forked from, unless from the one of all."""

    def __init__(self, nats_url: str, data: Path, bus: Bus, prefork: Prefork | None = None) -> None:
        self.data = data
        self._prefork = prefork
        self.bus = bus
        self.client = Client(bus, source="test")
        self.ready = data.with_name(f"{data.name}.ready")
        self._errors = data.with_name(f"{data.name}.log")
        self._environment = os.environ | {
            "JOURNEYMAN_NATS_URL": nats_url,
            "JOURNEYMAN_DATA_DIR": str(data),
            "JOURNEYMAN_HEALTH_PORT": "0",
            "JOURNEYMAN_MACHINE_ID": "test",
            "JOURNEYMAN_READY_FILE": str(self.ready),
        }
        self._process: Life | None = None

    @property
    def process(self) -> Life:
        assert self._process is not None
        return self._process

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exit: object) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    async def spawn(self) -> None:
        self.ready.unlink(missing_ok=True)
        self._errors.unlink(missing_ok=True)
        prefork = self._prefork or the_prefork()
        self._process = await prefork.bear("projector", self._environment, self._errors)

    async def start(self) -> None:
        """Start it and wait until it is ready and answers."""
        await self.spawn()
        await eventually(lambda: self.ready.exists() or self.process.returncode is not None, within=90)
        await eventually(self.answers, within=90)

    async def answers(self) -> bool:
        if self.process.returncode is not None:
            raise RuntimeError(self.told)
        try:
            await self.client.query(GetStatus(), timeout=5)
        except QueryFailed:
            return False
        return True

    @property
    def told(self) -> str:
        """What this life has said."""
        return self._errors.read_text()

    @property
    def file(self) -> Path:
        """Its database."""
        return current(self.data / FOLDER)

    async def kill(self) -> None:
        """As by a power cut of the process."""
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> None:
        """In an orderly way."""
        self.process.terminate()
        assert await asyncio.wait_for(self.process.wait(), 90) == 0, self.told

    async def refusal(self) -> str:
        """Start it where it must refuse: the one line it leaves with exit code 1."""
        await self.spawn()
        assert await asyncio.wait_for(self.process.wait(), 90) == 1
        line = self.told.splitlines()[-1]
        assert line.startswith("journeyman projector: ")
        return line

    async def ask(self, name: str, **params: Any) -> dict[str, Any]:
        return await ask(self.bus, name, timeout=60, **params)

    async def ask_until_there(self, name: str, seq: int, **params: Any) -> dict[str, Any]:
        """Ask for an answer with an event in it; what says that it is not that far yet is asked again."""
        while True:
            try:
                return await self.ask(name, min_seq=seq, **params)
            except QueryFailed as failure:
                if failure.code != "not-caught-up":
                    raise

    async def reaches(self, seq: int) -> None:
        """Wait until it has projected an event."""
        await eventually(lambda: self._at(seq), within=90)

    async def _at(self, seq: int) -> bool:
        try:
            return (await self.client.query(GetStatus(), timeout=10)).seq >= seq
        except QueryFailed:
            return False

    def rows(self) -> Dump:
        """Everything in its file; only while it does not run."""
        with duckdb.connect(str(self.file), read_only=True) as connection:
            return dump(connection)


async def publish(bus: Bus, log: Log, start: int = 0) -> None:
    """Append a log's messages, from an index on, as they are."""
    for stored in log.stored[start:]:
        ack = await bus.js.publish(stored.subject, stored.body)
        assert ack.seq == stored.seq


def a_long_log(events: int) -> Log:
    """Random lives of many tasks, one after the other."""
    log = Log()
    number = 0
    while len(log.stored) < events:
        number += 1
        for each in walked(list(range(number * 100, number * 100 + 60))).log:
            log.add(each.data, id=f"{number:06}", principal=each.principal)
    return log


def expected(log: Log) -> Dump:
    """What a log's rows must be, as a fold of our own says."""
    return folded(log, len(log.stored)).tables()


def folded(log: Log, last: int, fold: Fold | None = None) -> Fold:
    """The fold of a log up to an event; ``fold`` goes on from where it is."""
    fold = fold or Fold()
    for stored in log.stored[fold.seq : last]:
        fold.take(stored.subject, stored.body)
    return fold
