"""What a start has to replay does not grow with the life before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.projector.database import open_views
from services.projector.writer import Writer
from tests.unit.projector.projector_support import Log, submitted

COMMITS = 12


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.projector.writer.CHECKPOINT_COMMITS", COMMITS)


def test_the_write_ahead_log_is_folded_into_the_file_after_so_many_commits(tmp_path: Path) -> None:
    log = Log()
    for number in range(2 * COMMITS + 3):
        log.add(submitted(), id=f"{number:06}")
    file = tmp_path / "views.duckdb"
    connection = open_views(file)
    writer, sizes = Writer(connection), []
    for stored in log.stored:
        writer.apply([stored])
        sizes.append(_size(file.with_name(f"{file.name}.wal")))
    connection.close()
    assert sizes.count(0) >= 2
    assert max(sizes) < 2 * max(sizes[:COMMITS])


def test_a_reader_at_work_only_puts_it_off(tmp_path: Path) -> None:
    log = Log()
    for number in range(COMMITS + 1):
        log.add(submitted(), id=f"{number:06}")
    file = tmp_path / "views.duckdb"
    connection = open_views(file)
    writer = Writer(connection)
    for stored in log.stored[: COMMITS - 1]:
        writer.apply([stored])
    reader = connection.cursor()
    reader.begin()
    assert reader.execute("SELECT count(*) FROM tasks").fetchall() == [(COMMITS - 1,)]
    writer.apply([log.stored[COMMITS - 1]])
    assert reader.execute("SELECT count(*) FROM tasks").fetchall() == [(COMMITS - 1,)]
    reader.rollback()
    writer.apply([log.stored[COMMITS]])
    assert _size(file.with_name(f"{file.name}.wal")) == 0
    connection.close()


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
