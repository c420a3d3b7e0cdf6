"""The projector is killed again and again while it writes; each time its file says what the log says."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from statistics import median

import pytest

from services.projector.rebuild import FOLDER
from shared.nats.bus import Bus
from testing.campaign_size import CampaignSize
from testing.eventually import eventually
from testing.reference_fold import Fold
from tests.integration.projector.projector_process import Projector, a_long_log, expected, folded
from tests.unit.projector.projector_support import Log

pytestmark = [pytest.mark.campaign, pytest.mark.xdist_group("projector"), pytest.mark.timeout(900)]

AT_BIRTH = 10
"""Events that each life finds when it begins."""
WHILE_WRITING = 30
"""Events that come when it has begun to write."""


class Writer:
    """Appends a log one event after the other, no further than it is let."""

    def __init__(self, bus: Bus, log: Log) -> None:
        self.stored = 0
        self._bus = bus
        self._log = log
        self._room = asyncio.Semaphore(0)

    def let(self, events: int) -> None:
        for _ in range(events):
            self._room.release()

    async def run(self) -> None:
        for each in self._log.stored:
            await self._room.acquire()
            await self._bus.js.publish(each.subject, each.body)
            self.stored = each.seq


async def test_kills_in_mid_batch_leave_the_tables_a_fold_of_the_log(
    bus: Bus, projector: Projector, random: Random, campaign_size: CampaignSize
) -> None:
    kills = campaign_size.pick(small=20, full=100)
    log, fold = a_long_log(kills * (AT_BIRTH + WHILE_WRITING)), Fold()
    writer = Writer(bus, log)
    writing = asyncio.create_task(writer.run())
    await projector.start()
    await projector.kill()
    first_writes: list[float] = []
    interrupted = 0
    for number in range(kills):
        writer.let(AT_BIRTH)
        before = _files(projector.data / FOLDER)
        await projector.spawn()
        if number % 2 == 0:
            first_writes.append(await _until_it_writes(projector, before))
            writer.let(WHILE_WRITING)
            await asyncio.sleep(random.uniform(0.0, 0.05))
        else:
            # Not a wait for something: the kill comes at any moment of the start, the catching up, the first batches.
            await asyncio.sleep(median(first_writes) * random.uniform(0.5, 1.5))
        assert projector.process.returncode is None, projector.told
        await projector.kill()
        rows = projector.rows()
        ((_, seq, _),) = rows["checkpoint"]
        assert rows == folded(log, seq, fold).tables(), f"kill {number}, at event {seq}"
        interrupted += seq < writer.stored
    print(f"{kills} kills, {interrupted} of them with events left to write; {fold.seq} events at the last one")
    writer.let(len(log.stored))
    await writing
    await projector.start()
    await projector.reaches(len(log.stored))
    await projector.stop()
    assert projector.rows() == expected(log)


async def _until_it_writes(projector: Projector, before: dict[str, tuple[int, int]]) -> float:
    """Wait for the first byte of this life in its files; how long that took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await eventually(lambda: _files(projector.data / FOLDER) != before, within=60, every=0.002)
    return loop.time() - began


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    return {path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.glob("*.duckdb*")}
