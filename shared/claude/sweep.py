"""Ends every process of a run, also the ones that left the CLI's process group.

Each Bash tool of the CLI is a session of its own and its background children outlive even a normal exit, so neither a
process group nor the parent chain finds them. The mark in their environment does, also after a restart of the service.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from shared.claude.invocation import MARK
from shared.processes import environment_of

_PROC = Path("/proc")
_SETTLE_S = 0.02
_MAX_ROUNDS = 100


def sweep(mark: str, grace: float = 0.2, also: frozenset[tuple[int, str]] = frozenset()) -> int:
    """Ends all processes of the run; returns how many were signalled. Blocks up to about ``grace`` seconds longer than
    needed.

    SIGTERM first, SIGKILL after ``grace``, repeated until two scans find none: a process may fork while it is being
    ended, and one that forks and ends during a scan hides its child from it. ``also`` adds processes by (pid, start
    time), such as descendants that dropped their environment.
    """
    if not mark:
        raise ValueError("An empty mark would match every run.")
    signalled: set[int] = set()
    gentle_until = time.monotonic() + grace
    for _ in range(_MAX_ROUNDS):
        left = _left(mark, also) or _left(mark, also)
        if not left:
            break
        gentle = time.monotonic() < gentle_until
        for pid, started in left:
            if not gentle or pid not in signalled:
                _signal(pid, started, signal.SIGTERM if gentle else signal.SIGKILL)
                signalled.add(pid)
        time.sleep(_SETTLE_S)
    return len(signalled)


def _left(mark: str, also: frozenset[tuple[int, str]]) -> frozenset[tuple[int, str]]:
    return family(mark) | frozenset(each for each in also if start_time(each[0]) == each[1])


def marked(mark_prefix: str) -> list[int]:
    """The pids of all living processes whose mark starts with ``mark_prefix``, own process excepted."""
    wanted = f"{MARK}={mark_prefix}".encode()
    return [pid for pid in _pids() if any(entry.startswith(wanted) for entry in environment_of(pid))]


def marks() -> list[str]:
    """The marks of all living processes, own process excepted."""
    prefix = f"{MARK}=".encode()
    return [
        entry.removeprefix(prefix).decode("utf-8", "replace")
        for pid in _pids()
        for entry in environment_of(pid)
        if entry.startswith(prefix)
    ]


def family(mark: str) -> frozenset[tuple[int, str]]:
    """(pid, start time) of every living process with this mark, and of all their descendants.

    The mark ``run-X`` is also that of each of its places, ``run-X@…``; it is not that of ``run-X-checks``.
    """
    wanted = f"{MARK}={mark}".encode()
    at_places = wanted + b"@"
    pids = _pids()
    found = {
        pid for pid in pids if any(entry == wanted or entry.startswith(at_places) for entry in environment_of(pid))
    }
    # Mostly there is none, and a process's stat takes the kernel six times as long as its environment.
    if not found:
        return frozenset()
    parents: dict[int, tuple[int, str]] = {}
    for pid in pids:
        fields = _stat(pid)
        if fields is not None and fields[0] not in "ZX":
            parents[pid] = (int(fields[1]), fields[19])
    found &= set(parents)
    grown = True
    while grown:
        children = {pid for pid, (parent, _) in parents.items() if parent in found} - found
        found |= children
        grown = bool(children)
    return frozenset((pid, parents[pid][1]) for pid in found)


def start_time(pid: int) -> str | None:
    """When a living process started, in the kernel's clock ticks since boot; None when it is gone or a zombie."""
    fields = _stat(pid)
    return None if fields is None or fields[0] in "ZX" else fields[19]


def _pids() -> list[int]:
    own = os.getpid()
    return [int(name) for name in os.listdir(_PROC) if name.isdigit() and int(name) != own]  # noqa: PTH208 one call, not 300 Path objects


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/<pid>/stat from the third (state) on: the second is a name that may hold spaces and brackets."""
    try:
        text = (_PROC / str(pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return None
    return text[text.rfind(")") + 2 :].split()


def _signal(pid: int, started: str, number: signal.Signals) -> None:
    # A pidfd pins the process, and the start time is compared after that, so that a reused pid is never hit.
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return
    try:
        if start_time(pid) == started:
            signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        pass
    finally:
        os.close(handle)
