"""Turning the files of a directory into a git tree, without asking any git configuration an agent could write."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec
import structlog

from shared.ops.files import write_atomically
from shared.workspace.attributes import ATTRIBUTES
from shared.workspace.changes import ChangedEntry, changed_entries
from shared.workspace.git import Answer, GitFailed, ask, failed, git, printable
from shared.workspace.held_back import MAX_NAMED, exclude_file, held_back_at, may_be_committed
from shared.workspace.untouched import keep_untouched

MAX_NESTED: Final = 1_000
"""Repositories inside the directory that are taken apart into plain files, at most."""
MAX_GITMODULES: Final = 1024 * 1024
IGNORES: Final = ".gitignore"
MAX_UNCLEAR: Final = 500
"""Directories that git is asked about in one command, at most."""
FATAL: Final = 128
"""Git's exit code when it gave up at once."""
_UNSET: Final = ("unspecified", "unset")
_NOT_CONVERTED: Final = re.compile(r"working-tree-encoding|failed to encode|BOM is ", re.IGNORECASE)
"""What git says of a file that is not in the encoding it should have (convert.c)."""

log = structlog.get_logger(__name__)


class Tree(msgspec.Struct, frozen=True):
    """A written tree object, and the paths that are not in it.

    ``skipped`` are those git would not take (``.git`` look-alikes, unreadable files), ``held_back`` those that our own
    list of caches kept out (``held_back.py``; directories end with ``/``, at most ``MAX_NAMED``). ``plain``: nothing of
    it needs more than a look at the files to be known unchanged.
    """

    id: str
    skipped: tuple[str, ...] = ()
    held_back: tuple[str, ...] = ()
    plain: bool = False


async def write_tree(repository: Path, directory: Path, index: Path, references: Sequence[str]) -> Tree:
    """Write all files of ``directory`` that no ``.gitignore`` and no list of caches excludes into ``repository``.

    ``references`` are the commits that the files came from, the base first: what has their bytes keeps their blobs.
    ``index`` is our own cache of what each file looked like, never the agent's index. It is worked on as a copy
    and replaced at the end, so a killed process leaves neither a lock nor half a cache.
    """
    if directory.is_symlink() or not directory.is_dir():
        raise GitFailed(f"The worktree {directory.name} is not a directory any more.")
    note = index.with_name(f"{index.name}.rules")
    with tempfile.TemporaryDirectory(prefix="staging-", dir=index.parent) as folder:
        scratch = Path(folder, "index")
        if index.exists():
            shutil.copy2(index, scratch)  # with its time: git tells changed files from unchanged ones by it
        staging = _Staging(repository, directory, scratch)
        tree = await staging.write()
        changes = await changed_entries(repository, references[0], tree.id)
        rules = _Rules.of(changes)
        if (begin_anew := rules.begin_anew(_Rules.read(note))) is not None:
            await git("read-tree", *begin_anew, references[0], env=staging.env)
            tree = await staging.write()
            changes = await changed_entries(repository, references[0], tree.id)
        kept = await keep_untouched(repository, directory, scratch, tree.id, references, changes)
        scratch.replace(index)
        write_atomically(note, msgspec.json.encode(rules))
    return msgspec.structs.replace(tree, id=kept)


async def is_unchanged(repository: Path, directory: Path, index: Path, tree: Tree) -> bool:
    """Whether `write_tree`, which made ``tree`` last with this very index, would make the same again."""
    if not tree.plain or directory.is_symlink() or not directory.is_dir():
        return False
    with tempfile.TemporaryDirectory(prefix="look-", dir=index.parent) as folder:
        staging = _Staging(repository, directory, index, excludes=Path(folder, "excludes"))
        return await staging.is_unchanged(tree)


class _Rules(msgspec.Struct, frozen=True):
    """How the attribute and ignore files differ from those of the base: paths (printable) and blob ids."""

    attributes: tuple[str, ...] = ()
    ignores: tuple[str, ...] = ()

    @classmethod
    def of(cls, changes: Iterable[ChangedEntry]) -> _Rules:
        """Those among the changes."""
        named = [(PurePosixPath(change.path).name, f"{change.new_blob} {printable(change.path)}") for change in changes]
        return cls(
            attributes=tuple(told for name, told in named if name == ATTRIBUTES),
            ignores=tuple(told for name, told in named if name == IGNORES),
        )

    @classmethod
    def read(cls, note: Path) -> _Rules:
        """Those that the index was last made under; none when there is no note."""
        try:
            return msgspec.json.decode(note.read_bytes(), type=cls)
        except (OSError, msgspec.MsgspecError):
            return cls()

    def begin_anew(self, before: _Rules) -> tuple[str, ...] | None:
        """Options of `read-tree` for an index that was made under other rules, None when it may go on.

        Git converts a file once and keeps an entry that is ignored later. The same files must give the same tree,
        whatever snapshots were taken on the way.
        """
        if self.attributes != before.attributes:
            return ()  # all files are read again
        return ("--reset",) if self.ignores != before.ignores else None  # those that are as in the base are not


