"""What agents have left on this machine though nobody claims their work any more: found, and cleared away.

A service clears up behind itself. It cannot when it was killed and another machine took the work over or brought it to
its end: then processes, run directories (with their FIFOs), worktrees and scratch files stay, until this finds them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec
import structlog

from shared.claude.cost.reconcile import Report, reconcile_here
from shared.claude.process.reaper import marks, sweep
from shared.claude.work_dirs import (
    RUNS,
    WORKTREES,
    LocalWork,
    files_of_work,
    node_id_of,
    remove_run_dirs,
    work_of_mark,
)
from shared.contracts import plan, run, session, task
from shared.contracts.kinds import AGENTS
from shared.event_store.envelope import RecordedEvent, utc_now
from shared.event_store.journal import Journal, LogDamaged
from shared.ops.config import BadConfig, load_config
from shared.ops.crash_points import crash_point
from shared.ops.settings import Settings
from shared.ops.timings import PRODUCTION, Timings
from shared.runtime.acknowledge import TRANSIENT
from shared.workspace.git import GitFailed
from shared.workspace.mirror import Mirror
from shared.workspace.worktree import Worktree

VERDICTS: Final = task.Triaged | task.Answered | task.Declined | task.ReviewWritten | task.Failed | task.Paused
"""What a triage or a review may come to; later stages of a task end with the last two as well."""

log = structlog.get_logger(__name__)


class Orphan(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of work: paths in the data directory, marks of living processes.

    ``repo`` and ``base`` name what a worktree was made from; ``accountable`` is that of its `Fate`.
    """

    work: LocalWork
    paths: tuple[Path, ...]
    marks: tuple[str, ...]
    accountable: bool
    repo: str = ""
    base: str = ""


async def find_orphans(
    data_dir: Path,
    journal: Journal,
    *,
    kinds: Collection[str] = AGENTS,
    grace_s: float = PRODUCTION.orphans_grace_s,
) -> list[Orphan]:
    """Everything below ``data_dir`` that belongs to work which has ended, or which another machine has claimed.

    Either must have happened ``grace_s`` seconds ago: before, the work's own service may still be clearing up.

    Work that the log does not know, or whose log is damaged, is left alone. Raises what the journal raises else.
    """
    node_id = node_id_of(data_dir)
    found = []
    for work, (paths, signs) in _all_work(data_dir, await asyncio.to_thread(marks), node_id).items():
        if work.actor.kind not in kinds:
            continue
        try:
            fate = fate_of(await journal.load(work.actor), work.number, node_id)
        except LogDamaged:
            continue
        if fate.over_since is not None and fate.over_since.time < utc_now() - timedelta(seconds=grace_s):
            found.append(
                Orphan(
                    work=work,
                    paths=tuple(paths),
                    marks=tuple(signs),
                    accountable=fate.accountable,
                    repo=fate.repo,
                    base=fate.base_commit,
                )
            )
    return found


async def clear_orphan(orphan: Orphan, data_dir: Path, target_of: Callable[[str], str | None], tell: Report) -> int:
    """End the processes, have the log know what they spent, remove the files; returns how many processes were ended.

    ``target_of`` gives the address of a configured repository. Raises what ``tell`` raises.
    """
    ended = 0
    for mark in orphan.marks:
        ended += await asyncio.to_thread(sweep, mark)
    crash_point("orphans.swept")
    if orphan.accountable:
        runs = [path for path in orphan.paths if path.parent.name == RUNS]
        await reconcile_here(node_id_of(data_dir), orphan.work.actor, orphan.work.number, runs, tell)
    target = target_of(orphan.repo)
    for path in orphan.paths:
        if path.parent.name == WORKTREES and path.suffix != ".git" and target and orphan.base:
            with contextlib.suppress(GitFailed, OSError):
                await Worktree(Mirror(data_dir / "mirrors", target), path, orphan.base).remove()
        await asyncio.to_thread(remove_run_dirs, path)
        path.unlink(missing_ok=True)
        crash_point("orphans.forgotten")
    return ended


