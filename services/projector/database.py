"""The file of the read models: one writer, a lock beside it, a name that carries the projection's hash."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb
import structlog

from services.projector.schema import ddl, projection_hash
from shared.ops.crash_points import crash_point
from shared.ops.files import lock_file

POINTER: Final = "views.current"
STREAM: Final = "EVENTS"
KEPT_ASIDE: Final = 3
"""How many damaged files are kept, so that somebody can find out what happened."""

log = structlog.get_logger(__name__)

_CORRUPT = re.compile(r"corrupt|not a valid DuckDB|not read enough bytes|failure while replaying WAL|checksum", re.I)
_FULL = re.compile(r"no space left|file too large|quota exceeded", re.I)
_SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    # One core for the writer; every reading thread brings its own.
    "threads": 1,
    # 16 times the default: each checkpoint writes the newest rows of a table once more, which cost a catching-up
    # projector a third of its time. A start after a kill replays so much in 0.6 s (measured).
    "checkpoint_threshold": "256MB",
    "lock_configuration": "true",
}


class Busy(Exception):
    """Another projector owns these read models."""


class Unusable(Exception):
    """The file cannot be opened, and not because it is damaged; the text says what to do."""


class Incomplete(duckdb.Error):
    """The file can be read, but transactions before its checkpoint are missing."""


def is_corruption(error: BaseException) -> bool:
    """Whether the file itself is damaged: a full disk is not that, though DuckDB may stop anywhere because of it."""
    if not isinstance(error, duckdb.Error) or _is_full(error):
        return False
    return isinstance(error, Incomplete) or _CORRUPT.search(str(error)) is not None


def explained(error: duckdb.Error, path: Path) -> str:
    """One line for a person: what is wrong with the file, if not damage, and the mend."""
    reason = _first_line(error)
    if _is_full(error):
        return f"There is no room for the read models at {path} ({reason}): make some. Nothing is lost, they catch up."
    return f"The read models at {path} cannot be used ({reason}): start again, they go on where they stopped."


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Own the read models of this projection in a folder; raises `Busy`.

    A lock of our own on a file of its own: DuckDB's is lost as soon as this process closes any handle on the database.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"views-{projection_hash()}.lock"
    with contextlib.ExitStack() as held:
        try:
            descriptor = held.enter_context(lock_file(path))
        except BlockingIOError:
            raise Busy(
                f"Another projector{_holder(path)} writes the read models in {folder}: stop it, or give this one "
                "its own JOURNEYMAN_DATA_DIR."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield


def current(folder: Path) -> Path:
    """The file that answers for this projection: what the pointer names, if it is of this projection's hash."""
    first = folder / f"views-{projection_hash()}.duckdb"
    with contextlib.suppress(OSError):
        named = folder / (folder / POINTER).read_text().strip()
        if named.parent == folder and named.name.startswith(first.stem) and named.suffix == first.suffix:
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
    crash_point("views.pointer-drafted")
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
        with contextlib.suppress(BlockingIOError), lock_file(lock):
            remove(path)


def remove(path: Path) -> None:
    """Remove a database with its write-ahead log: that first, because no other database may ever find it."""
    _wal(path).unlink(missing_ok=True)
    crash_point("views.half-removed")
    path.unlink(missing_ok=True)


def open_views(path: Path, *, anew: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a file of read models, made anew when it is missing, set aside and made anew (once) when it is damaged.

    Raises `Unusable`.
    """
    try:
        return _open(path)
    except duckdb.Error as error:
        if anew or not is_corruption(error):
            raise Unusable(explained(error, path)) from error
        set_aside(path, error)
        return open_views(path, anew=True)


def set_aside(path: Path, damage: duckdb.Error) -> None:
    """Keep a damaged database out of the way, and say so; the newest three are kept."""
    asides = sorted(path.parent.glob("*.corrupt-*[0-9]"), key=_number)
    for old in asides[: len(asides) + 1 - KEPT_ASIDE]:
        remove(old)
    aside = path.with_name(f"{path.name}.corrupt-{_number(asides[-1]) + 1 if asides else 1}")
    # Its write-ahead log first: the database that is made under this name must not find it.
    with contextlib.suppress(FileNotFoundError):
        _wal(path).rename(_wal(aside))
    crash_point("damage.half-set-aside")
    with contextlib.suppress(FileNotFoundError):
        path.rename(aside)
    log.error(
        "the read models were damaged: kept aside, building them anew from the log",
        aside=str(aside),
        damage=_first_line(damage),
    )


def _open(path: Path) -> duckdb.DuckDBPyConnection:
    is_new = not path.exists()
    try:
        connection = duckdb.connect(str(path), config=dict(_SETTINGS))
        try:
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
    except BaseException:
        if is_new:
            remove(path)
        raise
    return connection


def _prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables when there are none; count what every transaction has added to. Raises `Incomplete`."""
    if not connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'checkpoint'").fetchall():
        connection.begin()
        connection.execute(ddl())
        connection.execute("INSERT INTO checkpoint VALUES (?, 0, '')", [STREAM])
        connection.commit()
    # A write-ahead log that was emptied under its writer is replayed without a word from where it begins again.
    ((seq, events),) = connection.execute("SELECT seq, (SELECT count(*) FROM timeline) FROM checkpoint").fetchall()
    if events != seq:
        raise Incomplete(f"it has {events} of the {seq} events before its checkpoint")


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


def _holder(lock: Path) -> str:
    pid = lock.read_text(errors="replace")[:16].strip()
    return f" (process {pid})" if pid.isdigit() else ""


def _number(aside: Path) -> int:
    return int(aside.name.rpartition("-")[2])


def _is_full(error: BaseException) -> bool:
    return _FULL.search(str(error)) is not None


def in_utc(value: Any) -> Any:
    """A value of a row, a time of it with its zone: DuckDB's TIMESTAMP comes back without one."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
