"""Where tests keep their files: in memory where there is room, so that a disk which others use decides no test."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")
ROOM_BYTES: Final = 6 * 1024**3


def memory_dir() -> Path | None:
    """A folder in memory that has room for the whole suite and may hold programs; None where there is none.

    Nothing is tested less: what a killed process wrote outlives it in memory as in the page cache of a disk.
    """
    try:
        facts = os.statvfs(MEMORY)
    except OSError:
        return None
    usable = facts.f_bavail * facts.f_frsize >= ROOM_BYTES and not facts.f_flag & os.ST_NOEXEC
    return MEMORY if usable and os.access(MEMORY, os.W_OK | os.X_OK) else None
