"""The repository that work is for: its settings, its mirror on this machine, and the removal of its worktrees."""

from __future__ import annotations

import contextlib
from pathlib import Path

from shared.ops.config import BadConfig, Config, Repo, load_config
from shared.ops.settings import Settings
from shared.workspace.gateway_git import GatewayGit
from shared.workspace.git import GitFailed
from shared.workspace.mirror import Mirror, is_remote
from shared.workspace.submodules import Mirrors, address_key
from shared.workspace.worktree import Worktree


def configured_mirrors(config: Config, data_dir: Path, gateway: GatewayGit | None = None) -> Mirrors:
    """A mirror for each configured repository, by the key of its address; one whose address is none is left out.

    Without a ``gateway`` they are only looked at: nothing is fetched into them.
    """
    mirrors: dict[str, Mirror] = {}
    for name, repo in config.repos.items():
        with contextlib.suppress(ValueError):
            mirrors[address_key(repo.target)] = _mirror(data_dir, name, repo, gateway)
    return mirrors


def _mirror(data_dir: Path, name: str, repo: Repo, gateway: GatewayGit | None) -> Mirror:
    supply = gateway.supply(name) if gateway is not None and is_remote(repo.target) else None
    return Mirror(data_dir / "mirrors", repo.target, supply=supply)


class Target:
    """One configured repository (``owner/name``), at the commit that the work starts from."""

    def __init__(self, settings: Settings, gateway: GatewayGit, name: str, base_commit: str) -> None:
        self._settings = settings
        self._gateway = gateway
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
        return _mirror(self._settings.data_dir, self._name, self.repo(), self._gateway)

    def submodule_mirrors(self) -> Mirrors:
        """The mirrors of all configured repositories, from which submodules may be filled; raises `BadConfig`."""
        return configured_mirrors(load_config(self._settings.config_path), self._settings.data_dir, self._gateway)

    async def remove_worktrees(self, *paths: Path) -> None:
        """Remove those that are there; what git or the settings do not allow now is left for `OrphanSweeper`."""
        with contextlib.suppress(GitFailed, BadConfig):
            for path in paths:
                if path.exists() or path.with_name(f"{path.name}.git").exists():
                    await Worktree(self.mirror(), path, self._base_commit).remove()
