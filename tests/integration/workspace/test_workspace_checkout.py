"""Clean checkouts for checks: of any commit, at any number of places, and nothing done in one is seen outside."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
from pathlib import Path

import pytest

from shared.workspace.commits import bring
from shared.workspace.git import GitFailed
from shared.workspace.mirror import Mirror
from shared.workspace.publish import publish_branch
from shared.workspace.worktree import Commit, Worktree
from tests.integration.workspace.workspace_support import ADA, NOON, sh_git


@pytest.fixture
async def result(worktree: Worktree, tmp_path: Path) -> Commit:
    """A result of an agent's, bundled in `tmp_path/result`."""
    (worktree.path / "app.py").write_text("fixed\n")
    (worktree.path / "new.txt").write_text("new\n")
    commit = await worktree.commit("fix", ADA, at=NOON)
    assert commit is not None
    await worktree.bundle(commit.id, out=tmp_path / "result")
    return commit


@pytest.fixture
async def elsewhere(tmp_path: Path, target: Path) -> Mirror:
    """The mirror of another machine, which has the base only."""
    made = Mirror(tmp_path / "elsewhere", str(target))
    await made.fetch()
    return made


def is_clean(path: Path) -> bool:
    """As checks ask it: `git diff --exit-code` and an empty status."""
    return shell(path, 'git diff --exit-code && test -z "$(git status --porcelain --ignored)"').returncode == 0


def shell(where: Path, script: str) -> subprocess.CompletedProcess[bytes]:
    """What a check does."""
    return subprocess.run(["sh", "-c", script], cwd=where, check=False, capture_output=True)


async def brought(mirror: Mirror, path: Path, result: Commit, bundle: Path) -> Worktree:
    """A checkout of a result that the mirror may have from its bundle only."""
    await bring(mirror, result.id, bundle)
    return await Worktree.checkout(mirror, path, result.id)


def contents(*places: Path) -> dict[str, str]:
    """The hash of every file below the places."""
    files = [file for place in places for file in sorted(place.rglob("*")) if file.is_file() and not file.is_symlink()]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


async def test_a_result_that_only_a_bundle_brought_is_checked_out_clean(
    result: Commit, elsewhere: Mirror, tmp_path: Path
) -> None:
    checks = await brought(elsewhere, tmp_path / "checks", result, tmp_path / "result")
    assert (checks.path / "app.py").read_text() == "fixed\n"
    assert sh_git(checks.path, "rev-parse", "HEAD", "HEAD^") == f"{result.id}\n{result.parent}"
    assert is_clean(checks.path)


async def test_a_mirror_that_was_never_fetched_gets_the_base_first(
    result: Commit, tmp_path: Path, target: Path
) -> None:
    never_fetched = Mirror(tmp_path / "fresh", str(target))
    checks = await brought(never_fetched, tmp_path / "checks", result, tmp_path / "result")
    assert is_clean(checks.path)
    base = await Worktree.checkout(Mirror(tmp_path / "fresher", str(target)), tmp_path / "base", result.parent)
    assert (base.path / "app.py").read_text() != "fixed\n"


async def test_a_commit_that_is_nowhere_is_refused(elsewhere: Mirror, tmp_path: Path) -> None:
    with pytest.raises(GitFailed, match="does not have"):
        await Worktree.checkout(elsewhere, tmp_path / "checks", "1" * 40)


async def test_what_checks_do_in_one_checkout_is_seen_nowhere_else(
    result: Commit, elsewhere: Mirror, tmp_path: Path
) -> None:
    agents = await Worktree.create(elsewhere, tmp_path / "agent", result.parent)
    (agents.path / "untracked.txt").write_text("the agent's\n")
    checks, other, base = await asyncio.gather(
        brought(elsewhere, tmp_path / "checks", result, tmp_path / "result"),
        brought(elsewhere, tmp_path / "other", result, tmp_path / "result"),
        Worktree.checkout(elsewhere, tmp_path / "base", result.parent),
    )
    outside = [elsewhere.path, *(place for each in (agents, other, base) for place in (each.path, each.git_dir))]
    before = contents(*outside)
    script = """set -e
        echo x > app.py; echo y > junk.txt; git stash -u; git stash pop; git clean -fdxq; git checkout -q -- .
        echo z > app.py; git add -A; git commit -qm mine; git branch -f main; git tag -f v1
        git update-ref -d refs/tags/v1
        git gc -q --prune=now; chmod -R a-w docs; chmod 755 app.py; rm -rf new.txt .gitignore; git reset -q --hard HEAD^
        git worktree add -q ../of-a-check HEAD; git rebase -q HEAD; rm -rf ../of-a-check; rm -rf * .git"""
    done = shell(checks.path, script)
    assert done.returncode == 0, done.stderr
    assert contents(*outside) == before
    assert is_clean(other.path)
    assert is_clean(base.path)
    again = await brought(elsewhere, checks.path, result, tmp_path / "result")
    assert is_clean(again.path)
    assert (again.path / "new.txt").exists()


