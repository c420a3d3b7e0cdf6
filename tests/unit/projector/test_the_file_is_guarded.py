"""The database file: one owner, no way out of it, damage noticed and mended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from services.projector import database
from services.projector.database import (
    Busy,
    Unusable,
    current,
    explained,
    is_corruption,
    locked,
    open_views,
    point_to,
    remove_others,
    successor,
)
from services.projector.projection.rows import TABLES
from services.projector.schema import projection_hash
from services.projector.writer import CheckpointMoved, Writer
from testing.damage import flip
from tests.unit.projector.projector_support import Log, planned, projected, submitted


def test_the_rows_and_the_tables_have_the_same_columns_in_the_same_order() -> None:
    connection = projected(Log())
    for table, row in TABLES.items():
        columns = [name for (name, *_) in connection.execute(f"DESCRIBE {table}").fetchall()]
        assert columns == list(row.__struct_fields__)


def test_a_second_owner_of_the_same_read_models_is_refused_in_one_sentence(tmp_path: Path) -> None:
    sentence = r"^Another projector \(process \d+\) writes .* stop it, or"
    with locked(tmp_path), pytest.raises(Busy, match=sentence), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


def test_a_file_that_another_program_has_open_is_refused_and_not_taken_for_damaged(tmp_path: Path) -> None:
    path = tmp_path / "views.duckdb"
    code = f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"open\n"
        with pytest.raises(Unusable, match="Conflicting lock"):
            open_views(path)
        assert other.stdin is not None
        other.stdin.close()
    assert list(tmp_path.glob("*corrupt*")) == []


@pytest.mark.parametrize("damage", ["header", "block", "truncated", "other content", "empty"])
def test_a_damaged_file_is_moved_aside_and_made_anew(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "views.duckdb"
    projected(planned(), path).close()
    match damage:
        case "header":
            flip(path, 4096 + 20)
        case "block":
            # The catalog's own block: found at once. A data block is found when it is read.
            for at in range(12288, path.stat().st_size, 4096):
                flip(path, at + 100)
        case "truncated":
            path.write_bytes(path.read_bytes()[:20_000])
        case "other content":
            path.write_text("hello" * 1000)
        case "empty":
            path.write_bytes(b"")
    connection = open_views(path)
    assert Writer(connection).checkpoint.seq == 0
    connection.close()
    assert [each.name for each in tmp_path.glob("*corrupt*")] == ["views.duckdb.corrupt-1"]


def test_a_file_that_lost_transactions_before_its_checkpoint_is_moved_aside(tmp_path: Path) -> None:
    path = tmp_path / "views.duckdb"
    with projected(planned(), path) as connection:
        connection.execute("DELETE FROM timeline WHERE seq = 3")
    with open_views(path) as connection:
        assert Writer(connection).checkpoint.seq == 0
    assert [each.name for each in tmp_path.glob("*corrupt*")] == ["views.duckdb.corrupt-1"]


def test_of_damaged_files_the_newest_three_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "views.duckdb"
    for number in range(12):
        path.write_text(f"damage {number}" * 999)
        path.with_name("views.duckdb.wal").write_text("damage")
        open_views(path).close()
    kept = sorted(each.name for each in tmp_path.glob("*corrupt*"))
    assert kept == [f"views.duckdb.corrupt-{number}{end}" for number in (10, 11, 12) for end in ("", ".wal")]


@pytest.mark.parametrize("reason", ["No space left on device", "File too large", "Disk quota exceeded"])
def test_a_full_disk_is_not_taken_for_damage(reason: str) -> None:
    error = duckdb.IOException(f'Failure while replaying WAL file "x": Could not write file "x": {reason}')
    assert not is_corruption(error)
    assert explained(error, Path("x")).startswith("There is no room for the read models at x ")


def test_the_database_reaches_no_file_and_its_settings_cannot_be_changed() -> None:
    connection = projected(Log())
    with pytest.raises(duckdb.Error, match="disabled by configuration"):
        connection.execute("COPY (SELECT 1) TO 'leak.csv'")
    with pytest.raises(duckdb.Error, match="locked"):
        connection.execute("SET enable_external_access = true")


def test_a_writer_whose_checkpoint_was_moved_writes_nothing() -> None:
    connection = projected(Log().add(submitted()))
    writer = Writer(connection)
    connection.execute("UPDATE checkpoint SET seq = 7")
    with pytest.raises(CheckpointMoved):
        writer.apply(planned().stored)
    assert connection.execute("SELECT count(*) FROM timeline").fetchall() == [(1,)]
    assert connection.execute("SELECT seq FROM checkpoint").fetchall() == [(7,)]


def test_the_pointer_names_the_current_file_and_others_of_ours_are_removed(tmp_path: Path) -> None:
    first = tmp_path / f"views-{projection_hash()}.duckdb"
    assert current(tmp_path) == first
    open_views(first).close()
    second = successor(tmp_path)
    assert second.name == f"views-{projection_hash()}-r1.duckdb"
    open_views(second).close()
    point_to(second)
    assert current(tmp_path) == second
    assert successor(tmp_path).name.endswith("-r2.duckdb")
    remove_others(second)
    assert sorted(each.name for each in tmp_path.glob("*.duckdb")) == [second.name]


@pytest.mark.parametrize("pointer", ["", "../../elsewhere.duckdb", "views-0000.duckdb", "\x00"])
def test_a_pointer_that_makes_no_sense_is_ignored(tmp_path: Path, pointer: str) -> None:
    (tmp_path / database.POINTER).write_text(pointer)
    assert current(tmp_path).name == f"views-{projection_hash()}.duckdb"


def test_files_of_another_projection_go_unless_somebody_owns_them(tmp_path: Path) -> None:
    ours = tmp_path / f"views-{projection_hash()}.duckdb"
    for name in (ours.name, "views-aaaaaaaaaaaa.duckdb", "views-bbbbbbbbbbbb-r2.duckdb"):
        (tmp_path / name).touch()
    code = (
        f"import fcntl, sys; f = open({str(tmp_path / 'views-bbbbbbbbbbbb.lock')!r}, 'w');"
        "fcntl.flock(f, fcntl.LOCK_EX); print('owned', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"owned\n"
        remove_others(ours)
        assert other.stdin is not None
        other.stdin.close()
    assert {each.name for each in tmp_path.glob("*.duckdb")} == {ours.name, "views-bbbbbbbbbbbb-r2.duckdb"}
