"""Real repositories for the workspace tests, made with the plain git command as a user would."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from shared.workspace.mirror import Mirror
from shared.workspace.worktree import Worktree
from tests.integration.workspace.workspace_support import sh_git


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A small non-bare repository with two commits, a tag and a second branch."""
    repository = tmp_path / "target repo"
    repository.mkdir()
    sh_git(repository, "init", "--quiet", "--initial-branch=main")
    (repository / "app.py").write_text("def add(a, b):\n    return a - b\n")
    (repository / ".gitignore").write_text("ignored/\n*.log\n")
    (repository / "docs").mkdir()
    (repository / "docs" / "guide.md").write_text("# Guide\n")
    sh_git(repository, "add", "--all")
    sh_git(repository, "commit", "--quiet", "--message=first")
    sh_git(repository, "tag", "v1")
    sh_git(repository, "branch", "side")
    (repository / "README.md").write_text("hello\n")
    sh_git(repository, "add", "--all")
    sh_git(repository, "commit", "--quiet", "--message=second")
    return repository


@pytest.fixture
def bare(tmp_path: Path, target: Path) -> Path:
    """A bare repository with the same content: what a server would hold."""
    sh_git(tmp_path, "clone", "--quiet", "--bare", str(target), "bare.git")
    return tmp_path / "bare.git"


@pytest.fixture
async def mirror(tmp_path: Path, target: Path) -> Mirror:
    made = Mirror(tmp_path / "data" / "mirrors", str(target))
    await made.fetch()
    return made


@pytest.fixture
async def worktree(tmp_path: Path, mirror: Mirror) -> Worktree:
    return await Worktree.create(mirror, tmp_path / "data" / "worktrees" / "01JX7", await mirror.resolve(None))


@pytest.fixture
def trap(tmp_path: Path) -> tuple[str, Callable[[], bool]]:
    """A command that leaves a trace when anything runs it, and the question whether something did."""
    trace = tmp_path / "sprung"
    script = tmp_path / "trap.sh"
    script.write_text(f'#!/bin/sh\necho "$0 $*" >> "{trace}"\nexec cat\n')
    script.chmod(0o755)
    return str(script), trace.exists
