"""Files are deleted, cut short and flipped, at rest and under a running projector: it mends itself from the log."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from services.projector.rebuild import FOLDER
from shared.nats.bus import Bus
from testing.damage import BLOCKS_AT, flip, flip_an_old_entry, flip_logged_text
from testing.eventually import eventually
from tests.integration.projector.projector_process import Projector, a_long_log, expected, publish
from tests.unit.projector.projector_support import Log, submitted

pytestmark = [pytest.mark.campaign, pytest.mark.xdist_group("projector"), pytest.mark.timeout(600)]

EVENTS = 1000
CLOSED_AT = 700
"""The file itself has the rows up to here, its write-ahead log the others."""
SAID = "the read models were damaged: kept aside"

UNMET = "a byte that no question has met is flipped"

Damage = Callable[[Path, Path, Random], object]
"""What happens to a database and its write-ahead log."""


def _cut(path: Path, to: int) -> None:
    os.truncate(path, to)


def _remove(*paths: Path) -> None:
    for path in paths:
        path.unlink()


UNNOTICED: dict[str, Damage] = {
    "the file is gone": lambda file, wal, random: file.unlink(),
    "the write-ahead log is gone": lambda file, wal, random: wal.unlink(),
    "both are gone": lambda file, wal, random: _remove(file, wal),
    "the write-ahead log is cut short": lambda file, wal, random: _cut(wal, random.randrange(wal.stat().st_size)),
}
"""What DuckDB takes for an older state."""

NOTICED: dict[str, Damage] = {
    "the file is empty": lambda file, wal, random: _cut(file, 0),
    "the file is cut short": lambda file, wal, random: _cut(file, random.randrange(1, file.stat().st_size // 2)),
    "the file is something else": lambda file, wal, random: file.write_text("hello" * 9999),
    "a byte of its header is flipped": lambda file, wal, random: flip(file, random.randrange(BLOCKS_AT)),
    "a byte of the write-ahead log is flipped": lambda file, wal, random: flip_logged_text(wal),
    UNMET: lambda file, wal, random: flip_an_old_entry(file, random),
}
"""What its checksums tell."""

WHILE_IT_RUNS: dict[str, Damage] = UNNOTICED | {
    "the file is empty": NOTICED["the file is empty"],
    "the write-ahead log is empty": lambda file, wal, random: _cut(wal, 0),
}


async def _prepare(bus: Bus, projector: Projector, log: Log) -> Path:
    """A file with a write-ahead log, as a kill leaves them; a copy of the folder is returned."""
    early = Log()
    early.stored = log.stored[:CLOSED_AT]
    await publish(bus, early)
    await projector.start()
    await projector.reaches(CLOSED_AT)
    await projector.stop()
    # In few commits: after many of them DuckDB would fold its write-ahead log into the file.
    await publish(bus, log, CLOSED_AT)
    await projector.start()
    await projector.reaches(len(log.stored))
    await projector.kill()
    assert _wal(projector.file).stat().st_size > 10_000
    return shutil.copytree(projector.data / FOLDER, projector.data / "as-killed")


def _again(projector: Projector, prepared: Path) -> None:
    shutil.rmtree(projector.data / FOLDER)
    shutil.copytree(prepared, projector.data / FOLDER)


def _wal(file: Path) -> Path:
    return file.with_name(f"{file.name}.wal")


def _kept_aside(projector: Projector) -> list[Path]:
    return list((projector.data / FOLDER).glob("*.corrupt-[0-9]"))


async def test_whatever_happened_to_the_files_the_projector_starts_and_the_tables_are_a_fold_of_the_log(
    bus: Bus, projector: Projector, random: Random
) -> None:
    log = a_long_log(EVENTS)
    prepared = await _prepare(bus, projector, log)
    for name, damage in (UNNOTICED | NOTICED).items():
        print(name)
        _again(projector, prepared)
        damage(projector.file, _wal(projector.file), random)
        await projector.start()
        if name in NOTICED:
            await eventually(lambda: _kept_aside(projector), within=60)
        await projector.reaches(len(log.stored))
        await projector.stop()
        assert projector.rows() == expected(log), name
        assert len(_kept_aside(projector)) == (name in NOTICED), name
        assert projector.told.count(SAID) == (name in NOTICED), projector.told
        # Only this one is found by the reading of everything beside the first answers; then they begin again.
        assert projector.told.count("read models open") == 1 + (name == UNMET), projector.told


async def test_whatever_happens_to_the_files_of_a_running_projector_the_next_one_is_exact(
    bus: Bus, projector: Projector, random: Random
) -> None:
    log = a_long_log(EVENTS)
    prepared = await _prepare(bus, projector, log)
    for number, (name, damage) in enumerate(WHILE_IT_RUNS.items()):
        print(name)
        _again(projector, prepared)
        await projector.start()
        await projector.reaches(len(log.stored))
        damage(projector.file, _wal(projector.file), random)
        for each in range(10):
            log.add(submitted(), id=f"AFTER{number}-{each}")
        await publish(bus, log, len(log.stored) - 10)
        await projector.reaches(len(log.stored))
        await projector.kill()
        await projector.start()
        await projector.reaches(len(log.stored))
        await projector.stop()
        assert projector.rows() == expected(log), name
