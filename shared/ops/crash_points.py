"""Named crash points: where a test lets a process die as by kill -9, once each.

``CRASH_AT=executor.mailbox.told`` (or ``…:3`` for the third time, or several with commas) makes the service
``executor`` die at that point. Unset, a crash point is one comparison. The file ``CRASH_MARK`` remembers, a line for
each, where it has died, so that the restarted process goes on.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path


def _read(wanted: str) -> dict[str, int]:
    """How many times each point is to be passed before it kills."""
    points = (each.strip().partition(":") for each in wanted.split(",") if each.strip())
    return {name: int(nth or 1) for name, _, nth in points}


_left: dict[str, int] = {}
_mark = ""
_service = ""


def name_service(service: str) -> None:
    """Say whose crash points these are, and read which of them are wanted; called once at the start of a service."""
    global _service, _left, _mark
    _service = service
    _left = _read(os.environ.get("CRASH_AT", ""))
    _mark = os.environ.get("CRASH_MARK", "")


def crash_point(name: str) -> None:
    """Die here, if this is a point that is wanted. ``name`` is without the service, such as ``mailbox.told``."""
    if not _left:
        return
    point = f"{_service}.{name}"
    if point not in _left:
        return
    _left[point] -= 1
    if _left[point] == 0 and not _happened(point):
        os.kill(os.getpid(), signal.SIGKILL)


def _happened(point: str) -> bool:
    """Whether it died here before; when not, it is noted now."""
    if not _mark:
        return False
    with Path(_mark).open("a+") as file:
        file.seek(0)
        if point in file.read().split():
            return True
        file.write(f"{point}\n")
    return False
