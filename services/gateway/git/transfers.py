"""Bringing the gateway's mirrors up to date for others, and the files in which those get the objects that they lack."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from shared.contracts.git_queries import PART_BYTES, Fetched, FetchRepo, FetchState
from shared.ops.config import Config
from shared.ops.temp_dirs import temp_dir
from shared.workspace.bundle import has_commit
from shared.workspace.git import GitFailed
from shared.workspace.mirror import Mirror, is_remote
from shared.workspace.mirror_bundle import MirrorBundle, write_mirror_bundle
from shared.workspace.remote_access import GitCredentials

FOLDER: Final = "transfers"
"""Where a data directory has files that others are reading."""
MAX_TRANSFERS: Final = 32
"""Files at once, with those that are being made."""
ANSWER_S: Final = 4.0
"""After so long somebody who waits for a mirror is told that the work goes on."""
IDLE_S: Final = 120.0
"""A file that nobody reads for so long goes, and so does work that nobody asks for any more."""


class Busy(Exception):
    """Too much is going on already."""


@dataclass
class _Transfer:
    bundle: MirrorBundle
    kept: ExitStack
    used_at: float


@dataclass
class _Work:
    task: asyncio.Task[Fetched]
    asked_at: float


class Transfers:
    """All files and all work of this gateway; ``instance`` is its name in answers. ``clock`` gives seconds."""

    def __init__(
        self,
        data_dir: Path,
        config: Callable[[], Config],
        credentials: GitCredentials,
        instance: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._data_dir = data_dir
        self._config = config
        self._credentials = credentials
        self._instance = instance
        self._clock = clock
        self._transfers: dict[str, _Transfer] = {}
        self._work: dict[bytes, _Work] = {}

    async def fetch(self, asked: FetchRepo) -> Fetched:
        """How far the work is that somebody asks for, which this begins or goes on with.

        Raises `GitFailed` and `Busy`.
        """
        key = _key(asked)
        if (work := self._work.get(key)) is None:
            if len(self._transfers) + len(self._work) >= MAX_TRANSFERS:
                raise Busy
            work = self._work[key] = _Work(asyncio.create_task(self._fetch(asked)), self._clock())
            work.task.add_done_callback(_seen)
        work.asked_at = self._clock()
        await asyncio.wait({work.task}, timeout=ANSWER_S)
        if not work.task.done():
            return Fetched(state=FetchState.WORKING, instance=self._instance)
        self._work.pop(key, None)
        return work.task.result()

    async def part(self, transfer: str, offset: int) -> bytes:
        """What the file has from ``offset`` on; nothing where there is no such file. At its end the file goes."""
        found = self._transfers.get(transfer)
        if found is None or offset >= found.bundle.size:
            self._drop(transfer)
            return b""
        found.used_at = self._clock()
        return await asyncio.to_thread(_read, found.bundle.path, offset)

    def tidy(self) -> None:
        """Let go of what nobody has asked for in `IDLE_S` seconds."""
        before = self._clock() - IDLE_S
        for name in [name for name, each in self._transfers.items() if each.used_at < before]:
            self._drop(name)
        for key in [key for key, each in self._work.items() if each.asked_at < before]:
            self._work.pop(key).task.cancel()

    async def close(self) -> None:
        """Let go of everything."""
        tasks = [each.task for each in self._work.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for name in list(self._transfers):
            self._drop(name)

    async def _fetch(self, asked: FetchRepo) -> Fetched:
        repo = self._config().repo_for(asked.repo)
        if repo is None or not is_remote(repo.target):
            raise GitFailed(f"No repository {asked.repo!r} with a url is in journeyman.toml: add it and retry.")
        mirror = Mirror(self._data_dir / "mirrors", repo.target, credentials=self._credentials)
        if asked.commit is None:
            await mirror.fetch()
        else:
            await mirror.ensure(asked.commit)
            if not await has_commit(mirror.path, asked.commit):
                await mirror.resolve(asked.commit)
        if await mirror.prepare() == asked.mirror:
            return Fetched(state=FetchState.SAME, instance=self._instance)
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(temp_dir(self._data_dir / FOLDER))
            bundle = await write_mirror_bundle(mirror, asked.have, asked.commit, folder)
            name = secrets.token_urlsafe(18)
            self._transfers[name] = _Transfer(bundle, stack.pop_all(), self._clock())
        return Fetched(
            state=FetchState.PACKED,
            instance=self._instance,
            transfer=name,
            size=bundle.size,
            sha256=bundle.sha256,
            has_head=bundle.has_head,
            wanted=bundle.wanted,
        )

    def _drop(self, name: str) -> None:
        if (found := self._transfers.pop(name, None)) is not None:
            found.kept.close()


def _seen(task: asyncio.Task[Fetched]) -> None:
    """Who asked may be gone: a failure that nobody hears of is none of the event loop's business."""
    if not task.cancelled():
        task.exception()


def _key(asked: FetchRepo) -> bytes:
    return msgspec.json.encode(asked)


def _read(path: Path, offset: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(PART_BYTES)
