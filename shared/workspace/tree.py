"""Turning the files of a directory into a git tree, without asking any git configuration an agent could write."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
from pathlib import Path
from typing import Final

import msgspec
import structlog

from shared.workspace.git import GitFailed, ask, failed, git, printable

MAX_NESTED: Final = 1_000
"""Repositories inside the directory that are taken apart into plain files, at most."""
MAX_GITMODULES: Final = 1024 * 1024

log = structlog.get_logger(__name__)


class Tree(msgspec.Struct, frozen=True):
    """A written tree object, and the paths git would not take (``.git`` look-alikes, unreadable files)."""

    id: str
    skipped: tuple[str, ...] = ()


async def write_tree(repository: Path, directory: Path, index: Path) -> Tree:
    """Write all files of ``directory`` that ``.gitignore`` does not exclude as a tree into ``repository``.

    ``index`` is our own cache of what each file looked like, never the agent's index. It is worked on as a copy
    and replaced at the end, so a killed process leaves neither a lock nor half a cache.
    """
    if directory.is_symlink() or not directory.is_dir():
        raise GitFailed(f"The worktree {directory.name} is not a directory any more.")
    scratch = index.with_name(f"{index.name}.{secrets.token_hex(4)}")
    if index.exists():
        shutil.copy2(index, scratch)  # with its time: git tells changed files from unchanged ones by it
    try:
        tree = await _Staging(repository, directory, scratch).write()
        scratch.replace(index)
    finally:
        scratch.unlink(missing_ok=True)
        Path(f"{scratch}.lock").unlink(missing_ok=True)
    return tree


class _Staging:
    def __init__(self, repository: Path, directory: Path, index: Path) -> None:
        self._directory = directory
        self._env = {"GIT_DIR": str(repository), "GIT_WORK_TREE": str(directory), "GIT_INDEX_FILE": str(index)}

    async def write(self) -> Tree:
        submodules = await self._submodules()
        links = await self._resolve_links(submodules)
        links |= await self._open_nested_repositories(submodules)
        # `add` on a link would run `git status` in that repository, under its own configuration, which the agent wrote.
        paths = b"\0".join([b".", *(b":(exclude,top,literal)" + os.fsencode(link) for link in sorted(links))])
        what = ("add", "--all", "--ignore-errors", "--pathspec-from-file=-", "--pathspec-file-nul")
        # What git refuses must not cost the work beside it.
        added = await ask(*what, cwd=self._directory, env=self._env, input=paths)
        skipped: tuple[str, ...] = ()
        if added.code != 0:
            left = await self._list("--others", "--modified")
            skipped = tuple(printable(path) for path in left if not path.endswith("/"))
            if added.code != 1:
                raise failed(what, added, "The worktree could not be read")
            log.warning("workspace.paths_skipped", paths=skipped[:20], count=len(skipped), git=added.err[-500:])
        for link in sorted(links):  # moves the link to the commit checked out there, if any; reads nothing else
            await self._git("update-index", "--add", "--remove", "--", link, check=False)
        return Tree(id=(await self._git("write-tree")).strip(), skipped=skipped)

    async def _resolve_links(self, submodules: set[str]) -> set[str]:
        """Submodule links of the index. One that ``.gitmodules`` no longer names but that has files now is no link."""
        listed = (entry.partition("\t") for entry in await self._list("--stage"))
        links = {path for mode, _, path in listed if mode.startswith("160000 ")}
        dropped = {link for link in links - submodules if _has_files(self._directory / link)}
        for link in sorted(dropped):
            await self._git("update-index", "--force-remove", "--", link)
        return links - dropped

    async def _open_nested_repositories(self, submodules: set[str]) -> set[str]:
        """Make git see a repository inside the worktree as the plain files it consists of.

        Git would record it as a link to a commit that nobody else has, or refuse to go on when it has none.
        One entry below a directory in the index makes git treat it as a directory; `add` then drops the entry.
        Those that ``.gitmodules`` names are submodules: left as they are and returned.
        """
        opened: set[str] = set()
        while True:
            nested = {path.rstrip("/") for path in await self._list("--others") if path.endswith("/")}
            fresh = nested - submodules - opened
            if not fresh:
                return nested & submodules
            opened |= fresh
            if len(opened) > MAX_NESTED:
                raise GitFailed(f"The worktree holds more than {MAX_NESTED} repositories inside it.")
            empty = (await self._git("hash-object", "-w", "--stdin", input=b"")).strip()
            entries = "".join(f"100644 {empty}\t{path}/.journeyman-placeholder\0" for path in sorted(fresh))
            await self._git("update-index", "-z", "--add", "--index-info", input=os.fsencode(entries))

    async def _submodules(self) -> set[str]:
        file = self._directory / ".gitmodules"
        with contextlib.suppress(OSError):
            found = file.lstat()
            if stat.S_ISREG(found.st_mode) and found.st_size <= MAX_GITMODULES:
                # Read as a plain file: `include` does not apply.
                listed = ("config", "--null", "--file", str(file), "--get-regexp", r"^submodule\..*\.path$")
                lines = (await git(*listed, check=False)).split("\0")
                return {line.partition("\n")[2].rstrip("/") for line in lines if line}
        return set()

    async def _list(self, *kinds: str) -> list[str]:
        return [path for path in (await self._git("ls-files", "-z", "--exclude-standard", *kinds)).split("\0") if path]

    async def _git(self, *args: str, input: bytes | None = None, check: bool = True) -> str:
        return await git(*args, cwd=self._directory, env=self._env, input=input, check=check)


def _has_files(directory: Path) -> bool:
    return directory.is_dir() and not directory.is_symlink() and any(directory.iterdir())
