"""Folders and files that no other user of the machine may read."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_SIGNS: Final = ("place", "run/up.lock", "run/up.json", "journeyman.toml")
"""What only a data directory of Journeyman holds: any of them makes the folder ours."""
_DEMO: Final = "demo"
"""What `up --demo` makes in a data directory that nothing else has used yet."""
_MODE_KEPT: Final = "mode-kept"
"""Marks a folder that was not ours at its first use, because what we make in it looks like our signs from then on."""
_WHY_KEPT: Final = """\
This folder held other things when Journeyman first used it, so Journeyman leaves its mode as it is.
Remove this file to have the folder made private (0700) at the next start.
"""


def private_directory(path: Path) -> None:
    """Make the data directory for us alone; one that is there is tightened when it is ours.

    A folder of another user (a volume of a container engine), and one that holds other things (somebody named
    ``/tmp``), stays as it is: its mode is not our business. The first call decides that, before anything is made in
    the folder, and a mark in it keeps the decision. Raises OSError where we may not write.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.stat()
    if found.st_uid != os.geteuid() or found.st_mode & stat.S_ISVTX or not found.st_mode & 0o077:
        return
    mark = path / _MODE_KEPT
    if mark.exists():
        return
    if any((path / sign).exists() for sign in _SIGNS) or not any(each.name != _DEMO for each in path.iterdir()):
        path.chmod(0o700)
    else:
        # Another service may be first; "x" follows no link that another user has laid here.
        with contextlib.suppress(FileExistsError), mark.open("x") as file:
            file.write(_WHY_KEPT)


@contextlib.contextmanager
def private_files() -> Iterator[None]:
    """Make all files and folders that this process makes meanwhile for us alone, whoever of us makes them."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def private_file(path: Path, text: str) -> None:
    """Write a file with a secret: readable by us alone from its first byte on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)
        file.write(text)
