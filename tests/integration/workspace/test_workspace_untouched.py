"""What the agent did not change stays as it is in the result, whatever ``.gitattributes`` asks for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.workspace.mirror import Mirror
from shared.workspace.worktree import Worktree
from tests.integration.workspace.workspace_support import ADA, CHECKPOINT, NOON, sh_git

FILES = {
    "crlf.txt": b"one\r\ntwo\r\n",
    "lf.txt": b"one\ntwo\n",
    "mixed.txt": b"one\r\ntwo\n",
    "run.bat": b"x\ny\n",
    "id.c": b"/* $Id: somebody else $ */\n",
    "clean-id.c": b"/* $Id$ */\n",
    "wide.u16": "\ufeffwide\n".encode("utf-16-le"),
    "not-wide.u16": b"abc",
}
EVERYTHING = "*.txt text eol=lf\n*.bat text eol=crlf\n*.c ident\n*.u16 text working-tree-encoding=UTF-16\n"


async def checked_out(tmp_path: Path, attributes: str | None) -> Worktree:
    """A worktree of a repository with ``FILES``, whose ``.gitattributes`` came after them; files are as of now."""
    target = tmp_path / "target"
    target.mkdir()
    sh_git(target, "init", "--quiet", "--initial-branch=main")
    for name, content in FILES.items():
        (target / name).write_bytes(content)
    sh_git(target, "add", "--all")
    sh_git(target, "commit", "--quiet", "--message=files")
    if attributes is not None:
        (target / ".gitattributes").write_text(attributes)
        sh_git(target, "add", ".gitattributes")
        sh_git(target, "commit", "--quiet", "--message=attributes")
    mirror = Mirror(tmp_path / "mirrors", str(target))
    await mirror.fetch()
    worktree = await Worktree.create(mirror, tmp_path / "w", await mirror.resolve(None))
    make_git_look(worktree.path)
    return worktree


def make_git_look(directory: Path) -> None:
    """Give every file another time, so that git reads it again."""
    for path in directory.iterdir():
        if path.is_file():
            os.utime(path, (1, 1))


async def paths(worktree: Worktree) -> set[str]:
    return {file.path for file in await worktree.changed_files()}


@pytest.mark.parametrize("attributes", [EVERYTHING, "* text=auto\n", "* text=auto eol=crlf\n", "* -text\n", None])
async def test_a_task_that_changes_nothing_gives_no_commit(tmp_path: Path, attributes: str | None) -> None:
    worktree = await checked_out(tmp_path, attributes)
    assert await worktree.commit("nothing", ADA, at=NOON) is None
    make_git_look(worktree.path)
    assert await worktree.changed_files() == []
    assert await worktree.diff() == ""


def add_attributes(directory: Path) -> None:
    (directory / ".gitattributes").write_text(EVERYTHING)


def other_attributes(directory: Path) -> None:
    (directory / ".gitattributes").write_text("* text=auto eol=crlf\n*.c -ident\n*.u16 working-tree-encoding=UTF-32\n")


def no_attributes(directory: Path) -> None:
    (directory / ".gitattributes").unlink()


@pytest.mark.parametrize(
    ("before", "change"), [(None, add_attributes), (EVERYTHING, other_attributes), (EVERYTHING, no_attributes)]
)
async def test_attributes_that_the_agent_writes_change_no_other_file(
    tmp_path: Path, before: str | None, change: Callable[[Path], None]
) -> None:
    worktree = await checked_out(tmp_path, before)
    assert await worktree.snapshot("before", CHECKPOINT, at=NOON)
    change(worktree.path)
    assert await paths(worktree) == {".gitattributes"}
    snapshot = await worktree.snapshot("after", CHECKPOINT, at=NOON)
    commit = await worktree.commit("attributes", ADA, at=NOON)
    assert commit is not None
    assert await worktree.mirror.git("rev-parse", f"{snapshot}^{{tree}}") == f"{commit.tree}\n"


async def test_a_changed_file_is_changed_and_its_neighbours_are_not(tmp_path: Path) -> None:
    worktree = await checked_out(tmp_path, EVERYTHING)
    (worktree.path / "lf.txt").write_bytes(b"one\ntwo\nthree\n")
    (worktree.path / "new.txt").write_bytes(b"new\r\n")
    assert await paths(worktree) == {"lf.txt", "new.txt"}


async def test_an_untouched_file_may_become_executable(tmp_path: Path) -> None:
    worktree = await checked_out(tmp_path, EVERYTHING)
    (worktree.path / "crlf.txt").chmod(0o755)
    commit = await worktree.commit("run it", ADA, at=NOON)
    assert commit is not None
    before, after = [
        (await worktree.mirror.git("ls-tree", each, "--", "crlf.txt")).split() for each in (worktree.base, commit.id)
    ]
    assert (before[0], after[0], before[2]) == ("100644", "100755", after[2])


async def test_a_file_that_is_not_in_its_encoding_is_taken_as_it_is_with_the_work_beside_it(tmp_path: Path) -> None:
    worktree = await checked_out(tmp_path, EVERYTHING)
    (worktree.path / 'new "\n\\.u16').write_bytes(b"\xff\xfe\xff")
    (worktree.path / "good.md").write_text("good\n")
    commit = await worktree.commit("good", ADA, at=NOON)
    assert commit is not None
    assert await paths(worktree) == {'new "\n\\.u16', "good.md"}
    assert await worktree.mirror.git("cat-file", "blob", f'{commit.id}:new "\n\\.u16') == os.fsdecode(b"\xff\xfe\xff")


async def test_another_machine_goes_on_without_changing_what_nobody_touched(tmp_path: Path) -> None:
    worktree = await checked_out(tmp_path, None)
    add_attributes(worktree.path)
    (worktree.path / "new.txt").write_bytes(b"new\r\n")
    snapshot = await worktree.snapshot("turn 1", CHECKPOINT, at=NOON)
    assert snapshot is not None
    await worktree.bundle(CHECKPOINT, out=tmp_path / "b")
    here = await worktree.commit("done", ADA, at=NOON)
    other = Mirror(tmp_path / "other", worktree.mirror.source)
    restored = await Worktree.restore(other, tmp_path / "there", tmp_path / "b", snapshot)
    make_git_look(restored.path)
    assert await restored.commit("done", ADA, at=NOON) == here


async def test_the_same_files_give_the_same_tree_whatever_was_kept_on_the_way(tmp_path: Path) -> None:
    worktree = await checked_out(tmp_path, None)
    (worktree.path / "lf.txt").write_bytes(b"one\r\nchanged\r\n")
    (worktree.path / "noise.log").write_text("noise\n")
    (worktree.path / ".gitattributes").write_text("*.txt text\n")
    await worktree.snapshot("with attributes", CHECKPOINT, at=NOON)
    (worktree.path / ".gitattributes").unlink()
    (worktree.path / ".gitignore").write_text("*.log\n")
    commit = await worktree.commit("done", ADA, at=NOON)
    assert commit is not None
    assert await paths(worktree) == {"lf.txt", ".gitignore"}
    assert await worktree.mirror.git("cat-file", "blob", f"{commit.id}:lf.txt") == "one\r\nchanged\r\n"
