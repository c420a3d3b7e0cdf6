"""The directory an agent works in: a git worktree outside the target repository, and what we take from it.

Three places, so that nothing an agent writes is ever obeyed by our own git calls:

* ``path``: the files. The agent's.
* ``path`` + ``.git``: a small repository for the agent's own git commands, whose worktree ``path`` is. It borrows the
  mirror's objects, has no remote and no credentials, and belongs to this task alone: a hook or setting written there
  reaches no other task, and a damaged one costs nothing. After the agent has started we never run git in it.
* the mirror: checkpoints and results, on refs below ``refs/journeyman/``, made from the files alone.

A sandbox has the first two for writing and the mirror's objects for reading.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from shared.ops.crash_points import crash_point
from shared.ops.uninterrupted import uninterrupted
from shared.workspace.bundle import Bundle, has_commit, write_bundle
from shared.workspace.changes import MAX_DIFF, ChangedFile, Difference, changed_files, difference, unified_diff
from shared.workspace.commits import JOURNEYMAN, Author, bring, commit_tree
from shared.workspace.deletion import delete
from shared.workspace.git import GitFailed, ask, commit_id, git, make_bare, ref_name
from shared.workspace.git_folders import GitFolders
from shared.workspace.lfs import plain_lfs_files
from shared.workspace.mirror import Mirror
from shared.workspace.notes import Notes, State
from shared.workspace.submodules import MAX_EDITED, MAX_SUBMODULES, NONE, Mirrors, edited_in_submodules, fill_submodules
from shared.workspace.tracked import TrackedFiles
from shared.workspace.tree import Tree, is_unchanged, write_tree

__all__ = ["Author", "ChangedFile", "Commit", "Worktree"]

_PRIVATE: Final = "refs/journeyman/"
_INSIDE: Final = "Journeyman-Changed-In-Submodule: "
"""The last line of a snapshot's message: the files that no commit can hold, in JSON. Who restores it knows what is
lost. Results end with trailers of their own, so that no agent can write it there."""


class Commit(msgspec.Struct, frozen=True):
    """A commit in the mirror, and what a person should know of the files that it was made from (printable paths).

    ``skipped`` git does not allow in a tree; ``held_back`` are caches that only our own list keeps out
    (``held_back.py``); ``lfs_plain`` belong to Git LFS, but are no pointers in this commit.
    """

    id: str
    tree: str
    parent: str
    skipped: tuple[str, ...] = ()
    held_back: tuple[str, ...] = ()
    lfs_plain: tuple[str, ...] = ()


class Snapshot(msgspec.Struct, frozen=True):
    """What a private ref is at; ``inside`` are files in submodules that its message names."""

    tree: str
    commit: str
    inside: tuple[str, ...] = ()


class Worktree:
    """A worktree at ``path`` that began as ``base``. Make one with ``create`` or ``restore``.

    One owner at a time; calls of one object wait for each other. All methods raise ``GitFailed``.
    """

    def __init__(self, mirror: Mirror, path: Path, base: str) -> None:
        self.mirror = mirror
        self.path = path.absolute()
        self.base = commit_id(base)
        self.git_dir = self.path.with_name(self.path.name + ".git")
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        self._notes = Notes(mirror.path / "journeyman" / digest)
        self._base_ref = f"{_PRIVATE}worktrees/{digest}/base"
        self._files_ref = f"{_PRIVATE}worktrees/{digest}/files"
        self._result_ref = f"{_PRIVATE}worktrees/{digest}/result"
        self._result = ""
        self._snapshots: dict[str, Snapshot] = {}
        self._written: Tree | None = None
        self._differences: dict[tuple[str, str], Difference] = {}
        self._lock = asyncio.Lock()

    @classmethod
    async def create(cls, mirror: Mirror, path: Path, base_commit: str, submodules: Mirrors = NONE) -> Worktree:
        """The worktree at ``path`` with ``base_commit`` checked out, detached.

        A finished one of the same base is kept with all its changes; a half-made one is made again. ``submodules`` are
        the mirrors from which submodules are filled; what stays empty is in ``submodules_missing``.
        """
        worktree = cls(mirror, path, base_commit)
        async with worktree._lock:
            if not worktree._is_finished():
                await worktree._make(base_commit, submodules, trusted=base_commit)
        return worktree

    @classmethod
    async def restore(
        cls, mirror: Mirror, path: Path, bundle: Path, commit: str, submodules: Mirrors = NONE
    ) -> Worktree:
        """The worktree as it was when ``commit`` was snapshotted, perhaps on another machine.

        The files are the snapshot's, HEAD is its base: the work shows as uncommitted, as it did to the agent.
        Replaces what is at ``path``. The mirror is fetched when it lacks the base. What was changed inside of
        submodules is not there again, and in ``submodules_lost``.
        """
        await bring(mirror, commit, bundle)
        base = (await mirror.git("rev-parse", "--verify", f"{commit}^1")).strip()
        worktree = cls(mirror, path, base)
        lost = _inside_of(await mirror.git("cat-file", "commit", commit))
        async with worktree._lock:
            await worktree._make(commit, submodules, trusted=base, lost=lost)
        return worktree

    @classmethod
    async def checkout(
        cls,
        mirror: Mirror,
        path: Path,
        commit: str,
        *,
        submodules: Mirrors = NONE,
        trusted: str | None = None,
        is_kept: bool = False,
    ) -> Worktree:
        """A clean checkout of ``commit`` at ``path``, for checks: HEAD is the commit, and whatever was there is gone.

        A commit that the mirror lacks is asked of the source. Any number of checkouts may
        exist at once at different paths; nothing done in one reaches another, the mirror, or the agent's worktree. Only
        other repositories that ``trusted`` (default: the commit itself) names are read for submodules. ``is_kept`` says
        that the mirror keeps the commit anyway for as long as the checkout is there.
        """
        worktree = cls(mirror, path, commit)
        async with worktree._lock:
            await worktree._make(commit, submodules, trusted=trusted or commit, is_kept=is_kept)
        return worktree

    @property
    def git_folders(self) -> GitFolders:
        """What the agent's own git commands need beside the files."""
        return GitFolders(self.git_dir, self.mirror.path / "objects")

    @property
    def submodules_missing(self) -> tuple[str, ...]:
        """Paths of submodules that are empty, because no configured repository has the linked commit."""
        state = self._notes.read()
        return state.submodules_missing if state else ()

    async def submodule_edits(self) -> tuple[str, ...]:
        """What was changed inside of filled submodules (printable paths): no commit made here holds it."""
        state = self._notes.read()
        return await edited_in_submodules(self.path, state.submodules_filled) if state else ()

    @property
    def submodules_lost(self) -> tuple[str, ...]:
        """What was changed inside of submodules where this worktree was snapshotted (printable paths), and is lost."""
        state = self._notes.read()
        return state.submodules_lost if state else ()

    @property
    def tracked(self) -> TrackedFiles:
        """The tracked files of a `checkout`."""
        return TrackedFiles(self.mirror.path, self.path, self._notes.index)

    async def hold(self) -> None:
        """Have the mirror keep the base although no files are made here."""
        await self._hold(self.base)

    async def snapshot(self, message: str, ref: str, *, at: datetime) -> str | None:
        """Keep all files as a commit on the private ``ref``; None when they equal that ref's last snapshot.

        What is changed inside of submodules the commit can only name.

        The parent is always the base, so a bundle of it holds the newest state only. The agent's HEAD and index are
        neither read nor changed. ``ref`` begins with ``refs/journeyman/``.
        """
        await ref_name(ref, _PRIVATE)
        async with self._lock:
            tree = await self._tree()
            inside = tuple(sorted({*await self.submodule_edits(), *self.submodules_lost}))[:MAX_EDITED]
            if (last := await self._snapshot_at(ref)) is not None and (last.tree, last.inside) == (tree.id, inside):
                return None
            if inside:
                message = f"{message}\n\n{_INSIDE}{json.dumps(inside)}"
            commit = await commit_tree(self.mirror, tree.id, self.base, message, JOURNEYMAN, at)
            self._notes.add_ref(ref)
            crash_point("worktree.noted")
            await self.mirror.git("update-ref", "--", ref, commit)
            self._snapshots[ref] = Snapshot(tree.id, commit, inside)
            return commit

    async def _snapshot_at(self, ref: str) -> Snapshot | None:
        """What was kept on the ref last; git is asked only about what this object has not seen."""
        state = self._notes.read()
        if ref not in self._snapshots and state is not None and ref in state.refs:
            asked = ("rev-parse", f"{ref}^{{tree}}", f"{ref}^{{commit}}")
            found = await ask(f"--git-dir={self.mirror.path}", *asked)
            if found.code == 0:
                tree, commit = found.text.split()
                told = await self.mirror.git("cat-file", "commit", commit) if state.submodules_filled else ""
                self._snapshots[ref] = Snapshot(tree, commit, _inside_of(told))
        return self._snapshots.get(ref)

    async def commit(self, message: str, author: Author, parent: str | None = None, *, at: datetime) -> Commit | None:
        """All changes as one commit on top of ``parent`` (default: the base); None when nothing changed.

        The same files, parent, message, author and ``at`` (whole seconds count) give the same commit id.
        """
        below = commit_id(parent or self.base)
        async with self._lock:
            tree = await self._tree()
            changes = await difference(self.mirror.path, below, tree.id)
            if not changes.entries:
                return None
            self._differences = {(below, tree.id): changes}  # asked for next
            scratch = self._notes.directory
            return Commit(
                id=await self._make_commit(tree.id, below, message, author, at),
                tree=tree.id,
                parent=below,
                skipped=tree.skipped,
                held_back=tree.held_back,
                lfs_plain=await plain_lfs_files(self.mirror.path, self.path, tree.id, changes.entries, scratch),
            )

    async def commit_tree(self, tree: str, parent: str, message: str, author: Author, *, at: datetime) -> Commit:
        """A commit of a tree and parent that the mirror has, whatever the files are now; `bundle` may write it.

        So what was checked can be published under other words: evidence binds to the tree.
        """
        async with self._lock:
            made = await self._make_commit(commit_id(tree), commit_id(parent), message, author, at)
        return Commit(id=made, tree=tree, parent=parent)

    async def diff(self, of: Commit | None = None, *, limit: int = MAX_DIFF) -> str:
        """Unified diff of a commit (default: from the base to the files as they are), cut after ``limit`` bytes."""
        sides = await self._sides(of)
        if limit == MAX_DIFF and (known := self._differences.get(sides)) is not None:
            return known.diff
        return await unified_diff(self.mirror.path, *sides, limit)

    async def changed_files(self, of: Commit | None = None) -> list[ChangedFile]:
        """Paths that a commit changes (default: that differ from the base), sorted; a rename is one D and one A."""
        sides = await self._sides(of)
        known = self._differences.get(sides)
        return await changed_files(self.mirror.path, *sides) if known is None else known.files

    async def _sides(self, of: Commit | None) -> tuple[str, str]:
        if of is not None:
            return of.parent, of.tree
        async with self._lock:
            return self.base, (await self._tree()).id

    async def bundle(self, ref_or_commit: str, base: str | None = None, *, out: Path) -> Bundle:
        """Write a private ref, or the last commit made here, without ``base`` and its history, to ``out``.

        Raises ``ValueError`` for another commit: a bundle holds refs only, and no ref points at that one.
        """
        below = commit_id(base or self.base)
        if ref_or_commit == self._result:
            # No ref is needed for it: git removes nothing that is younger than two weeks.
            return await write_bundle(self.mirror.path, self._result_ref, below, out, self._result)
        ref = await ref_name(ref_or_commit, _PRIVATE)
        known = self._snapshots.get(ref)
        return await write_bundle(self.mirror.path, ref, below, out, known.commit if known else "")

    async def remove(self, *, tidy: bool = True) -> None:
        """Take everything away: files, the agent's repository, our notes and refs. Works on any half-made state.

        ``tidy`` is left out where another worktree of the mirror is removed soon.
        """
        async with self._lock:
            state = self._notes.read()
            refs = [self._base_ref, self._files_ref, self._result_ref, *(state.refs if state else ())]
            try:
                if not (self.mirror.path / "HEAD").exists() or (state and state.borrowed and not state.refs):
                    return
                # Before the notes that know them: half removed, it is removed again.
                async with self.mirror.locked():
                    self._unlock(refs)
                    gone = "".join(f"delete {ref}\n" for ref in refs)
                    await self.mirror.git("update-ref", "--stdin", input=gone.encode())
                crash_point("worktree.unreferenced")
            finally:
                await self._clear()
        if tidy:
            await self.mirror.tidy()

    def _unlock(self, refs: Iterable[str]) -> None:
        """Remove the locks that a killed git has left: only the owner of a worktree writes its refs."""
        for ref in refs:
            (self.mirror.path / f"{ref}.lock").unlink(missing_ok=True)

    async def _make(
        self, files: str, submodules: Mirrors, trusted: str, *, is_kept: bool = False, lost: tuple[str, ...] = ()
    ) -> None:
        """Make everything anew with HEAD at the base and the files of commit ``files``; fetch what is missing."""
        before = self._notes.read()
        try:
            await self._write(files, is_kept=is_kept)
        except GitFailed as error:
            # Not asked before: it is there almost always.
            if await self._has(self.base, files):
                raise
            await self.mirror.fetch()
            if not await self._has(self.base, files):
                raise GitFailed(f"The mirror does not have the base commit {self.base}.", error.detail) from error
            await self._write(files, is_kept=is_kept)
        inside = await fill_submodules(self.mirror, files, self.path, submodules, trusted, self._notes.directory)
        crash_point("worktree.half-made")
        shutil.copy2(self._own / "index", self._notes.index)  # spares the first look at every file
        self._notes.write(
            State(
                base=self.base,
                refs=before.refs if before else (),
                files=files,
                submodules_missing=inside.missing[:MAX_SUBMODULES],
                submodules_filled=inside.filled,
                borrowed=is_kept,
                submodules_lost=lost,
            )
        )

    async def _write(self, files: str, *, is_kept: bool) -> None:
        await self._clear()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not is_kept:
            await self._hold(files)
        refs = await self.mirror.names()
        self._notes.directory.mkdir(parents=True, exist_ok=True)
        make_bare(self.git_dir)
        alternates = self.git_dir / "objects" / "info" / "alternates"
        alternates.write_bytes(os.fsencode(self.mirror.path / "objects") + b"\n")
        (self.git_dir / "config").write_text(
            "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tlogallrefupdates = true\n"
            f"[user]\n\tname = {JOURNEYMAN.name}\n\temail = {JOURNEYMAN.email}\n[gc]\n\tauto = 0\n"
        )
        # The names an agent expects (origin/main, tags for version numbers); the objects are already there.
        known = refs.replace(" refs/heads/", " refs/remotes/origin/")
        (self.git_dir / "packed-refs").write_bytes(known.encode("utf-8", "surrogateescape"))
        own = self._own
        self._link(own)
        await git("read-tree", "-u", "--reset", files, cwd=self.path, env={"GIT_DIR": str(own)})
        if files != self.base:
            await git("reset", "--quiet", "--mixed", self.base, cwd=self.path, env={"GIT_DIR": str(own)})

    async def _hold(self, files: str) -> None:
        """Have the mirror keep what the agent's repository borrows."""
        self._unlock((self._base_ref, self._files_ref))
        kept = f"update {self._base_ref} {self.base}\nupdate {self._files_ref} {files}\n"
        await self.mirror.git("update-ref", "--stdin", input=kept.encode())

    async def _has(self, *commits: str) -> bool:
        return all([await has_commit(self.mirror.path, commit) for commit in dict.fromkeys(commits)])

    @property
    def _own(self) -> Path:
        """The linked worktree's own git directory."""
        return self.git_dir / "worktrees" / "files"

    def _link(self, own: Path) -> None:
        """Make ``path`` an empty linked worktree, HEAD detached at the base.

        `git worktree add` takes four processes for that. Source: gitrepository-layout(5), "worktrees".
        """
        own.mkdir(parents=True)
        self.path.mkdir()
        (own / "HEAD").write_text(f"{self.base}\n")
        (own / "commondir").write_text("../..\n")
        (own / "gitdir").write_bytes(os.fsencode(self.path / ".git") + b"\n")
        (self.path / ".git").write_bytes(b"gitdir: " + os.fsencode(own) + b"\n")

    def _is_finished(self) -> bool:
        """Whether the worktree was made to its end; looks at our notes, never into what an agent may have written."""
        state = self._notes.read()
        if state is None or not self.path.is_dir() or self.path.is_symlink() or not self.git_dir.is_dir():
            return False
        if state.base != self.base:
            raise GitFailed(f"{self.path.name} already is a worktree of another base commit, {state.base}.")
        return True

    async def _clear(self) -> None:
        """Notes first: what a crash leaves half cleared is then seen as half made."""
        for place in (self._notes.directory, self.git_dir, self.path):
            await uninterrupted(asyncio.to_thread(delete, place))  # two at once would trip over each other

    async def _tree(self) -> Tree:
        self._notes.directory.mkdir(parents=True, exist_ok=True)
        state = self._notes.read()
        files = (state.files if state else "") or self.base
        references = dict.fromkeys((self.base, files))  # each once, the base first
        known, self._written = self._written, None
        place = (self.mirror.path, self.path, self._notes.index)
        if known is None or not await is_unchanged(*place, known):
            known = await write_tree(*place, tuple(references))
        self._written = known
        return known

    async def _make_commit(self, tree: str, parent: str, message: str, author: Author, at: datetime) -> str:
        self._result = await commit_tree(self.mirror, tree, parent, message, author, at)
        return self._result


def _inside_of(commit: str) -> tuple[str, ...]:
    """The files in submodules that a snapshot's text names."""
    last = commit.rstrip("\n").rpartition("\n")[2]
    return tuple(json.loads(last.removeprefix(_INSIDE))) if last.startswith(_INSIDE) else ()
