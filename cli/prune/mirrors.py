"""Mirrors of repositories that are not configured any more."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cli.failures import Failure
from cli.prune.candidate import Candidate, Pruned
from shared.ops.config import Config
from shared.ops.disk_use import bytes_on_disk
from shared.ops.files import lock_file
from shared.ops.own_home import remove_tree
from shared.workspace.target import configured_mirrors


def find(data: Path, config: Config, before: datetime) -> list[Candidate]:
    """Those that nothing was fetched into since a moment. A mirror that is wanted again is made again."""
    wanted = {mirror.path for mirror in configured_mirrors(config, data.absolute()).values()}
    found = []
    for path in sorted((data.absolute() / "mirrors").glob("*.git")):
        if path in wanted or _changed(path) >= before:
            continue
        clear = partial(asyncio.to_thread, _remove, path)
        held = "a worktree is made of it" if _has_borrower(data, path) else ""
        reason = "no configured repository has it"
        found.append(Candidate(Pruned.MIRRORS, path.name, bytes_on_disk(path), reason, clear, held))
    return found


def _changed(path: Path) -> datetime:
    places = (path, path / "refs" / "heads", path / "packed-refs", path / "objects")
    return datetime.fromtimestamp(max(each.stat().st_mtime for each in places if each.exists()), UTC)


def _has_borrower(data: Path, mirror: Path) -> bool:
    """Whether a worktree takes objects from it."""
    notes = [*(data / "worktrees").glob("*/.git"), *(data / "worktrees").glob("*.git/objects/info/alternates")]
    return any(str(mirror) in note.read_text(errors="replace") for note in notes if note.is_file())


def _remove(path: Path) -> None:
    try:
        with lock_file(Path(f"{path}.lock")):
            remove_tree(path)
    except BlockingIOError as error:
        raise Failure(f"{path.name} is being used: try again later.") from error
