"""The projector is killed while it puts damaged read models out of its way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

import duckdb

from services.projector.database import current
from services.projector.export import dump
from services.projector.rebuild import FOLDER
from testing.crash_points import Point
from testing.damage import flip_an_old_entry
from testing.eventually import eventually
from testing.service_group import Member, ServiceGroup
from tests.fault.crash.verdict import Deaths, Verdict
from tests.integration.projector.projector_process import a_long_log, expected, publish
from tests.unit.projector.projector_support import Log

EVENTS: Final = 1000
CLOSED_AT: Final = 700
"""The file itself has the rows up to here, its write-ahead log the others."""
WITHIN_S: Final = 120.0


async def mending(points: Sequence[Point], folder: Path) -> Verdict:
    """A bit of the file flips while nobody looks: whatever dies over that, the read models are those of the log."""
    deaths = Deaths(points, folder)
    problems: list[str] = []
    log = a_long_log(EVENTS)
    async with ServiceGroup(folder) as group:
        views = group.data / FOLDER
        await _as_killed(group, log)
        flip_an_old_entry(current(views), Random(1))
        projector = group.add("projector", **deaths.environment)
        try:
            await projector.start(keep=True)
            await eventually(lambda: _check(projector) and deaths.over, within=WITHIN_S)
            await eventually(lambda: group.has_projected(len(log.stored)), within=WITHIN_S)
        except AssertionError as error:
            problems.append(f"not in time: {error}")
        await projector.stop()
        with duckdb.connect(str(current(views)), read_only=True) as connection:
            if dump(connection) != expected(log):
                problems.append("the read models are not a fold of the log")
        aside = sorted(path.name for path in views.glob("*.corrupt-*[0-9]"))
        if len(aside) != 1:
            problems.append(f"one file was damaged, and these were set aside: {aside}")
    return Verdict(died_at=deaths.happened, problems=problems)


async def _as_killed(group: ServiceGroup, log: Log) -> None:
    """A file with a write-ahead log, as a kill leaves them."""
    early = Log()
    early.stored = log.stored[:CLOSED_AT]
    projector = group.add("projector")
    await publish(group.bus, early)
    await projector.start()
    await eventually(lambda: group.has_projected(CLOSED_AT), within=WITHIN_S)
    await projector.stop()
    await publish(group.bus, log, CLOSED_AT)
    await projector.start()
    await eventually(lambda: group.has_projected(len(log.stored)), within=WITHIN_S)
    await projector.kill()


def _check(projector: Member) -> bool:
    projector.check()
    return True
