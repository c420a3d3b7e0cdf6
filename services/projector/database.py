"""The file of the read models: one writer, a lock beside it, a name that carries the projection's hash."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import duckdb
import structlog

from services.projector.schema import ddl, projection_hash

POINTER: Final = "views.current"
STREAM: Final = "EVENTS"

log = structlog.get_logger(__name__)

_CORRUPT = re.compile(r"corrupt|not a valid DuckDB|not read enough bytes|failure while replaying WAL|checksum", re.I)
_SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    # One core for the writer; every reading thread brings its own.
    "threads": 1,
    # Four times the default: checkpoints cost a catching-up projector a third of its time. 64 MB replay in 0.4 s.
    "checkpoint_threshold": "64MB",
    "lock_configuration": "true",
}


class Busy(Exception):
    """Another projector owns these read models."""


class Unusable(Exception):
    """The file cannot be opened, and not because it is damaged; the text says what to do."""


def is_corruption(error: BaseException) -> bool:
    """Whether DuckDB says that the file itself is damaged."""
    return isinstance(error, duckdb.Error) and _CORRUPT.search(str(error)) is not None


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Own the read models of this projection in a folder; raises `Busy`.

    A lock of our own on a file of its own: DuckDB's is lost as soon as this process closes any handle on the database.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"views-{projection_hash()}.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(
                f"Another projector{_holder(file)} writes the read models in {folder}: stop it, or give this one "
                "its own JOURNEYMAN_DATA_DIR."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def current(folder: Path) -> Path:
    """The file that answers for this projection: what the pointer names, if it is of this projection's hash."""
    first = folder / f"views-{projection_hash()}.duckdb"
    with contextlib.suppress(OSError):
        named = folder / (folder / POINTER).read_text().strip()
        if named.parent == folder and named.name.startswith(first.stem) and named.exists():
            return named
    return first


def successor(folder: Path) -> Path:
    """The name of the next rebuild's file: ``views-<hash>-r<N>.duckdb``."""
    stem = f"views-{projection_hash()}"
    numbers = [int(found[1]) for path in folder.glob(f"{stem}-r*") if (found := re.search(r"-r(\d+)\.", path.name))]
    return folder / f"{stem}-r{max(numbers, default=0) + 1}.duckdb"


def point_to(path: Path) -> None:
    """Make a file the current one, atomically."""
    pointer = path.parent / POINTER
    draft = pointer.with_suffix(".draft")
    with draft.open("w") as file:
        file.write(path.name)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(pointer)


def remove_others(keep: Path) -> None:
    """Remove half-built and replaced files: this projection's, and those of others that nobody owns. Needs the lock."""
    own = f"views-{projection_hash()}"
    for path in keep.parent.glob("views-*.duckdb"):
        if path == keep:
            continue
        if path.name.startswith(own):
            remove(path)
            continue
        lock = path.with_name("-".join(path.stem.split("-")[:2]) + ".lock")
        with contextlib.suppress(BlockingIOError), lock.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove(path)


def remove(path: Path) -> None:
    """Remove a database with its write-ahead log."""
    for each in (path, _wal(path)):
        each.unlink(missing_ok=True)


def open_views(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a file of read models, made anew when it is missing, moved aside and made anew when it is damaged.

    Raises `Unusable`.
    """
    try:
        return _open(path)
    except duckdb.Error as error:
        if not is_corruption(error):
            raise Unusable(f"The read models at {path} cannot be opened: {_first_line(error)}") from error
        aside = move_aside(path)
        log.error(
            "the read models were damaged: moved aside, rebuilding from the log", file=str(aside), error=str(error)
        )
        return _open(path)


def move_aside(path: Path) -> Path:
    """Take a damaged database out of the way; returns where it went."""
    number = 1
    while (aside := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    path.rename(aside)
    wal = _wal(path)
    if wal.exists():
        wal.rename(aside.with_name(f"{aside.name}.wal"))
    return aside


def _open(path: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(path), config=dict(_SETTINGS))
    try:
        if not connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'checkpoint'").fetchall():
            connection.begin()
            connection.execute(ddl())
            connection.execute("INSERT INTO checkpoint VALUES (?, 0, '')", [STREAM])
            connection.commit()
        connection.execute("SELECT seq, hash FROM checkpoint").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


def _holder(file: IO[str]) -> str:
    file.seek(0)
    pid = file.read(16).strip()
    return f" (process {pid})" if pid.isdigit() else ""


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
