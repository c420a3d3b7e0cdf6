"""What the kernel says of processes, and how one is ended for sure: the only reader of /proc."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final, NamedTuple

MARK: Final = "JOURNEYMAN_RUN_MARK"
"""Environment variable by which every process of a run or of a check is found again."""
EXEC_S: Final = 0.2
KILL_ROUNDS: Final = 100
"""So often `end_all` kills what it finds. Rounds, not seconds: this process may be stopped in the middle."""
_PROC: Final = Path("/proc")
_POLL_S: Final = 0.001
_ROUND_S: Final = 0.02
_AT_ONCE: Final = 128 * 1024


class Stat(NamedTuple):
    """A process by its state's letter, its parent's pid, and its start in the kernel's clock ticks since boot."""

    state: str
    parent: int
    started: int


def parse_stat(text: str) -> Stat:
    """The line of ``/proc/<pid>/stat``: "pid (name) state ppid …", and the name may hold blanks and brackets.

    Raises ValueError for what is no such line.
    """
    fields = text.rpartition(")")[2].split()
    if len(fields) < 20:
        raise ValueError(f"This is no line of /proc/<pid>/stat: {text[:100]!r}")
    return Stat(fields[0], int(fields[1]), int(fields[19]))


def stat_of(pid: int) -> Stat | None:
    """A living process; None when it is gone or a zombie."""
    try:
        stat = parse_stat((_PROC / str(pid) / "stat").read_text("utf-8", "replace"))
    except (OSError, ValueError):
        return None
    return None if stat.state in "ZX" else stat


def start_time(pid: int) -> int | None:
    """When a living process started, in clock ticks since boot; None when it is gone or a zombie."""
    stat = stat_of(pid)
    return None if stat is None else stat.started


def is_alive(pid: int, started: int) -> bool:
    """Whether this very process still runs, and no later one with its pid."""
    return start_time(pid) == started


def pids() -> list[int]:
    """All processes but this one, zombies included."""
    own = os.getpid()
    return [int(name) for name in os.listdir(_PROC) if name.isdigit() and int(name) != own]  # noqa: PTH208 one call, not 300 Path objects


def arguments_of(pid: int) -> list[bytes]:
    """The command line of a process; empty when it is gone."""
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def owner_of(pid: int) -> str:
    """The name of the account that a process runs as, or its number; empty when it is gone."""
    try:
        number = (_PROC / str(pid)).stat().st_uid
    except OSError:
        return ""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def open_files_of(pid: int) -> list[Path]:
    """The files that a process holds open; empty when it is gone or another user's."""
    found = []
    with contextlib.suppress(OSError):
        for each in (_PROC / str(pid) / "fd").iterdir():
            with contextlib.suppress(OSError):  # closed meanwhile
                found.append(each.readlink())
    return found


def boot_id() -> str:
    """What tells this boot of the machine from every other one."""
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def signal_process(pid: int, started: int, number: signal.Signals) -> None:
    """Signal this very process; nothing happens when it is gone, also when another one has its pid by now.

    A pidfd pins the process, and the start time is compared after that, so that a reused pid is never hit.
    """
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return
    try:
        if is_alive(pid, started):
            signal.pidfd_send_signal(handle, number)
    except (ProcessLookupError, PermissionError):
        pass
    finally:
        os.close(handle)


def end_descriptor(pid: int) -> int | None:
    """What can be read from when this child of ours ends; None where the kernel, or a container's filter, has no such.

    Source: pidfd_open(2). Who asked for it closes it.
    """
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


def end_all(left: Callable[[], Collection[tuple[int, int]]], grace_s: float) -> set[int]:
    """End the processes that ``left`` finds, by pid and start time, until it finds none; returns the pids signalled.

    Each gets SIGTERM once, and from ``grace_s`` seconds on SIGKILL in every round: one may fork while it is ended.
    Blocks; gives up after `KILL_ROUNDS`, about two seconds after the grace.
    """
    signalled: set[int] = set()
    gentle_until = time.monotonic() + grace_s
    killed = 0
    while killed < KILL_ROUNDS and (found := left()):
        gentle = time.monotonic() < gentle_until
        killed += not gentle
        for pid, started in found:
            if not gentle or pid not in signalled:
                signal_process(pid, started, signal.SIGTERM if gentle else signal.SIGKILL)
                signalled.add(pid)
        time.sleep(_ROUND_S)
    return signalled


def environment_of(pid: int) -> list[bytes]:
    """``NAME=value`` of a living process; empty when it is gone, a zombie, another user's, or has none.

    In the middle of `exec` a process has none for a moment (measured: 7 to 53 % of processes when `Popen` has just
    returned, by what else the machine does): that is waited for, up to ``EXEC_S`` seconds.
    """
    environ = f"{_PROC}/{pid}/environ"
    deadline = time.monotonic() + EXEC_S
    try:
        while not (found := _read(environ)) and time.monotonic() < deadline:
            os.readlink(f"{_PROC}/{pid}/exe")  # noqa: PTH115 fails for a kernel thread and for a zombie; see `_read`
            if _read(f"{_PROC}/{pid}/cmdline"):
                found = _read(environ)  # the kernel sets both at once: by now it is there, or there is none
                break
            time.sleep(_POLL_S)
    except OSError:
        return []
    return found.split(b"\0")


def _read(path: str) -> bytes:
    """A whole file of the kernel. Every sweep reads one for each process, and `Path.read_bytes` takes twice as long."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = [os.read(descriptor, _AT_ONCE)]
        while len(parts[-1]) == _AT_ONCE:
            parts.append(os.read(descriptor, _AT_ONCE))
    finally:
        os.close(descriptor)
    return b"".join(parts)
