"""What a test asks about processes of the system under test, and how it ends those that are left."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from shared.claude.process.reaper import sweep
from shared.ops.proc import MARK, arguments_of, environment_of, pids, stat_of


def alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be collected by its parent does not."""
    return stat_of(pid) is not None


def processes_of(folder: Path) -> list[str]:
    """``pid arguments`` of every living process whose environment or arguments name this directory, and of all below
    those: in a sandbox nothing names it.
    """
    return [f"{pid} {b' '.join(arguments_of(pid)).decode()[:200]}" for pid in _pids_of(folder)]


def end_processes_of(folder: Path) -> None:
    """Nothing of a test outlives it, even when the system has a bug: also not the runs they are of."""
    mark = f"{MARK}=".encode()
    for pid in _pids_of(folder):
        for entry in environment_of(pid):
            if entry.startswith(mark):
                sweep(entry.removeprefix(mark).decode())
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _pids_of(folder: Path) -> list[int]:
    wanted = os.fsencode(folder)
    parents = {pid: stat.parent for pid in pids() if (stat := stat_of(pid)) is not None}
    found = {pid for pid in parents if any(wanted in each for each in (*environment_of(pid), *arguments_of(pid)))}
    while below := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= below
    return sorted(found - {os.getpid()})
