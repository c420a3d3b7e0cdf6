"""Caches of package clients that have grown."""

from __future__ import annotations

import asyncio
from pathlib import Path

from cli.prune.candidate import Candidate, Pruned
from shared.ops.disk_use import bytes_on_disk, size_in_words
from shared.ops.download_caches import FOLDER, trim


def find(data: Path, most_bytes: int) -> list[Candidate]:
    """The caches of each repository that take more than ``most_bytes``; the largest of them are emptied first.

    A command whose cache goes under it fails, so nothing is cleared while work is in hand.
    """
    busy = any((data / "worktrees").glob("*")) or any((data / "runs").glob("*"))
    found = []
    for folder in sorted((data / FOLDER).glob("*")):
        size = bytes_on_disk(folder) if folder.is_dir() and not folder.is_symlink() else 0
        if size <= most_bytes:
            continue

        async def clear(folder: Path = folder) -> None:
            await asyncio.to_thread(trim, folder, most_bytes)

        reason = f"more than {size_in_words(most_bytes)}"
        held = "agents or checks are at work: try when they are not" if busy else ""
        found.append(Candidate(Pruned.CACHES, folder.name, size - most_bytes, reason, clear, held))
    return found
