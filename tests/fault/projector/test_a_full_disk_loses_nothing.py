"""No room for the read models: the kernel's limit on a file's size stands for a full disk, and needs no privilege."""

from __future__ import annotations

import asyncio
import resource

import pytest

from services.projector.rebuild import FOLDER
from shared.nats.bus import Bus
from testing.prefork import Prefork
from tests.integration.projector.projector_process import Projector, a_long_log, expected, folded, publish
from tests.unit.projector.projector_support import Log

pytestmark = [pytest.mark.xdist_group("projector"), pytest.mark.timeout(300)]

EARLY = 400


def _let_files_grow_to(size: int, *pids: int) -> None:
    for pid in pids:
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


async def test_without_room_the_projector_leaves_with_one_line_and_with_room_it_goes_on(
    bus: Bus, projector: Projector, prefork: Prefork
) -> None:
    log, early = a_long_log(3 * EARLY), Log()
    early.stored = log.stored[:EARLY]
    await publish(bus, early)
    await projector.start()
    await projector.reaches(EARLY)
    largest = max(path.stat().st_size for path in (projector.data / FOLDER).iterdir())
    _let_files_grow_to(largest + 20_000, projector.process.pid, prefork.pid)
    await publish(bus, log, EARLY)
    for _ in range(2):
        assert await asyncio.wait_for(projector.process.wait(), 60) == 1
        line = projector.told.splitlines()[-1]
        assert line.startswith("journeyman projector: There is no room for the read models at "), projector.told
        rows = projector.rows()
        ((_, seq, _),) = rows["checkpoint"]
        assert EARLY <= seq < len(log.stored)
        assert rows == folded(log, seq).tables()
        await projector.spawn()
    assert await asyncio.wait_for(projector.process.wait(), 60) == 1
    _let_files_grow_to(resource.RLIM_INFINITY, prefork.pid)
    await _has_everything_once_there_is_room(projector, log)


async def test_without_room_for_even_an_empty_file_nothing_is_left_that_looks_damaged_later(
    bus: Bus, projector: Projector, prefork: Prefork
) -> None:
    log = a_long_log(EARLY)
    await publish(bus, log)
    _let_files_grow_to(10_000, prefork.pid)
    for _ in range(2):
        assert "There is no room for the read models at " in await projector.refusal()
    _let_files_grow_to(resource.RLIM_INFINITY, prefork.pid)
    await _has_everything_once_there_is_room(projector, log)


async def _has_everything_once_there_is_room(projector: Projector, log: Log) -> None:
    await projector.start()
    await projector.reaches(len(log.stored))
    await projector.stop()
    assert projector.rows() == expected(log)
    assert not list(projector.file.parent.glob("*.corrupt*"))
