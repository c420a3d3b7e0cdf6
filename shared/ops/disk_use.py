"""What a data directory takes on the disk, by kind."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

_KINDS: Final = {
    "nats": "NATS",
    "projector": "read models",
    "claude": "conversations",
    "mirrors": "mirrors",
    "caches": "download caches",
    "worktrees": "work in hand",
    "runs": "work in hand",
    "scratch": "work in hand",
    "publishing": "work in hand",
    "transfers": "work in hand",
    "verdicts": "verdicts",
    "logs": "logs",
}
"""What each folder of a data directory holds."""
_REST: Final = "other"


class DiskUse(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes on the disk of one kind of things."""

    kind: str
    bytes: int


def disk_use(data_dir: Path) -> list[DiskUse]:
    """What is in a data directory, the largest kind first. It looks at every file: not for the event loop."""
    found: dict[str, int] = {}
    for path in sorted(data_dir.iterdir()) if data_dir.is_dir() else []:
        kind = _KINDS.get(path.name, _REST)
        size = bytes_on_disk(path) if path.is_dir() and not path.is_symlink() else path.lstat().st_blocks * 512
        found[kind] = found.get(kind, 0) + size
    return [DiskUse(kind=kind, bytes=size) for kind, size in sorted(found.items(), key=lambda each: -each[1])]


def free_bytes(data_dir: Path) -> int:
    """What is left on the disk of a data directory, also of one that is still to be made."""
    place = next(each for each in (data_dir, *data_dir.parents) if each.exists())
    return shutil.disk_usage(place).free


def bytes_on_disk(folder: Path) -> int:
    """What a folder takes. Links are not followed, and a file with several names in the folder counts once."""
    return bytes_written([folder], since=0)


def bytes_written(folders: Iterable[Path], since: float) -> int:
    """What was written to folders, or changed in them, after ``since`` (seconds since the epoch) and is still there.

    Links are not followed, and a file with several names in the folders counts once.
    """
    seen: set[tuple[int, int]] = set()
    total = 0
    for place, name in ((place, name) for folder in folders for place, _, names in os.walk(folder) for name in names):
        try:
            found = os.lstat(f"{place}/{name}")  # a Path for each of many files would take twice as long
        except OSError:
            continue
        if found.st_ctime >= since and (found.st_dev, found.st_ino) not in seen:
            total += found.st_blocks * 512
            if found.st_nlink > 1:
                seen.add((found.st_dev, found.st_ino))
    return total


def size_in_words(size: int) -> str:
    """``12.3 MiB``."""
    amount = float(size)
    for unit in ("bytes", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:,.0f} {unit}" if unit == "bytes" else f"{amount:,.1f} {unit}"
        amount /= 1024
    return f"{amount:,.1f} GiB"
