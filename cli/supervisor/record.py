"""The record of a running `up`: one per data directory, so that other commands find it and a second `up` refuses."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from cli.failures import Failure
from shared.ops.files import lock_file, write_atomically
from shared.ops.proc import end_all, is_alive

FILE: Final = Path("run/up.json")
LOCK: Final = Path("run/up.lock")
GRACE_S: Final = 10.0


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is running: addresses, the supervisor's process, and its children by name.

    ``started`` holds each process's start in clock ticks since boot: a number that was given away again is not ours.
    ``health`` has the port of each service that answers /health and /metrics beside its work. ``certificate`` is the
    file of the one that the gateway has of its own, empty without.
    """

    http: str
    nats: str
    data: str
    pid: int
    demo: bool
    pids: dict[str, int]
    started: dict[int, int]
    health: dict[str, int] = {}
    certificate: str = ""

    @property
    def alive(self) -> bool:
        """Whether the supervisor that wrote it still runs."""
        return is_alive(self.pid, self.started.get(self.pid, -1))


def read(data: Path) -> Record | None:
    """The record in a data directory, if there is a readable one."""
    try:
        return msgspec.json.decode((data / FILE).read_bytes(), type=Record)
    except (OSError, msgspec.MsgspecError):
        return None


def write(data: Path, record: Record) -> None:
    """Replace the record in one step."""
    write_atomically(data / FILE, msgspec.json.encode(record))


def remove(data: Path) -> None:
    """Nothing runs here any more."""
    (data / FILE).unlink(missing_ok=True)


@contextlib.contextmanager
def only_one(data: Path) -> Iterator[None]:
    """Hold the data directory's lock; raises `Failure` when another `up` has it. The lock goes with the process."""
    path = data / LOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(lock_file(path))
        except BlockingIOError:
            record = read(data)
            where = f" at {record.http} (process {record.pid})" if record is not None else ""
            raise Failure(
                f"Journeyman already runs on {data}{where}: stop that one, or choose another place with --data."
            ) from None
        yield


def end_orphans(data: Path) -> list[str]:
    """End what an `up` that was killed has left running here; returns the names. Needs the lock."""
    record = read(data)
    if record is None:
        return []
    left = {name: pid for name, pid in record.pids.items() if is_alive(pid, record.started.get(pid, -1))}
    started = {pid: record.started[pid] for pid in left.values()}
    end_all(lambda: [each for each in started.items() if is_alive(*each)], GRACE_S)
    remove(data)
    return list(left)
