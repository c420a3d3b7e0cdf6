"""The tracked files of a clean checkout, given back before each further command: what a formatter has mended, or a
check has written, stashed or removed, is no part of the commit that the next command judges."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import structlog

from shared.ops.own_home import remove_tree
from shared.workspace.git import ask, git

log = structlog.get_logger(__name__)


class _Look(msgspec.Struct, frozen=True):
    """Tracked files that differ or are gone (mode, id and stage, a tab, the path), and what is not tracked."""

    modified: list[tuple[str, str, str]]
    untracked: frozenset[str]


class TrackedFiles:
    """Those of ``directory``; ``index`` is our own note of them, with their blobs in ``repository``.

    What is not tracked stays for the next command: builds and installed packages are made once for all. A command that
    runs once more finds what there was before its first time.
    """

    def __init__(self, repository: Path, directory: Path, index: Path) -> None:
        self._directory = directory
        self._env = {"GIT_DIR": str(repository), "GIT_WORK_TREE": str(directory), "GIT_INDEX_FILE": str(index)}

    async def remember(self) -> frozenset[str]:
        """Take the files as they are now, as a set-up has left them; what is `untracked`. Raises ``GitFailed``."""
        if is_lost(self._directory):
            return frozenset()
        look = await self._look("--stage")
        modified = {path for entry, _, path in look.modified if not entry.startswith("160000 ")}
        if modified:
            listed = b"".join(os.fsencode(path) + b"\0" for path in sorted(modified))
            await self._git("update-index", "-z", "--remove", "--stdin", input=listed)
        return look.untracked

    async def restored(self) -> frozenset[str]:
        """Have the files as they were remembered, and tell what is `untracked` then. Raises ``GitFailed``."""
        if is_lost(self._directory):
            return frozenset()
        if os.geteuid() == 0:
            await self._make_readable()
        look = await self._look()
        # Through a directory that has become a link, git sees the files as they were.
        if not (look.modified or any((self._directory / path).is_symlink() for path in look.untracked)):
            return look.untracked
        await self.restore()
        return await self.untracked()

    async def _make_readable(self) -> None:
        """Have every tracked file readable for its owner: root's git reads it anyway and finds it as it was, and a
        confined command, which has no rights, cannot.
        """
        listed = _split(await self._git("ls-files", "-z"))
        await asyncio.to_thread(_make_readable, self._directory, listed)

    async def _look(self, *options: str) -> _Look:
        listed = _split(await self._git("ls-files", "-z", "-t", "--modified", "--others", "--directory", *options))
        return _Look(
            modified=[line[2:].partition("\t") for line in listed if line.startswith("C ")],
            untracked=frozenset(line[2:] for line in listed if line.startswith("? ")),
        )

    async def restore(self) -> None:
        """Write what has changed since, and only that. What cannot be written is left, and the log tells it."""
        if is_lost(self._directory):
            return
        what = ("checkout-index", "--all", "--force", "--index", "--quiet")
        answer = await ask(*what, cwd=self._directory, env=self._env)
        if answer.code != 0:
            log.warning("tracked files of a checkout could not be restored", git=answer.err[-500:])

    async def untracked(self) -> frozenset[str]:
        """What else lies there, ignored or not; a directory with no tracked file is one path. Raises ``GitFailed``."""
        if is_lost(self._directory):
            return frozenset()
        return frozenset(_split(await self._git("ls-files", "-z", "--others", "--directory")))

    async def keep_only(self, known: frozenset[str]) -> None:
        """Remove what is not tracked and was not known: what a command has left. Raises ``GitFailed``."""
        for path in await self.untracked() - known:
            place = self._directory / path.rstrip("/")
            if place.is_dir() and not place.is_symlink():
                await asyncio.to_thread(remove_tree, place)
            else:
                place.unlink(missing_ok=True)

    async def put(self, commit: str, paths: Sequence[str]) -> None:
        """Have the files at these paths as ``commit`` has them, and none where it has none. Raises ``GitFailed``."""
        if is_lost(self._directory):
            return
        index = f"{self._env['GIT_INDEX_FILE']}-of-another"
        env = self._env | {"GIT_INDEX_FILE": index, "GIT_LITERAL_PATHSPECS": "1"}
        try:
            await git("read-tree", commit, cwd=self._directory, env=env)
            there = set(_split(await git("ls-files", "-z", "--", *paths, cwd=self._directory, env=env)))
            listed = b"".join(os.fsencode(path) + b"\0" for path in sorted(there))
            # Git writes through no link.
            await git("checkout-index", "--force", "-z", "--stdin", cwd=self._directory, env=env, input=listed)
        finally:
            Path(index).unlink(missing_ok=True)
        await asyncio.to_thread(_remove, self._directory, set(paths) - there)

    async def _git(self, *args: str, input: bytes | None = None) -> str:
        return await git(*args, cwd=self._directory, env=self._env, input=input)


def _make_readable(directory: Path, paths: list[str]) -> None:
    for file in (directory / path for path in paths):
        with contextlib.suppress(OSError):
            mode = file.lstat().st_mode
            # A command may have put a link to another place in between.
            if stat.S_ISREG(mode) and not mode & stat.S_IRUSR and file.resolve().is_relative_to(directory.resolve()):
                file.chmod(stat.S_IMODE(mode) | stat.S_IRUSR | stat.S_IWUSR)


def _remove(directory: Path, paths: Iterable[str]) -> None:
    for path in paths:
        place = directory / path
        if place.parent.resolve() == directory.resolve() / Path(path).parent and not (
            place.is_dir() and not place.is_symlink()
        ):
            place.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # a folder goes with its last file: some tools look whether it is there
                for folder in place.parents[: len(Path(path).parents) - 1]:
                    folder.rmdir()


def is_lost(directory: Path) -> bool:
    """Whether a command has removed its checkout, or replaced it by a link: what is written there then is elsewhere."""
    return directory.is_symlink() or not directory.is_dir()


def _split(fields: str) -> list[str]:
    return [field for field in fields.split("\0") if field]