async def test_a_checkout_is_removed_with_nothing_left(result: Commit, elsewhere: Mirror, tmp_path: Path) -> None:
    checks = await brought(elsewhere, tmp_path / "checks" / "one", result, tmp_path / "result")
    await checks.remove()
    assert list((tmp_path / "checks").iterdir()) == []
    refs = await elsewhere.git("for-each-ref", "--format=%(refname)", "refs/journeyman/")
    assert refs.split() == ["refs/journeyman/remote-head"]


async def test_what_was_checked_is_published_under_other_words(
    result: Commit, elsewhere: Mirror, tmp_path: Path, bare: Path
) -> None:
    checks = await brought(elsewhere, tmp_path / "checks", result, tmp_path / "result")
    (checks.path / "app.py").write_text("what a check wrote\n")
    made = await checks.commit_tree(result.tree, result.parent, "Fix\n\nEvidence: verified\n", ADA, at=NOON)
    assert made == await checks.commit_tree(result.tree, result.parent, "Fix\n\nEvidence: verified\n", ADA, at=NOON)
    assert (made.tree, made.parent) == (result.tree, result.parent)
    await checks.bundle(made.id, made.parent, out=tmp_path / "published")
    put = await publish_branch(str(bare), tmp_path / "published", made.id, "journeyman/x", None, tree=result.tree)
    assert put == made.id == sh_git(bare, "rev-parse", "journeyman/x")
    assert sh_git(bare, "show", "journeyman/x:app.py") == "fixed"
    assert "Evidence: verified" in sh_git(bare, "log", "-1", "--format=%B", "journeyman/x")


async def test_a_commit_of_another_tree_than_the_checked_one_is_not_published(
    result: Commit, elsewhere: Mirror, tmp_path: Path, bare: Path
) -> None:
    with pytest.raises(GitFailed, match="what was checked is tree"):
        await publish_branch(str(bare), tmp_path / "result", result.id, "journeyman/x", None, tree="1" * 40)
    assert sh_git(bare, "branch", "--list", "journeyman/*") == ""


async def test_a_lock_that_a_killed_git_has_left_on_a_ref_is_in_nobodys_way(mirror: Mirror, tmp_path: Path) -> None:
    base = await mirror.resolve(None)
    made = await Worktree.checkout(mirror, tmp_path / "checks", base)
    refs = (await mirror.git("for-each-ref", "--format=%(refname)", "refs/journeyman/worktrees")).split()
    assert refs
    for ref in refs:
        (mirror.path / f"{ref}.lock").touch()
    await made.remove()
    assert not (await mirror.git("for-each-ref", "refs/journeyman/worktrees")).strip()
    for ref in refs:
        (mirror.path / f"{ref}.lock").parent.mkdir(parents=True, exist_ok=True)
        (mirror.path / f"{ref}.lock").touch()
    await (await Worktree.checkout(mirror, tmp_path / "checks", base)).remove()


async def test_a_directory_that_became_a_link_to_its_copy_is_given_back(mirror: Mirror, tmp_path: Path) -> None:
    checks = await Worktree.checkout(mirror, tmp_path / "checks", await mirror.resolve(None), is_kept=True)
    assert await checks.tracked.remember() == frozenset()
    assert shell(checks.path, "mv docs .docs && ln -s .docs docs").returncode == 0
    assert await checks.tracked.restored() == {".docs/"}
    assert not (checks.path / "docs").is_symlink()
    await checks.remove()
    assert not (await mirror.git("for-each-ref", "refs/journeyman/worktrees")).strip()
