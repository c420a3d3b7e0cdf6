"""The same promises against a repository behind HTTP, served by git's own `http-backend`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.workspace.mirror import Mirror
from shared.workspace.publish import BranchTaken, publish_branch
from shared.workspace.worktree import Worktree
from testing import git_http
from testing.programs import NO_GIT_HTTP
from tests.integration.workspace.workspace_support import ADA, NOON, sh_git

pytestmark = pytest.mark.skipif(git_http.MISSING, reason=NO_GIT_HTTP)


@pytest.fixture
def served(tmp_path: Path, bare: Path) -> Iterator[str]:
    """The address of the bare repository on a free loopback port, open for fetch and push."""
    sh_git(bare, "config", "http.receivepack", "true")
    with git_http.git_http_server(tmp_path) as server:
        yield f"{server.url}/bare.git"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is never asked of a proxy of this machine."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")


@pytest.mark.parametrize("by_id", [True, False], ids=["server gives commits by id", "server gives branches only"])
async def test_a_result_reaches_a_repository_behind_http(served: str, bare: Path, tmp_path: Path, by_id: bool) -> None:
    sh_git(bare, "config", "uploadpack.allowAnySHA1InWant", str(by_id).lower())
    sh_git(bare, "config", "protocol.version", "0")
    mirror = Mirror(tmp_path / "mirrors", served)
    await mirror.fetch()
    base = await mirror.resolve("v1")
    worktree = await Worktree.create(mirror, tmp_path / "w", base)
    (worktree.path / "app.py").write_text("fixed\n")
    commit = await worktree.commit("fix", ADA, at=NOON)
    assert commit is not None
    await worktree.bundle(commit.id, out=tmp_path / "b")
    shutil.rmtree(mirror.path)  # the publisher has nothing but the bundle
    for _ in range(2):
        await publish_branch(served, tmp_path / "b", commit.id, "journeyman/x", None)
    assert sh_git(bare, "show", "journeyman/x:app.py") == "fixed"
    with pytest.raises(BranchTaken):
        await publish_branch(served, tmp_path / "b", commit.id, "side", "1" * 40)
