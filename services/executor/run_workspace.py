"""Where a run happens on this machine: its worktree and its processes, and how both come here from elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from shared.claude.agent_activity import AgentWork
from shared.claude.conversation.transcript import SessionUnusable, pack_session, restore_session, session_file
from shared.claude.process.process import AgentProcess
from shared.claude.process.reaper import sweep
from shared.claude.runner import AgentRunner
from shared.claude.work_dirs import PARTS, remove_run_dirs
from shared.contracts.messages import ArtifactRef
from shared.contracts.run import Requested, Run
from shared.nats.objects import Artifacts, ArtifactTooLarge
from shared.ops.config import Repo
from shared.ops.crash_points import crash_point
from shared.ops.settings import Settings
from shared.workspace.bundle import has_commit
from shared.workspace.commits import bring
from shared.workspace.gateway_git import GatewayGit
from shared.workspace.mirror import Mirror
from shared.workspace.submodules import Mirrors
from shared.workspace.target import Target
from shared.workspace.worktree import Worktree

RETIRED: Final = "retired"

log = structlog.get_logger(__name__)


class Exhausted(Exception):
    """No further process may be started for this round."""


class RunWorkspace:
    """One round on this machine: its worktrees, its processes, and what is stored of it."""

    def __init__(
        self,
        settings: Settings,
        artifacts: Artifacts,
        gateway: GatewayGit,
        asked: Requested,
        runner: AgentRunner,
        work: AgentWork,
    ) -> None:
        actor = work.actor
        self.work = work
        self._settings = settings
        self._artifacts = artifacts
        self._actor = actor
        self._asked = asked
        self._runner = runner
        self._target = Target(settings, gateway, asked.repo, asked.base_commit)
        self.worktree_path = work.local.worktree(settings.data_dir)
        self.ref = f"refs/journeyman/{actor.id}/{asked.round}/checkpoint"
        self._recorded = ""

    def repo(self) -> Repo:
        """The configured repository; raises `BadConfig`."""
        return self._target.repo()

    def submodules(self) -> Mirrors:
        """The mirrors that submodules may be filled from; raises `BadConfig`."""
        return self._target.submodule_mirrors()

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
        mirror = self._target.mirror()
        if self.last_process() is not None:
            return await Worktree.create(mirror, self.worktree_path, run.base_commit, self.submodules())
        if run.checkpoint is not None:
            log.info("taking over from the last checkpoint", commit=run.checkpoint_commit)
            return await self._restore(mirror, run.checkpoint, run.checkpoint_commit)
        if run.start is not None:
            return await self._restore(mirror, run.start.bundle, run.start.commit)
        return await Worktree.create(mirror, self.worktree_path, run.base_commit, self.submodules())

    async def _restore(self, mirror: Mirror, stored: ArtifactRef, commit: str) -> Worktree:
        async with self._fetched(stored, "checkpoint") as bundle:
            crash_point("takeover.fetched")
            return await Worktree.restore(mirror, self.worktree_path, bundle, commit, self.submodules())

    async def provide(self, run: Run, commit: str, stored: ArtifactRef) -> Worktree:
        """Have a committed result in the mirror; returns the worktree it was made in, whose files need not be here."""
        # By its directory, who clears up finds what the mirror keeps for it.
        self.worktree_path.mkdir(parents=True, exist_ok=True)
        mirror = self._target.mirror()
        await mirror.ensure(run.base_commit)
        if not await has_commit(mirror.path, commit):
            async with self._fetched(stored, "result") as bundle:
                await bring(mirror, commit, bundle)
        worktree = Worktree(mirror, self.worktree_path, run.base_commit)
        await worktree.hold()
        return worktree

    @contextlib.asynccontextmanager
    async def _fetched(self, stored: ArtifactRef, name: str) -> AsyncIterator[Path]:
        bundle = self._temp_file(f"{name}.bundle")
        try:
            yield await self._artifacts.get_file(stored, bundle)
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
        return sweep(self.work.mark, *self._marks_of_checks())

    def _sweep_checks(self) -> int:
        return sweep(*self._marks_of_checks())

    def _marks_of_checks(self) -> list[str]:
        return [f"{self.work.mark}-{part}" for part in PARTS]

    async def leave(self) -> None:
        """End the processes and `clear`, where the last report from here may not have been taken."""
        await asyncio.to_thread(self.sweep)
        await self.work.reconcile_here()
        crash_point("leave.reconciled")
        await self.clear()

    async def clear(self) -> None:
        """Leave no file of the round on this machine; its processes have been ended."""
        self.work.remove_run_dirs()
        remove_run_dirs(self.work.local.checks_dir(self._settings.data_dir))
        crash_point("clear.processes")
        await self._remove_worktrees()
        crash_point("clear.worktree")

    async def _remove_worktrees(self) -> None:
        checkouts = (self.work.local.checkout(self._settings.data_dir, part) for part in PARTS)
        await self._target.remove_worktrees(self.worktree_path, *checkouts)

    def _temp_file(self, name: str) -> Path:
        file = self.work.local.temp_file(self._settings.data_dir, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        return file