class _Staging:
    """An index that becomes what the directory holds; it lies in a folder of its own. ``env`` is git's for it."""

    def __init__(self, repository: Path, directory: Path, index: Path, excludes: Path | None = None) -> None:
        self._directory = directory
        self._excludes = excludes or index.with_name("excludes")
        self._has_links = False
        self.env = {"GIT_DIR": str(repository), "GIT_WORK_TREE": str(directory), "GIT_INDEX_FILE": str(index)}

    async def write(self) -> Tree:
        """Stage all files and write the tree."""
        tracked: set[str] = set()
        while True:
            self._excludes.write_bytes(os.fsencode(exclude_file(tracked)))
            skipped = await self._stage()
            held_back = await self._held_back(tracked)
            found = await self._tracked_below([path for path in held_back if may_be_committed(path)])
            if found <= tracked:
                break
            tracked |= found
        plain = not (skipped or tracked or self._has_links)
        return Tree((await self._git("write-tree")).strip(), skipped, _named(held_back), plain)

    async def is_unchanged(self, tree: Tree) -> bool:
        """Whether the files are as the index has them, and the same ones are held back."""
        # It also sees a directory that has become a link to another one with the same files.
        if await self._git("diff-files", "-z", "--name-only"):
            return False
        if not await self._untracked("--directory", "--no-empty-directory"):
            return not tree.held_back
        self._excludes.write_bytes(os.fsencode(exclude_file(())))
        return not await self._list("--others") and _named(await self._held_back(set())) == tree.held_back

    async def _held_back(self, tracked: set[str]) -> set[str]:
        """What the list, and not the repository's own rules, kept out."""
        left = await self._untracked("--directory", "--no-empty-directory")
        # Git names a directory as a whole when it holds nothing else.
        unclear = [path for path in left if path.endswith("/") and held_back_at(path, tracked) is None]
        if unclear:
            left += await self._untracked("--", *(f":(top,literal){path}" for path in unclear[:MAX_UNCLEAR]))
        return {held for path in left if (held := held_back_at(path, tracked)) is not None}

    async def _untracked(self, *options: str) -> list[str]:
        return _split(await self._git("ls-files", "-z", "--others", "--exclude-standard", *options))

    async def _tracked_below(self, directories: Iterable[str]) -> set[str]:
        """Those of the directories in which the index has files."""
        where = [f":(top,literal){path}" for path in directories]
        if not where:
            return set()
        listed = _split(await self._git("ls-files", "-z", "--cached", "--", *where[:MAX_UNCLEAR]))
        return {held.rstrip("/") for path in listed if (held := held_back_at(path)) is not None}

    async def _stage(self) -> tuple[str, ...]:
        """Bring the index up to date; what git would not take is returned."""
        submodules = await self._submodules()
        # One look for both: each line begins with a letter for its kind, "?" for what is not in the index.
        listed = await self._list("-t", "--stage", "--others")
        others = [line.removeprefix("? ") for line in listed if line.startswith("? ")]
        staged = (line[2:].partition("\t") for line in listed if not line.startswith("? "))
        recorded = {path for mode, _, path in staged if mode.startswith("160000 ")}
        links = await self._resolve_links(recorded, submodules)
        if links != recorded:
            others = await self._list("--others")
        links |= await self._open_nested_repositories(others, submodules)
        self._has_links = bool(links or recorded)
        added = await self._add(links)
        if added.code == FATAL and _NOT_CONVERTED.search(added.err):
            added = await self._add(links | await self._stage_encoded())
        skipped: tuple[str, ...] = ()
        if added.code != 0:
            left = await self._list("--others", "--modified")
            skipped = tuple(printable(path) for path in left if not path.endswith("/"))
            if added.code != 1:
                raise failed(("add",), added, "The worktree could not be read")
            log.warning("workspace.paths_skipped", paths=skipped[:20], count=len(skipped), git=added.err[-500:])
        for link in sorted(links):  # moves the link to the commit checked out there, if any; reads nothing else
            await self._git("update-index", "--add", "--remove", "--", link, check=False)
        return skipped

    async def _add(self, left_out: set[str]) -> Answer:
        # `add` on a link would run `git status` in that repository, under its own configuration, which the agent wrote.
        paths = b"\0".join([b".", *(b":(exclude,top,literal)" + os.fsencode(path) for path in sorted(left_out))])
        what = ("add", "--all", "--ignore-errors", "--pathspec-from-file=-", "--pathspec-file-nul")
        # What git refuses must not cost the work beside it.
        return await ask(*self._excluding(), *what, cwd=self._directory, env=self.env, input=paths)

    async def _stage_encoded(self) -> set[str]:
        """Stage the files with an encoding one by one, as they are where they are not in it.

        `add` takes nothing at all when there is one such file. A checkout writes what it cannot convert as it is.
        """
        listed = sorted(set(await self._list("--cached", "--others")))
        fields = _split(
            await self._git(
                "check-attr", "-z", "--stdin", "working-tree-encoding", input=os.fsencode("\0".join(listed))
            )
        )
        values = dict(zip(fields[0::3], fields[2::3], strict=True))
        encoded = {path: mode for path, value in values.items() if value not in _UNSET and (mode := self._mode(path))}
        lines = [f"{mode} {await self._blob(path)}\t{path}\0" for path, mode in encoded.items()]
        await self._git("update-index", "-z", "--add", "--index-info", input=os.fsencode("".join(lines)))
        return set(encoded)

    async def _blob(self, path: str) -> str:
        converted = await ask("hash-object", "-w", "--", path, cwd=self._directory, env=self.env)
        if converted.code == 0:
            return converted.text.strip()
        return (await self._git("hash-object", "-w", "--no-filters", "--", path)).strip()

    def _mode(self, path: str) -> str | None:
        """The octal mode of a regular file in a tree, None for anything else."""
        try:
            mode = (self._directory / path).lstat().st_mode
        except OSError:
            return None
        executable = "100755" if mode & stat.S_IXUSR else "100644"
        return executable if stat.S_ISREG(mode) else None

    async def _resolve_links(self, links: set[str], submodules: set[str]) -> set[str]:
        """Those of the index's links that are no dropped ones: not named in ``.gitmodules``, but with files now."""
        dropped = {link for link in links - submodules if _has_files(self._directory / link)}
        for link in sorted(dropped):
            await self._git("update-index", "--force-remove", "--", link)
        return links - dropped

    async def _open_nested_repositories(self, others: Iterable[str], submodules: set[str]) -> set[str]:
        """Make git see a repository inside the worktree as the plain files it consists of.

        Git would record it as a link to a commit that nobody else has, or refuse to go on when it has none.
        One entry below a directory in the index makes git treat it as a directory; `add` then drops the entry.
        Those that ``.gitmodules`` names are submodules: left as they are and returned.
        """
        opened: set[str] = set()
        while True:
            nested = {path.rstrip("/") for path in others if path.endswith("/")}
            fresh = nested - submodules - opened
            if not fresh:
                return nested & submodules
            opened |= fresh
            if len(opened) > MAX_NESTED:
                raise GitFailed(f"The worktree holds more than {MAX_NESTED} repositories inside it.")
            empty = (await self._git("hash-object", "-w", "--stdin", input=b"")).strip()
            entries = "".join(f"100644 {empty}\t{path}/.journeyman-placeholder\0" for path in sorted(fresh))
            await self._git("update-index", "-z", "--add", "--index-info", input=os.fsencode(entries))
            others = await self._list("--others")

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
        return _split(await self._git(*self._excluding(), "ls-files", "-z", "--exclude-standard", *kinds))

    def _excluding(self) -> tuple[str, ...]:
        return ("-c", f"core.excludesFile={self._excludes}")

    async def _git(self, *args: str, input: bytes | None = None, check: bool = True) -> str:
        return await git(*args, cwd=self._directory, env=self.env, input=input, check=check)


def _named(held_back: Iterable[str]) -> tuple[str, ...]:
    return tuple(printable(path) for path in sorted(held_back)[:MAX_NAMED])


def _split(fields: str) -> list[str]:
    return [field for field in fields.split("\0") if field]


def _has_files(directory: Path) -> bool:
    return directory.is_dir() and not directory.is_symlink() and any(directory.iterdir())
