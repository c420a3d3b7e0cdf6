"""The directory an agent works in: a git worktree outside the target repository, and what we take from it.

Three places, so that nothing an agent writes is ever obeyed by our own git calls:

* ``path``: the files. The agent's.
* ``path`` + ``.git``: a small repository for the agent's own git commands, whose worktree ``path`` is. It borrows the
  mirror's objects, has no remote and no credentials, and belongs to this task alone: a hook or setting written there
  reaches no other task, and a damaged one costs nothing. After the agent has started we never run git in it.
* the mirror: checkpoints and results, on refs below ``refs/journeyman/``, made from the files alone.

A sandbox binds the first two for writing and ``mirror.path`` for reading.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import stat
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from shared.ops.crash_points import crash_point
from shared.workspace.bundle import Bundle, has_commit, load_bundle, write_bundle
from shared.workspace.git import GitFailed, ask, commit_id, failed, git, printable, ref_name
from shared.workspace.mirror import Mirror
from shared.workspace.notes import Notes, State
from shared.workspace.tree import Tree, write_tree

MAX_DIFF: Final = 1024 * 1024
"""Bytes of a diff by default."""
_DIFF: Final = ("--no-ext-diff", "--no-textconv", "--no-renames", "--no-color", "--ignore-submodules=none")
_PRIVATE: Final = "refs/journeyman/"


class Author(msgspec.Struct, frozen=True):
    """Who a commit is by."""

    name: str
    email: str


JOURNEYMAN: Final = Author(name="Journeyman", email="journeyman@localhost")


class Commit(msgspec.Struct, frozen=True):
    """A commit in the mirror; ``skipped`` are worktree paths that git does not allow in a tree."""

    id: str
    tree: str
    parent: str
    skipped: tuple[str, ...] = ()


class ChangedFile(msgspec.Struct, frozen=True):
    """One changed path: status A(dded), M(odified), D(eleted) or T(ype), lines (None when binary)."""

    path: str
    status: str
    added: int | None
    removed: int | None


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
        self._result_ref = f"{_PRIVATE}worktrees/{digest}/result"
        self._lock = asyncio.Lock()

    @classmethod
    async def create(cls, mirror: Mirror, path: Path, base_commit: str) -> Worktree:
        """The worktree at ``path`` with ``base_commit`` checked out, detached.

        A finished one of the same base is kept with all its changes; a half-made one is made again.
        """
        worktree = cls(mirror, path, base_commit)
        async with worktree._lock:
            if not worktree._is_finished():
                await worktree._make(base_commit)
        return worktree

    @classmethod
    async def restore(cls, mirror: Mirror, path: Path, bundle: Path, commit: str) -> Worktree:
        """The worktree as it was when ``commit`` was snapshotted, perhaps on another machine.

        The files are the snapshot's, HEAD is its base: the work shows as uncommitted, as it did to the agent.
        Replaces what is at ``path``. The mirror is fetched when it lacks the base.
        """
        if not await has_commit(mirror.path, commit):
            try:
                await load_bundle(mirror.path, bundle, commit)
            except GitFailed:
                await mirror.fetch()
                await load_bundle(mirror.path, bundle, commit)
        base = (await mirror.git("rev-parse", "--verify", f"{commit}^1")).strip()
        worktree = cls(mirror, path, base)
        async with worktree._lock:
            await worktree._make(commit)
        return worktree

    async def snapshot(self, message: str, ref: str, *, at: datetime) -> str | None:
        """Keep all files as a commit on the private ``ref``; None when they equal that ref's last snapshot.

        The parent is always the base, so a bundle of it holds the newest state only. The agent's HEAD and index are
        neither read nor changed. ``ref`` begins with ``refs/journeyman/``.
        """
        await ref_name(ref, _PRIVATE)
        async with self._lock:
            tree = await self._tree()
            last = await ask(f"--git-dir={self.mirror.path}", "rev-parse", "--verify", "--quiet", f"{ref}^{{tree}}")
            if last.code == 0 and last.text.strip() == tree.id:
                return None
            commit = await self._commit_tree(tree.id, self.base, message, JOURNEYMAN, at)
            self._notes.add_ref(ref)
            crash_point("worktree.noted")
            await self.mirror.git("update-ref", "--", ref, commit)
            return commit

    async def commit(self, message: str, author: Author, parent: str | None = None, *, at: datetime) -> Commit | None:
        """All changes as one commit on top of ``parent`` (default: the base); None when nothing changed.

        The same files, parent, message, author and ``at`` (whole seconds count) give the same commit id.
        """
        below = commit_id(parent or self.base)
        async with self._lock:
            tree = await self._tree()
            if tree.id == (await self.mirror.git("rev-parse", "--verify", f"{below}^{{tree}}")).strip():
                return None
            made = await self._commit_tree(tree.id, below, message, author, at)
            await self.mirror.git("update-ref", "--", self._result_ref, made)
            return Commit(id=made, tree=tree.id, parent=below, skipped=tree.skipped)

    async def diff(self, base: str | None = None, *, limit: int = MAX_DIFF) -> str:
        """Unified diff from ``base`` (default: the worktree's) to the files as they are, cut after ``limit`` bytes."""
        async with self._lock:
            tree = await self._tree()
        what = self._diff_tree("-p", "--src-prefix=a/", "--dst-prefix=b/")
        answer = await ask(*what, commit_id(base or self.base), tree.id, max_output=limit, cut=True)
        if answer.code != 0:
            raise failed(("diff-tree",), answer)
        text = printable(answer.text)
        if not answer.cut:
            return text
        return text[: text.rfind("\n") + 1] + f"[the diff was cut after {limit} bytes]\n"

    async def changed_files(self, base: str | None = None) -> list[ChangedFile]:
        """Paths that differ from ``base`` (default: the worktree's), sorted; a renamed file is one D and one A."""
        async with self._lock:
            tree = await self._tree()
        ends = (commit_id(base or self.base), tree.id)
        status = (await git(*self._diff_tree("-z", "--name-status"), *ends)).split("\0")
        counts = (await git(*self._diff_tree("-z", "--numstat"), *ends)).split("\0")
        lines = {path: (added, removed) for added, removed, path in (row.split("\t", 2) for row in counts if row)}
        return [
            ChangedFile(printable(path), letter, *(int(n) if n != "-" else None for n in lines[path]))
            for letter, path in zip(status[0::2], status[1::2], strict=False)
        ]

    async def bundle(self, ref_or_commit: str, base: str | None = None, *, out: Path) -> Bundle:
        """Write a private ref or a commit of this worktree, without ``base`` and its history, to ``out``."""
        below = commit_id(base or self.base)
        if ref_or_commit.startswith(_PRIVATE):
            return await write_bundle(self.mirror.path, await ref_name(ref_or_commit, _PRIVATE), below, out)
        # A bundle holds refs only; this one exists for as long as it takes to write it.
        ref = f"{_PRIVATE}bundles/{commit_id(ref_or_commit)}-{os.urandom(4).hex()}"
        self._notes.add_ref(ref)
        await self.mirror.git("update-ref", "--", ref, ref_or_commit)
        crash_point("bundle.referenced")
        try:
            return await write_bundle(self.mirror.path, ref, below, out)
        finally:
            await self.mirror.git("update-ref", "-d", ref)

    async def remove(self) -> None:
        """Take everything away: files, the agent's repository, our notes and refs. Works on any half-made state."""
        async with self._lock:
            state = self._notes.read()
            refs = [self._base_ref, self._result_ref, *(state.refs if state else ())]
            try:
                if not (self.mirror.path / "HEAD").exists():
                    return
                # Before the notes that know them: half removed, it is removed again.
                async with self.mirror.locked():
                    gone = "".join(f"delete {ref}\n" for ref in refs)
                    await self.mirror.git("update-ref", "--stdin", input=gone.encode())
                crash_point("worktree.unreferenced")
            finally:
                await self._clear()
        await self.mirror.tidy()

    async def _make(self, files: str) -> None:
        """Make everything anew with HEAD at the base and the files of commit ``files``."""
        before = self._notes.read()
        await self._clear()
        if not await has_commit(self.mirror.path, self.base):
            raise GitFailed(f"The mirror does not have the base commit {self.base}.")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        _, refs, _ = await asyncio.gather(
            # Keeps what the agent's repository borrows.
            self.mirror.git("update-ref", "--", self._base_ref, self.base),
            self.mirror.git("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags"),
            git("init", "--quiet", "--bare", "--initial-branch=main", str(self.git_dir)),
        )
        alternates = self.git_dir / "objects" / "info" / "alternates"
        alternates.write_bytes(os.fsencode(self.mirror.path / "objects") + b"\n")
        (self.git_dir / "config").write_text(
            "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tlogallrefupdates = true\n"
            f"[user]\n\tname = {JOURNEYMAN.name}\n\temail = {JOURNEYMAN.email}\n[gc]\n\tauto = 0\n"
        )
        agents = f"--git-dir={self.git_dir}"
        # The names an agent expects (origin/main, tags for version numbers); the objects are already there.
        known = refs.replace(" refs/heads/", " refs/remotes/origin/")
        (self.git_dir / "packed-refs").write_bytes(known.encode("utf-8", "surrogateescape"))
        await git(agents, "worktree", "add", "--quiet", "--force", "--detach", "--", str(self.path), files)
        if files != self.base:
            await git("reset", "--quiet", "--mixed", self.base, cwd=self.path, env={"GIT_DIR": str(self._agents_dir())})
        crash_point("worktree.half-made")
        self._notes.directory.mkdir(parents=True, exist_ok=True)
        shutil.copy2(self._agents_dir() / "index", self._notes.index)  # spares the first look at every file
        self._notes.write(State(base=self.base, refs=before.refs if before else ()))

    def _agents_dir(self) -> Path:
        """The git directory of the linked worktree; only asked before an agent has been here."""
        (made,) = (self.git_dir / "worktrees").iterdir()
        return made

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
            await asyncio.to_thread(_delete, place)

    async def _tree(self) -> Tree:
        self._notes.directory.mkdir(parents=True, exist_ok=True)
        return await write_tree(self.mirror.path, self.path, self._notes.index)

    def _diff_tree(self, *options: str) -> tuple[str, ...]:
        return (f"--git-dir={self.mirror.path}", "diff-tree", "-r", *_DIFF, *options)

    async def _commit_tree(self, tree: str, parent: str, message: str, author: Author, at: datetime) -> str:
        if at.tzinfo is None:
            raise ValueError("A commit needs a time with a zone.")
        when = f"@{int(at.timestamp())} +0000"
        env = {
            "GIT_AUTHOR_NAME": author.name,
            "GIT_AUTHOR_EMAIL": author.email,
            "GIT_AUTHOR_DATE": when,
            "GIT_COMMITTER_NAME": JOURNEYMAN.name,
            "GIT_COMMITTER_EMAIL": JOURNEYMAN.email,
            "GIT_COMMITTER_DATE": when,
        }
        text = message.replace("\0", "").strip().encode("utf-8", "replace") + b"\n"
        return (await self.mirror.git("commit-tree", tree, "-p", parent, env=env, input=text)).strip()


def _delete(place: Path) -> None:
    """Remove a file, link or directory tree, also one with read-only directories (Go's module cache makes them)."""
    if place.is_symlink() or not place.is_dir():
        place.unlink(missing_ok=True)
        return

    with contextlib.suppress(PermissionError):
        shutil.rmtree(place)
        return
    for folder, below, _ in os.walk(place):
        for each in below:
            inner = Path(folder, each)
            if not inner.is_symlink():  # a link's target may lie anywhere
                inner.chmod(stat.S_IRWXU)
    shutil.rmtree(place)
