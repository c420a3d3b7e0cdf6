"""Ends every process of a run, also the ones that left the CLI's process group.

Each Bash tool of the CLI is a session of its own and its background children outlive even a normal exit, so neither a
process group nor the parent chain finds them. The mark in their environment does, also after a restart of the service.
"""

from __future__ import annotations

from shared.ops.proc import MARK, Stat, end_all, environment_of, is_alive, pids, stat_of


def sweep(*marks: str, grace: float = 0.2, also: frozenset[tuple[int, int]] = frozenset()) -> int:
    """Ends all processes with these marks; returns how many were signalled. Blocks up to about ``grace`` seconds longer
    than needed.

    SIGTERM first, SIGKILL after ``grace``, repeated until two scans find none: a process may fork while it is being
    ended, and one that forks and ends during a scan hides its child from it. ``also`` adds processes by (pid, start
    time), such as descendants that dropped their environment.
    """
    if not all(marks):
        raise ValueError("An empty mark would match every run.")
    return len(end_all(lambda: _left(marks, also) or _left(marks, also), grace))


def _left(marks: tuple[str, ...], also: frozenset[tuple[int, int]]) -> frozenset[tuple[int, int]]:
    return family(*marks) | frozenset(each for each in also if is_alive(*each))


def marked(mark_prefix: str) -> list[int]:
    """The pids of all living processes whose mark starts with ``mark_prefix``, own process excepted."""
    wanted = f"{MARK}={mark_prefix}".encode()
    return [pid for pid in pids() if any(entry.startswith(wanted) for entry in environment_of(pid))]


def marks() -> list[str]:
    """The marks of all living processes, own process excepted."""
    prefix = f"{MARK}=".encode()
    return [
        entry.removeprefix(prefix).decode("utf-8", "replace")
        for pid in pids()
        for entry in environment_of(pid)
        if entry.startswith(prefix)
    ]


def family(*marks: str) -> frozenset[tuple[int, int]]:
    """(pid, start time) of every living process with one of these marks, and of all their descendants.

    The mark ``run-X`` is also that of each of its places, ``run-X@…``; it is not that of ``run-X-checks``.
    """
    wanted = frozenset(f"{MARK}={mark}".encode() for mark in marks)
    at_places = tuple(entry + b"@" for entry in wanted)
    everybody = pids()
    found = {
        pid for pid in everybody if any(entry in wanted or entry.startswith(at_places) for entry in environment_of(pid))
    }
    # Mostly there is none, and a process's stat takes the kernel six times as long as its environment.
    if not found:
        return frozenset()
    living: dict[int, Stat] = {pid: stat for pid in everybody if (stat := stat_of(pid)) is not None}
    found &= set(living)
    grown = True
    while grown:
        children = {pid for pid, stat in living.items() if stat.parent in found} - found
        found |= children
        grown = bool(children)
    return frozenset((pid, living[pid].started) for pid in found)