class Fate(msgspec.Struct, frozen=True):
    """What became of a piece of work: the event since which it is no business of this machine, if there is one."""

    over_since: RecordedEvent | None = None
    repo: str = ""
    base_commit: str = ""

    @property
    def accountable(self) -> bool:
        """Whether the log tells whose spend it has: verdicts of triage did not, before they named their place."""
        verdict = None if self.over_since is None else self.over_since.data
        return not isinstance(verdict, VERDICTS) or bool(verdict.place) or not verdict.usage


def fate_of(events: Iterable[RecordedEvent], number: int, node_id: str) -> Fate:
    """Fold an actor's events to what concerns its work ``number`` (pure)."""
    fate, current = Fate(), 0
    for event in events:
        match event.data:
            case (
                run.Requested(round=now, repo=repo, base_commit=base)
                | plan.DraftingStarted(draft=now, repo=repo, base_commit=base)
            ):
                current = now
                if now == number:
                    fate = Fate(None, repo, base)
            case task.TriageRequested(attempt=now) | session.AnswerStarted(answer=now):
                current = now
            case task.ReviewRequested(attempt=now, repo=repo, review=review):
                current = now
                if now == number:
                    fate = Fate(None, repo, review.head)
            case run.Claimed(worker=worker) | plan.Claimed(worker=worker) | session.Claimed(worker=worker) if (
                current == number
            ):
                ours = worker.endswith(f"@{node_id}")
                fate = msgspec.structs.replace(fate, over_since=None if ours else event)
            case _ if current == number and fate.over_since is None and _ends(event):
                fate = msgspec.structs.replace(fate, over_since=event)
            case _:
                continue
        if current > number and fate.over_since is None:
            fate = msgspec.structs.replace(fate, over_since=event)
    return fate


def _ends(event: RecordedEvent) -> bool:
    match event.data:
        case run.Succeeded() | run.Failed() | run.Stopped() | plan.Proposed() | plan.Failed() | plan.Stopped():
            return True
        case session.Answered() | session.Failed() | session.Interrupted():
            return True
        case task.Cancelled():
            return True
        case _:
            return isinstance(event.data, VERDICTS)


def _all_work(data_dir: Path, signs: Iterable[str], node_id: str) -> dict[LocalWork, tuple[list[Path], list[str]]]:
    found: dict[LocalWork, tuple[list[Path], list[str]]] = {}
    for work, path in files_of_work(data_dir):
        found.setdefault(work, ([], []))[0].append(path)
    for sign in sorted(set(signs)):
        if (owner := work_of_mark(sign, node_id)) is not None:
            found.setdefault(owner, ([], []))[1].append(sign)
    return found


class OrphanSweeper:
    """Clears the orphans of one service's kinds of work, at its start and every now and then."""

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        kinds: Collection[str],
        tell: Report,
        *,
        timings: Timings = PRODUCTION,
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._kinds = kinds
        self._tell = tell
        self._timings = timings
        self._draining = asyncio.Event()

    async def run(self) -> None:
        """Look and clear, until `drain`."""
        while not self._draining.is_set():
            try:
                await self.clear()
            except TRANSIENT as error:
                log.warning("orphans cannot be looked for now", error=str(error) or type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._draining.wait(), self._timings.orphans_every_s)

    def drain(self) -> None:
        """Ask `run` to end."""
        self._draining.set()

    async def clear(self) -> None:
        """Look once."""
        data_dir, grace_s = self._settings.data_dir, self._timings.orphans_grace_s
        for orphan in await find_orphans(data_dir, self._journal, kinds=self._kinds, grace_s=grace_s):
            ended = await clear_orphan(orphan, data_dir, self._target_of, self._tell)
            log.warning("cleared what an agent had left behind", actor=str(orphan.work.actor), processes=ended)

    def _target_of(self, repo: str) -> str | None:
        try:
            found = load_config(self._settings.config_path).repo_for(repo)
        except BadConfig:
            return None
        return None if found is None else found.target
