"""Named crash points: where a test lets a process die as by kill -9, once.

``CRASH_AT=executor.mailbox.told`` (or ``…:3`` for the third time) makes the service ``executor`` die at that point.
Unset, a crash point is one comparison. The file ``CRASH_MARK`` remembers that it has happened, so that the restarted
process goes on.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

_wanted, _, _nth = os.environ.get("CRASH_AT", "").partition(":")
_left = int(_nth or 1)
_mark = os.environ.get("CRASH_MARK", "")
_service = ""


def name_service(service: str) -> None:
    """Say whose crash points these are; called once at the start of a service."""
    global _service
    _service = service


def crash_point(name: str) -> None:
    """Die here, if this is the point that is wanted. ``name`` is without the service, such as ``mailbox.told``."""
    global _left
    if not _wanted or _wanted != f"{_service}.{name}":
        return
    _left -= 1
    if _left == 0 and not _happened():
        os.kill(os.getpid(), signal.SIGKILL)


def _happened() -> bool:
    """Whether it died here before; when not, it is noted now."""
    if not _mark:
        return False
    try:
        Path(_mark).touch(exist_ok=False)
    except FileExistsError:
        return True
    return False
