"""What is observed of one committed result: everything around the judge, from the slot to the clean-up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from services.executor.verification.base import BaseCommit
from services.executor.verification.checkout import Bounds, CleanCheckout, Place
from services.executor.verification.judge import Judge, Judged
from services.executor.verification.judges_notes import JudgesOf
from services.executor.verification.records import FOLDER, BaseRecords
from services.executor.verification.rounds import first_base
from services.executor.verification.slots import CheckSlots
from shared.claude.work_dirs import BASE, CHECKS, LocalWork
from shared.contracts.messages import ArtifactRef
from shared.nats.objects import ArtifactTooLarge
from shared.ops import download_caches
from shared.ops.config import Repo
from shared.ops.limits import DEFAULTS, Limits
from shared.sandbox.sandbox import Sandbox
from shared.workspace.detect import detect_setup
from shared.workspace.mirror import Mirror
from shared.workspace.submodules import NONE, Mirrors

log = structlog.get_logger(__name__)


class OutputStore(Protocol):
    """What keeps the whole outputs of checks."""

    async def put_file(self, name: str, path: Path) -> ArtifactRef:
        """Store a file's bytes; raises `ArtifactTooLarge`."""


class Verification:
    """Checks results on this executor."""

    def __init__(
        self, data_dir: Path, timeout_s: float, outputs: OutputStore, sandbox: Sandbox, limits: Limits = DEFAULTS
    ) -> None:
        self._data_dir = data_dir
        self._sandbox = sandbox
        self._bounds = Bounds(timeout_s, limits.max_check_output_bytes, limits.max_check_disk_bytes)
        self._outputs = outputs
        self._slots = CheckSlots()
        self._records = BaseRecords(data_dir / FOLDER)

    async def judge(
        self,
        work: LocalWork,
        mark: str,
        name: str,
        repo: Repo,
        mirror: Mirror,
        *,
        base: str,
        commit: str,
        submodules: Mirrors = NONE,
    ) -> Judged:
        """The verdicts on ``commit``, which was made on ``base`` in the repository ``name``; the mirror has both.

        What runs carries ``mark`` with the part of the work that it belongs to. Raises `GitFailed`. Where this is
        cancelled, everything that runs is ended before it returns.
        """

        caches = self._data_dir / download_caches.FOLDER / mirror.path.stem

        @contextlib.asynccontextmanager
        async def opened(commit: str, part: str) -> AsyncIterator[CleanCheckout]:
            tree = work.checkout(self._data_dir, part)
            # Named after the checkout, so that the homes of all parts have paths of one length too.
            place = Place(tree=tree, folder=work.checks_dir(self._data_dir) / tree.name, mark=f"{mark}-{part}")
            async with CleanCheckout.opened(
                mirror,
                commit,
                place,
                sandbox=self._sandbox,
                network=repo.network,
                caches=caches,
                bounds=self._bounds,
                submodules=submodules,
                trusted=base,
            ) as checkout:
                yield checkout
            if checkout.has_overrun and repo.check_runs == 1:
                # Nobody else uses them: the next task is not to add as much again.
                await asyncio.to_thread(download_caches.trim, caches, self._bounds.disk_bytes)

        async def store(whole: Path) -> ArtifactRef | None:
            try:
                return await self._outputs.put_file(f"{work.actor.id}.check.gz", whole)
            except ArtifactTooLarge as error:
                log.warning("a check's output cannot be kept", reason=str(error))
                return None

        async with (
            self._slots.slot(name, repo.check_runs),
            BaseCommit(mirror.source, base, self._records, partial(opened, base, BASE)) as base_commit,
        ):
            commands = await base_commit.commands(repo.setup, repo.checks)
            if not commands.checks:
                return Judged()
            async with opened(commit, CHECKS) as result:
                # What the work has added, such as its first dependency, is set up for it too.
                setup = detect_setup(result.tree) if repo.setup is None else repo.setup
                first = await first_base(mirror, base, work.actor.id)
                judges = JudgesOf(mirror, base, commit, commands.checks, first)
                judged = await Judge(commands.checks, setup, result, base_commit, store, judges).judge()
            return msgspec.structs.replace(judged, notes=(*judged.notes, *await judges.notes()))
