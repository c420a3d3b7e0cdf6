"""Folders and files that no other user of the machine may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

_SIGNS: Final = ("place", "run", "nats")
"""What a data directory holds once Journeyman has used it."""


def private_directory(path: Path) -> None:
    """Make the data directory for us alone; one that is there is tightened when it is ours.

    A folder of another user (a volume of a container engine), and one that holds other things (somebody named
    ``/tmp``), stays as it is: its mode is not our business.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.stat()
    used_by_us = any((path / sign).exists() for sign in _SIGNS) or not any(path.iterdir())
    if found.st_uid == os.geteuid() and used_by_us and not found.st_mode & stat.S_ISVTX and found.st_mode & 0o077:
        path.chmod(0o700)


def private_file(path: Path, text: str) -> None:
    """Write a file with a secret: readable by us alone from its first byte on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)
        file.write(text)
