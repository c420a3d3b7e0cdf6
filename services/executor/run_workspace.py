"""Where a run happens on this machine: its worktree and its processes, and how both come here from elsewhere."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from shared.claude.agent_activity import AgentWork
from shared.claude.conversation.transcript import SessionUnusable, pack_session, restore_session, session_file
from shared.claude.process.process import AgentProcess
from shared.claude.process.reaper import sweep
from shared.claude.runner import AgentRunner
from shared.contracts.messages import ArtifactRef
from shared.contracts.run import Requested, Run
from shared.nats.objects import Artifacts, ArtifactTooLarge
from shared.ops.config import Repo
from shared.ops.crash_points import crash_point
from shared.ops.settings import Settings
from shared.workspace.target import Target
from shared.workspace.worktree import Worktree

RETIRED: Final = "retired"

log = structlog.get_logger(__name__)


class Exhausted(Exception):
    """No further process may be started for this round."""


class RunWorkspace:
    """One round on this machine: its worktrees, its processes, and what is stored of it."""

    def __init__(
        self, settings: Settings, artifacts: Artifacts, asked: Requested, runner: AgentRunner, work: AgentWork
    ) -> None:
        actor = work.actor
        self.work = work
        self._settings = settings
        self._artifacts = artifacts
        self._actor = actor
        self._asked = asked
        self._runner = runner
        self._target = Target(settings, asked.repo, asked.base_commit)
        self.worktree_path = work.local.worktree(settings.data_dir)
        self.base_path = work.local.base_worktree(settings.data_dir)
        self.ref = f"refs/journeyman/{actor.id}/{asked.round}/checkpoint"
        self._recorded = ""

    def repo(self) -> Repo:
        """The configured repository; raises `BadConfig`."""
        return self._target.repo()

    async def retire(self) -> None:
        """Nothing goes on from what lies here: another worker has overtaken it.

        The run directories stay to the end of the round: their numbers are taken, and what they spent is to be told.
        """
        await asyncio.to_thread(self.sweep)
        crash_point("retire.swept")
        for directory in self.work.run_dirs:
            if AgentProcess.exists(directory):
                (directory / RETIRED).touch()
        crash_point("retire.marked")
        await self._remove_worktrees()
        crash_point("retire.cleared")

    async def open(self, run: Run) -> Worktree:
        """The worktree with everything that was done so far. Raises `GitFailed`, `BadConfig` or `ArtifactLost`."""
        if self.worktree_path.exists():
            await asyncio.to_thread(self._sweep_checks)
        self._recorded = run.checkpoint_commit
        mirror, submodules = self._target.mirror(), self._target.submodule_mirrors()
        await mirror.ensure(run.base_commit)
        if run.checkpoint is None or self.last_process() is not None:
            return await Worktree.create(mirror, self.worktree_path, run.base_commit, submodules)
        log.info("taking over from the last checkpoint", commit=run.checkpoint_commit)
        bundle = self._temp_file("checkpoint.bundle")
        await self._artifacts.get_file(run.checkpoint, bundle)
        crash_point("takeover.fetched")
        try:
            return await Worktree.restore(mirror, self.worktree_path, bundle, run.checkpoint_commit, submodules)
        finally:
            bundle.unlink(missing_ok=True)

    async def restore_session(self, run: Run) -> bool:
        """Bring the agent's conversation here from its last checkpoint; whether there was one."""
        if run.transcript is None:
            return False
        restore_session(self._runner.config_dir, self.worktree_path, await self._artifacts.get(run.transcript))
        crash_point("takeover.session-restored")
        return True

    def has_session(self, session: str) -> bool:
        """Whether the agent's conversation is on this machine."""
        return session_file(self._runner.config_dir, session) is not None

    async def checkpoint(
        self, worktree: Worktree, session: str, at: datetime
    ) -> tuple[str, ArtifactRef | None, ArtifactRef | None]:
        """Commit, bundle and transcript to go on from.

        Commit and bundle are empty when no file has changed since; the transcript is None when there is none that can
        be kept: then another machine begins the conversation anew, with the files as they are.
        """
        commit = await worktree.snapshot(f"Checkpoint of {self._actor}", self.ref, at=at) or await self._kept(worktree)
        crash_point("checkpoint.snapshot")
        bundle = None
        if commit != self._recorded:
            bundle = await self.store_bundle(worktree, self.ref, "checkpoint")
            crash_point("checkpoint.bundle")
        transcript = await self._store_transcript(session)
        self._recorded = commit
        return (commit if bundle is not None else ""), bundle, transcript

    async def _store_transcript(self, session: str) -> ArtifactRef | None:
        try:
            packed = await asyncio.to_thread(pack_session, self._runner.config_dir, session)
            return await self._artifacts.put(f"{self._actor.id}.transcript.tar.gz", packed)
        except (FileNotFoundError, SessionUnusable, ArtifactTooLarge) as error:
            log.warning("the conversation cannot be kept", reason=str(error))
            return None

    async def _kept(self, worktree: Worktree) -> str:
        """The snapshot that is there; it may be newer than the one in the log, when we died between the two."""
        return (await worktree.mirror.git("rev-parse", "--verify", self.ref)).strip()

    async def store_bundle(self, worktree: Worktree, what: str, name: str) -> ArtifactRef:
        """A bundle of a ref or commit in the object store."""
        file = self._temp_file(f"{name}.bundle")
        try:
            await worktree.bundle(what, out=file)
            return await self._artifacts.put_file(f"{self._actor.id}.{name}.bundle", file)
        finally:
            file.unlink(missing_ok=True)

    def last_process(self) -> Path | None:
        """The directory of the newest process of this round that was started on this machine and is not retired."""
        last = self._last_started()
        return None if last is None or (last / RETIRED).exists() else last

    def next_process(self) -> Path:
        """The directory for a new process of this round, behind the last one."""
        last, directories = self._last_started(), self.work.run_dirs
        number = 0 if last is None else directories.index(last) + 1
        if number == len(directories):
            raise Exhausted(
                f"{len(directories)} agents were started for this work and each was lost: look at the machine, then "
                "retry."
            )
        return directories[number]

    def _last_started(self) -> Path | None:
        return next((each for each in reversed(self.work.run_dirs) if AgentProcess.exists(each)), None)

    def sweep(self) -> int:
        """End every process of the round on this machine and of its checks; returns how many there were."""
        return self.work.end_processes() + self._sweep_checks()

    def _sweep_checks(self) -> int:
        return sum(sweep(f"{self.work.mark}-{each}") for each in ("checks", "base"))

    async def leave(self) -> None:
        """`clear`, where the last report from here may not have been taken."""
        await asyncio.to_thread(self.sweep)
        await self.work.reconcile_here()
        crash_point("leave.reconciled")
        await self.clear()

    async def clear(self) -> None:
        """Leave nothing of the round on this machine."""
        await asyncio.to_thread(self.sweep)
        self.work.remove_run_dirs()
        crash_point("clear.processes")
        await self._remove_worktrees()
        crash_point("clear.worktree")

    async def _remove_worktrees(self) -> None:
        await self._target.remove_worktrees(self.worktree_path, self.base_path)

    def _temp_file(self, name: str) -> Path:
        file = self.work.local.temp_file(self._settings.data_dir, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        return file
