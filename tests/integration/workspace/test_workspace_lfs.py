"""What ``.gitattributes`` gives to Git LFS is a pointer in a commit, or it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.workspace.mirror import Mirror
from shared.workspace.worktree import Worktree
from tests.integration.workspace.workspace_support import ADA, NOON, sh_git

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12345\n"
LFS = "*.bin filter=lfs diff=lfs merge=lfs -text\n"


@pytest.fixture
async def with_lfs(tmp_path: Path, target: Path) -> Worktree:
    (target / ".gitattributes").write_text(f"{LFS}[attr]large filter=lfs -text\n*.iso large\nsmall.bin !filter\n")
    (target / "old.bin").write_text(POINTER)
    sh_git(target, "add", "--all")
    sh_git(target, "commit", "--quiet", "--message=lfs")
    mirror = Mirror(tmp_path / "mirrors", str(target))
    await mirror.fetch()
    return await Worktree.create(mirror, tmp_path / "w", await mirror.resolve(None))


async def plain(worktree: Worktree) -> tuple[str, ...]:
    commit = await worktree.commit("done", ADA, at=NOON)
    assert commit is not None
    return commit.lfs_plain


async def test_new_files_that_belong_to_lfs_are_named(with_lfs: Worktree) -> None:
    for name in ("new.bin", "dir of\n things.bin", "disk.iso", "small.bin", "plain.txt"):
        (with_lfs.path / name).write_bytes(b"\0" * 2000)
    (with_lfs.path / "pointer.bin").write_text(POINTER)
    (with_lfs.path / "empty.bin").touch()
    assert await plain(with_lfs) == ("dir of\n things.bin", "disk.iso", "new.bin")


async def test_a_pointer_that_became_content_is_named_and_an_untouched_one_is_not(with_lfs: Worktree) -> None:
    (with_lfs.path / "app.py").write_text("x\n")
    assert await plain(with_lfs) == ()
    assert await with_lfs.mirror.git("cat-file", "blob", f"{with_lfs.base}:old.bin") == POINTER
    (with_lfs.path / "old.bin").write_text("content\n")
    assert await plain(with_lfs) == ("old.bin",)


async def test_the_attributes_of_the_result_count_and_not_those_of_ignored_files(worktree: Worktree) -> None:
    (worktree.path / "new.bin").write_text("content\n")
    (worktree.path / ".gitattributes").write_text(LFS)
    assert await plain(worktree) == ("new.bin",)
    (worktree.path / ".gitignore").write_text(".gitattributes\n")
    assert await plain(worktree) == ()
