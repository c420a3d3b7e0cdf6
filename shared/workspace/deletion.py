"""Removing what an agent may have made unremovable."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from pathlib import Path


def delete(place: Path) -> None:
    """Remove a file, link or directory tree, also one with read-only directories (Go's module cache makes them)."""
    if place.is_symlink() or not place.is_dir():
        place.unlink(missing_ok=True)
        return

    with contextlib.suppress(PermissionError):
        shutil.rmtree(place)
        return
    for folder, below, _ in os.walk(place):
        for each in below:
            inner = Path(folder, each)
            if not inner.is_symlink():  # a link's target may lie anywhere
                inner.chmod(stat.S_IRWXU)
    shutil.rmtree(place)
