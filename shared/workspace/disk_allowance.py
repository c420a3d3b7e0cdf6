"""How much of the disk the commands in one checkout may fill, watched while they run.

Looking at every file is dear, and asking a file system how much is free is not: files are looked at only when so much
has gone from the free space that the commands may have filled more than they may.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from shared.ops.disk_use import bytes_written

EVERY_S: Final = 0.5
"""Seconds between two looks at the free space: 10 microseconds of processor time; a look at files takes 5 for each."""
_REST: Final = 20
"""Times as long as a look at the files took, there is none again: most of the time is the command's."""
_LOOK_EVERY_S: Final = 60.0
"""Seconds after which files are looked at in any case: some file systems tell late what has gone."""


class DiskAllowance:
    """What may be written below ``folders``, together, from now on: ``most`` bytes on the disk.

    What lay there before does not count, such as downloads of earlier days. A file that was removed while it is open,
    and what is written elsewhere, is not seen.
    """

    def __init__(self, folders: Sequence[Path], most: int) -> None:
        self.most = most
        self._folders = tuple(folders)
        self._since = time.time()
        self._free = self._free_now()
        self._gone = 0
        """Bytes that have gone from the free space since the files were last looked at, whoever took them."""
        self._given_back = False
        """Whether somebody has given some back since then, which may hide what was taken meanwhile."""
        self._written = 0
        self._looked = time.monotonic()
        self._rests_until = 0.0
        self.is_passed = False
        """Whether more was found than may be; that stays so."""

    async def passed(self) -> None:
        """Return when more is filled than may be."""
        while not await self.look():  # noqa: ASYNC110 nobody tells us what a command writes
            await asyncio.sleep(EVERY_S)

    async def look(self, *, at_once: bool = False) -> bool:
        """Whether more is filled than may be; ``at_once`` without a rest since the last look at the files."""
        now = time.monotonic()
        free = self._free_now()
        # Only what goes is counted: what somebody else gives back meanwhile is not ours to take.
        changes = [before - free[device] for device, before in self._free.items() if device in free]
        self._gone += sum(change for change in changes if change > 0)
        self._given_back |= any(change < 0 for change in changes)
        self._free = free
        is_in_doubt = (
            self._written + self._gone > self.most
            or now - self._looked > _LOOK_EVERY_S
            or (at_once and self._given_back)
        )
        if not self.is_passed and is_in_doubt and (at_once or now >= self._rests_until):
            self._gone, self._given_back = 0, False
            self._written = await asyncio.to_thread(bytes_written, self._folders, self._since)
            self._looked = time.monotonic()
            self._rests_until = self._looked + _REST * (self._looked - now)
            self.is_passed = self._written > self.most
        return self.is_passed

    def _free_now(self) -> dict[int, int]:
        """Free bytes of each file system that the folders lie on, by its device."""
        found = {}
        for folder in self._folders:
            try:
                device, told = folder.stat().st_dev, os.statvfs(folder)
            except OSError:  # a command has removed it
                continue
            found[device] = told.f_bfree * told.f_frsize
        return found
