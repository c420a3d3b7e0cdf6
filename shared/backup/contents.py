"""The bytes of artifacts in an archive: one file for each content, named by its hash, and never written twice."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from shared.backup.archive import ArchiveRefused, sync
from shared.ops.crash_points import crash_point
from shared.ops.files import sha256_of

FOLDER: Final = "contents"
_PART: Final = ".part"


class Contents:
    """The folder ``contents`` of an archive: ``<first two hex digits>/<SHA-256>``."""

    def __init__(self, directory: Path) -> None:
        self._folder = directory / FOLDER
        self._touched: set[Path] = set()

    def path(self, sha256: str) -> Path:
        """Where the bytes with that hash are, or would be."""
        return self._folder / sha256[:2] / sha256

    async def take(self, sha256: str, write: Callable[[Path], Awaitable[bool]]) -> bool:
        """Have the bytes with that hash; ``write`` puts them into a file and says whether they are whole."""
        path = self.path(sha256)
        if path.exists():
            return True
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        part = path.with_name(f"{sha256}.{secrets.token_hex(4)}{_PART}")
        try:
            if not await write(part):
                return False
            await asyncio.to_thread(sync, part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        crash_point("archive.content-written")
        self._touched.add(path.parent)
        return True

    def sync(self) -> None:
        """Have the names of everything that was taken on the disk, before a manifest speaks of it."""
        for folder in (*sorted(self._touched), self._folder) if self._touched else ():
            sync(folder)
        self._touched.clear()

    def clear_leftovers(self) -> None:
        """Remove what an interrupted run has left half written."""
        for part in self._folder.glob(f"*/*{_PART}"):
            part.unlink()

    def check(self, sha256: str, name: str) -> None:
        """The bytes are those of the hash; raises `ArchiveRefused`, which says whose they are."""
        path = self.path(sha256)
        if not path.is_file() or sha256_of(path) != sha256:
            raise ArchiveRefused(f"{path} ({name}) is damaged or missing: use another copy of the archive.")
