"""A clean checkout of one commit: set up by itself, with a home of its own, and gone afterwards.

What checks write, delete, stash or commit stays in it, and each command finds the tracked files as they were.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import time
from collections.abc import AsyncIterator, Sequence
from functools import partial
from itertools import count
from pathlib import Path

import msgspec

from shared.ops.config import NetworkOf
from shared.ops.crash_points import crash_point
from shared.ops.own_home import remove_tree
from shared.ops.uninterrupted import uninterrupted
from shared.sandbox.confinement import Network
from shared.sandbox.sandbox import Sandbox
from shared.workspace.check_sandbox import Access, CheckSandbox
from shared.workspace.checks import ENDS_BYTES, CheckResult, run_check
from shared.workspace.disk_allowance import DiskAllowance
from shared.workspace.mirror import Mirror
from shared.workspace.submodules import Mirrors
from shared.workspace.test_results import Findings, read_failures, refuses_reports, report_files
from shared.workspace.tracked import TrackedFiles
from shared.workspace.worktree import Worktree


class Place(msgspec.Struct, frozen=True):
    """Where a commit is checked: its files, the folder for what belongs to it, and the mark of its processes."""

    tree: Path
    folder: Path
    mark: str


class Bounds(msgspec.Struct, frozen=True):
    """What a command may take: seconds, bytes of output, and bytes of the disk together with the others of its
    checkout.
    """

    timeout_s: float
    output_bytes: int
    disk_bytes: int


class Ran(msgspec.Struct, frozen=True):
    """A command that has run: what came of it, which tests it says have failed, and the file with its whole output."""

    result: CheckResult
    findings: Findings
    whole: Path


class CleanCheckout:
    """One commit, checked out. Made by `opened`."""

    def __init__(
        self,
        place: Place,
        tracked: TrackedFiles,
        sandbox: CheckSandbox,
        network: NetworkOf,
        bounds: Bounds,
        disk: DiskAllowance,
        commit: str,
    ) -> None:
        self._place = place
        self._commit = commit
        self._tracked = tracked
        self._touched = False
        self._set_up: frozenset[str] | None = None
        self._before: frozenset[str] = frozenset()
        self._beside: frozenset[str] = frozenset()
        self._sandbox = sandbox
        self._setup_access = Access(_network(network in ("setup", "checks")), keeps_downloads=True)
        self._check_access = Access(_network(network == "checks"))
        self._bounds = bounds
        self._disk = disk
        self._numbers = count(1)

    @property
    def tree(self) -> Path:
        """The commit's files."""
        return self._place.tree

    @property
    def has_overrun(self) -> bool:
        """Whether its commands have filled more of the disk than they may."""
        return self._disk.is_passed

    @property
    def tree_inside(self) -> Path:
        """The commit's files as its commands see them, and name them in their outputs."""
        return self._sandbox.inside(self.tree)

    def as_we_see(self, output: str) -> str:
        """An output in which the files have the paths that they have for us."""
        return output.replace(str(self.tree_inside), str(self.tree))

    @property
    def home_inside(self) -> Path:
        """The ``HOME`` of its commands."""
        return self._sandbox.inside(_home(self._place))

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(
        cls,
        mirror: Mirror,
        commit: str,
        place: Place,
        *,
        sandbox: Sandbox,
        network: NetworkOf,
        caches: Path,
        bounds: Bounds,
        submodules: Mirrors,
        trusted: str,
    ) -> AsyncIterator[CleanCheckout]:
        """The commit's files and nothing else; whatever lies in the place is replaced. Raises `GitFailed`.

        ``caches`` is where the set-up keeps downloads for all checkouts. ``submodules`` and ``trusted`` are those of
        `Worktree.checkout`.
        """
        worktree = Worktree(mirror, place.tree, commit)
        await asyncio.to_thread(remove_tree, place.folder)
        place.folder.mkdir(mode=0o700, parents=True)
        try:
            # A result is younger than what git removes, and the agent's worktree keeps its base.
            await Worktree.checkout(mirror, place.tree, commit, submodules=submodules, trusted=trusted, is_kept=True)
            crash_point("verification.checked-out")
            async with CheckSandbox.opened(
                sandbox, place.tree, _home(place), caches=caches, git=worktree.git_folders
            ) as commands:
                beside = (folder for folder in commands.folders if not folder.is_relative_to(place.folder))
                disk = DiskAllowance((*beside, place.folder), bounds.disk_bytes)
                yield cls(place, worktree.tracked, commands, network, bounds, disk, commit)
        finally:
            await uninterrupted(_remove(worktree, place.folder))

    async def set_up(self, commands: Sequence[str]) -> list[Ran]:
        """Run the steps of the set-up up to the first one that does not succeed."""
        ran: list[Ran] = []
        for command in commands:
            ran.append(await self._run(command, self._setup_access))
            if not ran[-1].result.passed:
                break
        if ran:
            self._set_up = await self._tracked.remember()
        return ran

    async def run(self, command: str) -> Ran:
        """Run a command on the files as the commit and its set-up made them; read what it says about its tests."""
        if self._touched:
            self._before = await self._tracked.restored()
        elif self._set_up is not None:
            self._before = self._set_up  # nothing has run since
        else:
            self._before = await self._tracked.untracked()
        self._beside = await asyncio.to_thread(self._sandbox.remembered)
        self._touched = True
        return await self._run(command, self._check_access)

    async def run_again(self, command: str) -> Ran:
        """Run the last command once more, without what it has left in the checkout, ``HOME`` and ``TMPDIR``: else it
        might find its own mend, or know that it runs again, and pass.
        """
        await self._keep_only_what_was()
        return await self.run(command)

    async def run_again_with(self, command: str, commit: str, paths: Sequence[str]) -> Ran:
        """Run the last command once more, with these files as ``commit`` has them; afterwards they are as they were."""
        await self._keep_only_what_was()
        self._before = await self._tracked.restored()
        await self._tracked.put(commit, paths)
        self._touched = True
        try:
            return await self._run(command, self._check_access)
        finally:
            await self._tracked.put(self._commit, paths)

    async def _keep_only_what_was(self) -> None:
        await self._tracked.keep_only(self._before)
        await asyncio.to_thread(self._sandbox.keep_only, self._beside)

    async def _run(self, command: str, access: Access) -> Ran:
        number = next(self._numbers)
        reports, whole = self._place.folder / f"reports-{number}", self._place.folder / f"output-{number}.gz"
        reports.mkdir(parents=True)
        began = time.time()
        run = partial(
            run_check,
            command,
            self._sandbox,
            access=access,
            timeout=self._bounds.timeout_s,
            mark=self._place.mark,
            keep=whole,
            most_output=self._bounds.output_bytes,
            disk=self._disk,
        )
        result = await run(reports=reports)
        if refuses_reports(result.output):
            result = await run()
        files = await asyncio.to_thread(report_files, reports, self.tree, began)
        output = await asyncio.to_thread(_kept_output, result, whole)
        findings = await asyncio.to_thread(read_failures, command, result.exit_code, output, files, self.tree_inside)
        return Ran(result, findings, whole)


def _network(is_there: bool) -> Network:
    return Network.HOST if is_there else Network.NONE


def _home(place: Place) -> Path:
    return place.folder / "home"


async def _remove(worktree: Worktree, folder: Path) -> None:
    await worktree.remove(tidy=False)  # the agent's worktree goes after it
    await asyncio.to_thread(remove_tree, folder)


def _kept_output(result: CheckResult, whole: Path) -> str:
    """The output as far as it was written down: a long one has only its two ends in memory, and names in between."""
    if result.output_size <= 2 * ENDS_BYTES:
        return result.output
    with gzip.open(whole, "rt", encoding="utf-8", errors="replace") as file:
        text = file.read()
    return f"{text}\n{result.output}" if result.cut else text
