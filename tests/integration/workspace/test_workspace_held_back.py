"""Caches and installed packages that an agent leaves do not reach a commit, and the commit says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.workspace.held_back import MAX_NAMED
from shared.workspace.mirror import Mirror
from shared.workspace.worktree import Commit, Worktree
from tests.integration.workspace.workspace_support import ADA, NOON, sh_git


def write(directory: Path, *paths: str) -> None:
    for path in paths:
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{path}\n")


async def commit_of(worktree: Worktree) -> Commit:
    commit = await worktree.commit("done", ADA, at=NOON)
    assert commit is not None
    return commit


async def changed(worktree: Worktree) -> set[str]:
    return {file.path for file in await worktree.changed_files()}


async def test_what_an_agents_tests_leave_is_held_back_and_named(worktree: Worktree) -> None:
    write(worktree.path, "src/app.py", "src/__pycache__/app.cpython-313.pyc", "src/__pycache__/b.pyc", ".coverage")
    write(worktree.path, "only/caches/.pytest_cache/v/x", "node_modules/a/b.js", "lone.pyc", ".coverage.host.1")
    write(worktree.path, ".coveragerc", ".coverage.d/inner", "deep/new\nline/.DS_Store", "deep/Thumbs.db/real.txt")
    commit = await commit_of(worktree)
    assert await changed(worktree) == {"src/app.py", ".coveragerc"}
    assert set(commit.held_back) == {
        "src/__pycache__/",
        ".coverage",
        ".coverage.host.1",
        ".coverage.d/",
        "only/caches/.pytest_cache/",
        "node_modules/",
        "lone.pyc",
        "deep/new\nline/.DS_Store",
        "deep/Thumbs.db/",
    }


async def test_what_the_repository_itself_ignores_is_not_said_to_be_held_back(worktree: Worktree) -> None:
    write(worktree.path, "ignored/x", "noise.log", "ignored/node_modules/x", "new/ignored/__pycache__/x.pyc", "a.txt")
    write(worktree.path, "mixed/noise.log", "mixed/.coverage")
    assert (await commit_of(worktree)).held_back == ("mixed/.coverage",)
    with (worktree.path / ".gitignore").open("a") as rules:
        rules.write("mixed/\n")
    assert (await commit_of(worktree)).held_back == ()


async def test_the_repositorys_own_word_wins(worktree: Worktree) -> None:
    (worktree.path / ".gitignore").write_text("!fixtures/*.pyc\n!.venv\n")
    write(worktree.path, "fixtures/old.pyc", ".venv/bin/python", "other.pyc")
    commit = await commit_of(worktree)
    assert await changed(worktree) == {".gitignore", "fixtures/old.pyc", ".venv/bin/python"}
    assert commit.held_back == ("other.pyc",)


@pytest.fixture
async def with_packages(tmp_path: Path, target: Path) -> Worktree:
    """A worktree of a repository that commits its packages and one cache."""
    write(target, "action/node_modules/a/index.js", "odd [1]* !/node_modules/x.js", ".coverage", "x/__pycache__/a.pyc")
    sh_git(target, "add", "--all", "--force")
    sh_git(target, "commit", "--quiet", "--message=packages")
    mirror = Mirror(tmp_path / "mirrors", str(target))
    await mirror.fetch()
    return await Worktree.create(mirror, tmp_path / "w", await mirror.resolve(None))


async def test_what_is_tracked_stays_tracked(with_packages: Worktree) -> None:
    assert await with_packages.commit("nothing", ADA, at=NOON) is None
    write(with_packages.path, "x/__pycache__/b.pyc", "node_modules/top.js")
    (with_packages.path / ".coverage").write_text("newer\n")
    (with_packages.path / "x/__pycache__/a.pyc").unlink()
    commit = await commit_of(with_packages)
    assert await changed(with_packages) == {".coverage", "x/__pycache__/a.pyc"}
    assert commit.held_back == ("node_modules/", "x/__pycache__/")


async def test_a_repository_that_commits_its_packages_gets_new_ones_too(with_packages: Worktree) -> None:
    new = {"action/node_modules/b/node_modules/c/x.js", "odd [1]* !/node_modules/y.js"}
    write(with_packages.path, *new, "other/node_modules/z.js")
    commit = await commit_of(with_packages)
    assert await changed(with_packages) == new
    assert commit.held_back == ("other/node_modules/",)


async def test_a_repository_inside_a_cache_is_left_alone(worktree: Worktree) -> None:
    write(worktree.path, ".venv/src/lib/lib.py", "a.txt")
    sh_git(worktree.path / ".venv/src/lib", "init", "--quiet")
    commit = await commit_of(worktree)
    assert await changed(worktree) == {"a.txt"}
    assert commit.held_back == (".venv/",)


async def test_the_names_are_bounded(worktree: Worktree) -> None:
    write(worktree.path, "a.txt", *(f"m{number}/x.pyc" for number in range(MAX_NAMED + 5)))
    assert len((await commit_of(worktree)).held_back) == MAX_NAMED
    assert await changed(worktree) == {"a.txt"}
