"""The repository that work is for: its settings, its mirror on this machine, and the removal of its worktrees."""

from __future__ import annotations

import contextlib
from pathlib import Path

from shared.ops.config import BadConfig, Repo, load_config
from shared.ops.settings import Settings
from shared.workspace.git import GitFailed
from shared.workspace.mirror import Mirror
from shared.workspace.worktree import Worktree


class Target:
    """One configured repository (``owner/name``), at the commit that the work starts from."""

    def __init__(self, settings: Settings, name: str, base_commit: str) -> None:
        self._settings = settings
        self._name = name
        self._base_commit = base_commit

    def repo(self) -> Repo:
        """Its settings as they are now; raises `BadConfig`."""
        repo = load_config(self._settings.config_path).repo_for(self._name)
        if repo is None:
            raise BadConfig(f"The repository {self._name!r} is not in journeyman.toml: add it and retry.")
        return repo

    def mirror(self) -> Mirror:
        """Its mirror; raises `BadConfig`."""
        return Mirror(self._settings.data_dir / "mirrors", self.repo().target)

    async def remove_worktrees(self, *paths: Path) -> None:
        """Remove those that are there; what git or the settings do not allow now is left for `OrphanSweeper`."""
        with contextlib.suppress(GitFailed, BadConfig):
            for path in paths:
                if path.exists() or path.with_name(f"{path.name}.git").exists():
                    await Worktree(self.mirror(), path, self._base_commit).remove()
