"""The repository that work is for: its settings, its mirror on this machine, and the removal of its worktrees."""

from __future__ import annotations

import contextlib
from pathlib import Path

from shared.ops.config import BadConfig, Config, Repo, load_config
from shared.ops.settings import Settings
from shared.workspace.git import GitFailed
from shared.workspace.mirror import Mirror
from shared.workspace.submodules import Mirrors, address_key
from shared.workspace.worktree import Worktree


def configured_mirrors(config: Config, data_dir: Path) -> Mirrors:
    """A mirror for each configured repository, by the key of its address; one whose address is none is left out."""
    mirrors: dict[str, Mirror] = {}
    for repo in config.repos.values():
        with contextlib.suppress(ValueError):
            mirrors[address_key(repo.target)] = Mirror(data_dir / "mirrors", repo.target)
    return mirrors


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

    def submodule_mirrors(self) -> Mirrors:
        """The mirrors of all configured repositories, from which submodules may be filled; raises `BadConfig`."""
        return configured_mirrors(load_config(self._settings.config_path), self._settings.data_dir)

    async def remove_worktrees(self, *paths: Path) -> None:
        """Remove those that are there; what git or the settings do not allow now is left for `OrphanSweeper`."""
        with contextlib.suppress(GitFailed, BadConfig):
            for path in paths:
                if path.exists() or path.with_name(f"{path.name}.git").exists():
                    await Worktree(self.mirror(), path, self._base_commit).remove()
