"""What can be known of a target on this machine by looking at its files, before anything is paid for."""

from __future__ import annotations

import os
from pathlib import Path

from shared.workspace.mirror import source_of


def cannot_write(target: str) -> str | None:
    """Why no branch can be made in a local target, as a sentence with the mend; None when nothing speaks against it.

    Nothing is known of an address. Raises ``ValueError`` for what is no target at all.
    """
    source = source_of(target)
    if not source.startswith("/"):
        return None
    place = _git_directory(Path(source))
    if place is None:
        return f"{source} is not a git repository: set another path in journeyman.toml."
    for folder in (place / "objects", place / "refs", place / "refs" / "heads"):
        if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
            return f"{folder} cannot be written: give this user the right to, or mount it for writing."
    return None


def _git_directory(path: Path) -> Path | None:
    """Where a repository's objects and branches are: in a bare one, below ``.git``, or where its ``.git`` file leads.

    Source: gitrepository-layout(5).
    """
    inner = path / ".git"
    place = inner if inner.is_dir() else path
    if inner.is_file():
        place = path / inner.read_text().removeprefix("gitdir:").strip()
        common = place / "commondir"
        place = place / common.read_text().strip() if common.is_file() else place
    return place if (place / "objects").is_dir() and (place / "HEAD").exists() else None
