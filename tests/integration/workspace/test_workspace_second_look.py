"""A second look at the files takes a short way, and finds whatever has changed since the first."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.workspace.changes import changed_entries, changed_files, difference, unified_diff
from shared.workspace.worktree import Worktree
from tests.integration.workspace.workspace_support import ADA, CHECKPOINT, NOON, sh_git


def nothing(_: Path) -> None:
    """Leave everything as it is."""


def same_size(files: Path) -> None:
    """Write as many bytes as there were, in the same instant."""
    (files / "app.py").write_text((files / "app.py").read_text().replace("+", "*"))


def mode(files: Path) -> None:
    (files / "app.py").chmod(0o755)


def added(files: Path) -> None:
    (files / "docs" / "more.md").write_text("more\n")


def removed(files: Path) -> None:
    (files / "README.md").unlink()


def cache(files: Path) -> None:
    (files / "__pycache__").mkdir()
    (files / "__pycache__" / "app.pyc").write_bytes(b"x")


def repository_inside(files: Path) -> None:
    (files / "inner").mkdir()
    sh_git(files / "inner", "init", "--quiet")
    (files / "inner" / "a").write_text("a\n")


def link_to_the_same(files: Path) -> None:
    """Move a directory behind an ignored name, and leave a link to it."""
    (files / "ignored").mkdir(exist_ok=True)
    shutil.move(files / "docs", files / "ignored" / "docs")
    (files / "docs").symlink_to("ignored/docs")


CHANGES: tuple[Callable[[Path], None], ...] = (
    nothing,
    same_size,
    mode,
    added,
    removed,
    cache,
    repository_inside,
    link_to_the_same,
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
async def test_a_commit_after_a_checkpoint_is_that_of_a_first_look(
    worktree: Worktree, change: Callable[[Path], None]
) -> None:
    (worktree.path / "app.py").write_text("def add(a, b):\n    return a + b\n")
    assert await worktree.snapshot("turn 1", CHECKPOINT, at=NOON) is not None
    change(worktree.path)
    found = await worktree.commit("done", ADA, at=NOON)
    assert found is not None
    anew = Worktree(worktree.mirror, worktree.path, worktree.base)
    next((worktree.mirror.path / "journeyman").glob("*/index")).unlink()
    assert found == await anew.commit("done", ADA, at=NOON)


async def test_one_difference_is_what_three_questions_say(worktree: Worktree) -> None:
    files = worktree.path
    (files / "app.py").chmod(0o755)
    (files / "README.md").unlink()
    (files / "docs" / "guide.md").write_bytes(b"\0binary\0\0")
    Path(os.fsdecode(os.fsencode(files) + b"/t\xc3\xbcr\n\xff")).write_text("x\n" * 50)
    commit = await worktree.commit("all", ADA, at=NOON)
    assert commit is not None
    sides = (worktree.mirror.path, commit.parent, commit.tree)
    for limit in (1 << 20, 300, 10):
        found = await difference(*sides, limit)
        assert found.entries == await changed_entries(*sides)
        assert found.files == await changed_files(*sides)
        assert found.diff == await unified_diff(*sides, limit)
    assert (await worktree.diff(commit), await worktree.changed_files(commit)) == (
        await unified_diff(*sides),
        await changed_files(*sides),
    )
