"""Submodules are there in every checkout when the operator configured their repositories, and named when not."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import pytest

from services.executor.prompts import with_lost_edits
from services.executor.result import notes_on_submodules
from shared.contracts.evidence import NoteKind
from shared.ops.config import load_config
from shared.workspace.mirror import Mirror
from shared.workspace.submodules import Mirrors, address_key
from shared.workspace.target import configured_mirrors
from shared.workspace.worktree import Worktree
from tests.integration.workspace.workspace_support import ADA, NOON, sh_git


def repository(path: Path, file: str) -> Path:
    path.mkdir()
    sh_git(path, "init", "--quiet", "--initial-branch=main")
    (path / file).write_text(f"{file}\n")
    (path / ".gitattributes").write_text("*.txt text eol=crlf\n")
    sh_git(path, "add", "--all")
    sh_git(path, "commit", "--quiet", "--message=first")
    return path


def add_submodule(to: Path, address: str, path: str) -> None:
    sh_git(to, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", address, path)
    sh_git(to, "commit", "--quiet", f"--message={path}")


REF: Final = "refs/journeyman/run/1/checkpoint"


@pytest.fixture
def lib(tmp_path: Path) -> Path:
    """A library that has a submodule of its own."""
    made = repository(tmp_path / "lib", "lib.txt")
    add_submodule(made, str(repository(tmp_path / "inner", "inner.txt")), "deep/inner")
    return made


@pytest.fixture
def mirrors(tmp_path: Path, target: Path, lib: Path) -> Mirrors:
    """Those of the repositories in a journeyman.toml."""
    file = tmp_path / "journeyman.toml"
    file.write_text(
        f'[repos.app]\npath = "{target}"\n[repos.lib]\npath = "lib/.git"\n[repos.inner]\nurl = "file://{tmp_path}/inner/"\n'
    )
    return configured_mirrors(load_config(file), tmp_path / "data")


@pytest.fixture
async def mirror(tmp_path: Path, target: Path, lib: Path) -> Mirror:
    """Of a target with one submodule by a relative address, and one of a repository that nobody configured."""
    add_submodule(target, str(lib), "vendor/a lib")
    add_submodule(target, str(repository(tmp_path / "stranger", "x.txt")), "vendor/stranger")
    modules = (target / ".gitmodules").read_text().replace(f"url = {lib}", "url = ../lib")
    (target / ".gitmodules").write_text(modules)
    sh_git(target, "commit", "--quiet", "--all", "--message=relative")
    made = Mirror(tmp_path / "data" / "mirrors", str(target))
    await made.fetch()
    return made


async def test_a_configured_submodule_is_filled_and_another_one_is_named(
    mirror: Mirror, mirrors: Mirrors, tmp_path: Path
) -> None:
    base = await mirror.resolve(None)
    agents = await Worktree.create(mirror, tmp_path / "agent", base, mirrors)
    checks = await Worktree.checkout(mirror, tmp_path / "checks", base, submodules=mirrors)
    for worktree in (agents, checks):
        inside = worktree.path / "vendor" / "a lib"
        assert (inside / "lib.txt").read_bytes() == b"lib.txt\r\n"
        assert (inside / "deep/inner/inner.txt").read_bytes() == b"inner.txt\r\n"
        assert list(worktree.path.rglob(".git")) == [worktree.path / ".git"]
        assert worktree.submodules_missing == ("vendor/stranger",)
        assert sh_git(worktree.path, "status", "--porcelain") == ""
        assert await worktree.commit("nothing", ADA, at=NOON) is None
        assert await worktree.submodule_edits() == ()
    again = await Worktree.create(mirror, tmp_path / "agent", base, mirrors)
    assert again.submodules_missing == ("vendor/stranger",)


async def test_the_link_stays_whatever_happens_to_the_files(mirror: Mirror, mirrors: Mirrors, tmp_path: Path) -> None:
    base = await mirror.resolve(None)
    worktree = await Worktree.create(mirror, tmp_path / "w", base, mirrors)
    inside = worktree.path / "vendor" / "a lib"
    (inside / "lib.txt").write_text("changed\n")
    (inside / "new.txt").write_text("new\n")
    (worktree.path / "app.py").write_text("x\n")
    assert [file.path for file in await worktree.changed_files()] == ["app.py"]
    sh_git(worktree.path, "clean", "-fdxq")
    sh_git(worktree.path, "stash", "--include-untracked")
    assert (inside / "new.txt").exists()


async def test_what_is_changed_inside_of_a_submodule_is_named(mirror: Mirror, mirrors: Mirrors, tmp_path: Path) -> None:
    worktree = await Worktree.create(mirror, tmp_path / "w", await mirror.resolve(None), mirrors)
    inside = worktree.path / "vendor" / "a lib"
    (inside / "lib.txt").write_text("changed\n")
    (inside / "deep/inner/inner.txt").unlink()
    (inside / "__pycache__").mkdir()
    (inside / "__pycache__" / "m.pyc").write_text("cache\n")
    (inside / "new.txt").write_text("new\n")
    assert await worktree.commit("nothing", ADA, at=NOON) is None, "no commit can hold it"
    again = await Worktree.create(mirror, tmp_path / "w", worktree.base, mirrors)
    edits = await again.submodule_edits()
    assert sorted(edits) == ["vendor/a lib/deep/inner/inner.txt", "vendor/a lib/lib.txt", "vendor/a lib/new.txt"]
    (note,) = notes_on_submodules(edits)
    assert note.kind is NoteKind.SUBMODULE_EDITS
    assert "vendor/a lib/lib.txt" in note.sentence and note.paths == edits
    shutil.rmtree(inside)
    inside.symlink_to(tmp_path)
    assert await again.submodule_edits() == ()


async def test_what_was_changed_inside_of_a_submodule_before_a_takeover_is_named_as_lost(
    mirror: Mirror, mirrors: Mirrors, tmp_path: Path
) -> None:
    async def taken_over(worktree: Worktree, name: str) -> Worktree:
        snapshot = await worktree.snapshot("checkpoint", REF, at=NOON)
        assert snapshot is not None, "no other file was changed, and it is one all the same"
        assert await worktree.snapshot("checkpoint", REF, at=NOON) is None
        await worktree.bundle(REF, out=tmp_path / f"{name}.bundle")
        return await Worktree.restore(mirror, tmp_path / name, tmp_path / f"{name}.bundle", snapshot, mirrors)

    first = await Worktree.create(mirror, tmp_path / "first", await mirror.resolve(None), mirrors)
    (first.path / "vendor" / "a lib" / "lib.txt").write_text("changed\n")
    second = await taken_over(first, "second")
    assert (await second.submodule_edits(), second.submodules_lost) == ((), ("vendor/a lib/lib.txt",))
    (second.path / "vendor" / "a lib" / "new\nline").write_text("new\n")
    third = await taken_over(second, "third")
    assert third.submodules_lost == ("vendor/a lib/lib.txt", "vendor/a lib/new\nline")
    assert "vendor/a lib/lib.txt" in with_lost_edits("Go on.", third.submodules_lost)
    again = await Worktree.create(mirror, tmp_path / "third", third.base, mirrors)
    (note,) = notes_on_submodules(await again.submodule_edits(), again.submodules_lost)
    assert note.kind is NoteKind.SUBMODULE_EDITS
    assert "before another executor took over, so that they are lost" in note.sentence


async def test_without_configured_repositories_all_submodules_are_named(mirror: Mirror, tmp_path: Path) -> None:
    worktree = await Worktree.create(mirror, tmp_path / "w", await mirror.resolve(None))
    assert worktree.submodules_missing == ("vendor/a lib", "vendor/stranger")
    assert list((worktree.path / "vendor" / "a lib").iterdir()) == []


async def test_a_link_to_a_commit_that_its_repository_does_not_have_is_named(
    mirror: Mirror, mirrors: Mirrors, tmp_path: Path, target: Path
) -> None:
    sh_git(target, "update-index", "--cacheinfo", f"160000,{'1' * 40},vendor/a lib")
    sh_git(target, "commit", "--quiet", "--message=unpushed")
    await mirror.fetch()
    worktree = await Worktree.create(mirror, tmp_path / "w", await mirror.resolve(None), mirrors)
    assert worktree.submodules_missing == ("vendor/a lib", "vendor/stranger")


async def test_an_agent_cannot_name_a_repository_that_the_base_does_not(
    mirror: Mirror, mirrors: Mirrors, tmp_path: Path
) -> None:
    base = await mirror.resolve("v1")  # from before the submodules
    with_them = await mirror.resolve(None)
    checks = await Worktree.checkout(mirror, tmp_path / "w", with_them, submodules=mirrors, trusted=base)
    assert checks.submodules_missing == ("vendor/a lib", "vendor/stranger")
    assert not (checks.path / "vendor" / "a lib" / "lib.txt").exists()


async def test_a_link_from_the_tree_never_leads_out_of_the_checkout(
    mirror: Mirror, mirrors: Mirrors, tmp_path: Path
) -> None:
    base = await mirror.resolve(None)
    outside = tmp_path / "outside"
    outside.mkdir()
    worktree = await Worktree.create(mirror, tmp_path / "w", base)
    (worktree.path / ".gitmodules").write_text(
        '[submodule "x"]\n\tpath = ../outside\n\turl = ../lib\n[submodule "y"]\n\tpath = docs\n\turl = ../lib\n'
    )
    commit = await worktree.commit("modules", ADA, at=NOON)
    assert commit is not None
    checks = await Worktree.checkout(mirror, tmp_path / "checks", commit.id, submodules=mirrors)
    assert list(outside.iterdir()) == []
    assert [path.name for path in (checks.path / "docs").iterdir()] == ["guide.md"]


@pytest.mark.parametrize(
    "address",
    [
        "https://GitHub.com/o/r",
        "https://github.com/o/r.git",
        "https://user:secret@github.com/o/r.git/",
        "ssh://git@github.com/o/r.git",
        "ssh://git@github.com:22/o/r",
        "git@github.com:o/r.git",
        "github.com:/o/r",
    ],
)
def test_one_repository_has_one_key(address: str) -> None:
    assert address_key(address) == "github.com/o/r"


def test_other_repositories_have_other_keys() -> None:
    addresses = ["https://h/o/r", "https://h:8443/o/r", "https://h/o/R", "https://h2/o/r", "/h/o/r", "h:r"]
    assert len({address_key(address) for address in addresses}) == len(addresses)
