"""Where a run happens on this machine: its worktree and its processes, and how both come here from elsewhere."""

from __future__ import annotations

import contextlib
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from shared.claude.process import AgentProcess
from shared.claude.sweep import sweep
from shared.claude.transcript import pack_session, restore_session
from shared.claude.workshop import forget, mark_of
from shared.config import BadConfig, Repo, load_config
from shared.contracts.messages import ArtifactRef
from shared.contracts.run import Run
from shared.nats.objects import Artifacts
from shared.settings import Settings
from shared.subjects import Actor
from shared.workspace.git import GitFailed
from shared.workspace.mirror import Mirror
from shared.workspace.worktree import Worktree

PROCESSES: Final = 50
"""Most processes one round may start (takeovers and repairs)."""

log = structlog.get_logger(__name__)


class Workplace:
    """One round's place on this machine."""

    def __init__(self, settings: Settings, artifacts: Artifacts, actor: Actor, round: int, config_dir: Path) -> None:
        self._settings = settings
        self._artifacts = artifacts
        self._actor = actor
        self._round = round
        self._config_dir = config_dir
        self.worktree_path = settings.data_dir / "worktrees" / f"run-{actor.id}"
        self.ref = f"refs/journeyman/{actor.id}/checkpoint"
        self._recorded = ""

    def repo(self, name: str) -> Repo:
        """The configured repository; raises `BadConfig`."""
        repo = load_config(self._settings.config_path).repo_for(name)
        if repo is None:
            raise BadConfig(f"The repository {name!r} is not in journeyman.toml: add it and retry.")
        return repo

    async def open(self, run: Run) -> Worktree:
        """The worktree with everything that was done so far. Raises `GitFailed` or `BadConfig`."""
        self._recorded = run.checkpoint_commit
        mirror = Mirror(self._settings.data_dir / "mirrors", self.repo(run.repo).target)
        await mirror.fetch()
        if run.checkpoint is None or self.last_process() is not None:
            return await Worktree.create(mirror, self.worktree_path, run.base_commit)
        log.info("taking over from the last checkpoint", commit=run.checkpoint_commit)
        bundle = self._scratch("checkpoint.bundle")
        await self._artifacts.get_file(run.checkpoint, bundle)
        try:
            return await Worktree.restore(mirror, self.worktree_path, bundle, run.checkpoint_commit)
        finally:
            bundle.unlink(missing_ok=True)

    async def restore_session(self, run: Run) -> bool:
        """Bring the agent's conversation here from its last checkpoint; whether there was one."""
        if run.transcript is None:
            return False
        restore_session(self._config_dir, self.worktree_path, await self._artifacts.get(run.transcript))
        return True

    async def checkpoint(
        self, worktree: Worktree, session: str, at: datetime
    ) -> tuple[str, ArtifactRef | None, ArtifactRef]:
        """Commit, bundle and transcript to go on from; commit and bundle are empty when no file has changed since."""
        commit = await worktree.snapshot(f"Checkpoint of {self._actor}", self.ref, at=at) or await self._kept(worktree)
        bundle = None
        if commit != self._recorded:
            bundle = await self.store_bundle(worktree, self.ref, "checkpoint")
        transcript = await self._artifacts.put(
            f"{self._actor.id}.transcript.tar.gz", pack_session(self._config_dir, session)
        )
        self._recorded = commit
        return (commit if bundle is not None else ""), bundle, transcript

    async def _kept(self, worktree: Worktree) -> str:
        """The snapshot that is there; it may be newer than the one in the log, when we died between the two."""
        return (await worktree.mirror.git("rev-parse", "--verify", self.ref)).strip()

    async def store_bundle(self, worktree: Worktree, what: str, name: str) -> ArtifactRef:
        """A bundle of a ref or commit in the object store."""
        file = self._scratch(f"{name}.bundle")
        try:
            await worktree.bundle(what, out=file)
            return await self._artifacts.put_file(f"{self._actor.id}.{name}.bundle", file)
        finally:
            file.unlink(missing_ok=True)

    def last_process(self) -> Path | None:
        """The directory of the newest process of this round that was started on this machine."""
        found = None
        for directory in self._process_dirs():
            if AgentProcess.exists(directory):
                found = directory
        return found

    def next_process(self) -> Path:
        """The directory for a new process of this round."""
        return next(directory for directory in self._process_dirs() if not AgentProcess.exists(directory))

    def sweep(self) -> int:
        """End every process of the run and its checks; returns how many there were."""
        mark = mark_of(self._actor)
        return sum(sweep(each) for each in (mark, f"{mark}-checks", f"{mark}-base"))

    async def clear(self, worktree: Worktree | None) -> None:
        """Leave nothing of the round on this machine."""
        self.sweep()
        forget(*self._process_dirs())
        if worktree is not None:
            with contextlib.suppress(GitFailed):
                await worktree.remove()

    def _process_dirs(self) -> list[Path]:
        base = self._settings.data_dir / "runs"
        return [base / f"run-{self._actor.id}-{self._round}-{number}" for number in range(1, PROCESSES + 1)]

    def _scratch(self, name: str) -> Path:
        folder = self._settings.data_dir / "scratch"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{self._actor.id}-{self._round}-{name}"
