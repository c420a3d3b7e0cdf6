"""A branch of ours takes over what its base has got meanwhile, by git alone, or says why a person has to do it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.contracts.pull_request import CatchUp
from shared.workspace.catch_up import CannotCatchUp, Who, caught_up
from shared.workspace.mirror import Mirror
from shared.workspace.publish import BranchTaken, move_branch
from shared.workspace.result_inspection import Signature
from tests.integration.gateway.test_a_result_is_published_once import git

US = Signature("jm[bot]", "1+jm[bot]@users.noreply.github.com")
WHO = Who(signature=US, at=datetime(2026, 3, 4, tzinfo=UTC))
BRANCH = "journeyman/x"


@dataclass
class World:
    work: Path
    origin: Path
    mirror: Mirror

    def commit(self, branch: str, *files: str, by: Signature = US, text: str = "x\n") -> str:
        git(self.work, "checkout", "--quiet", branch, "--")
        for name in files:
            (self.work / name).write_text(text)
        git(self.work, "add", "--all")
        author = ("-c", f"user.name={by.name}", "-c", f"user.email={by.email}")
        git(self.work, *author, "commit", "--quiet", "--date", "@1700000000 +0100", "-m", f"{files[0]}\n\nTo: @ada")
        git(self.work, "push", "--quiet", "origin", branch)
        return git(self.work, "rev-parse", "HEAD")

    async def caught_up(self, how: CatchUp) -> str:
        await self.mirror.fetch()
        head, base = (git(self.origin, "rev-parse", name) for name in (BRANCH, "main"))
        commit = await caught_up(self.mirror, head, base, how, message="Merge it", who=WHO)
        assert await caught_up(self.mirror, head, base, how, message="Merge it", who=WHO) == commit
        return commit

    def log(self, commit: str, what: str) -> str:
        return git(self.mirror.path, "log", "-1", f"--format={what}", commit)

    def files(self, commit: str) -> list[str]:
        return git(self.mirror.path, "ls-tree", "--name-only", commit).split("\n")


@pytest.fixture
def world(tmp_path: Path) -> World:
    work, origin = tmp_path / "work", tmp_path / "origin.git"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(origin))
    git(tmp_path, "clone", "--quiet", str(origin), str(work))
    git(work, "commit", "--quiet", "--allow-empty", "-m", "Nothing")
    made = World(work, origin, Mirror(tmp_path / "mirrors", str(origin)))
    made.commit("main", "first")
    git(work, "branch", "--quiet", BRANCH)
    made.commit(BRANCH, "one")
    made.commit(BRANCH, "two")
    return made


async def test_a_merge_has_both_and_is_by_us(world: World) -> None:
    base = world.commit("main", "theirs")
    head = git(world.origin, "rev-parse", BRANCH)
    merged = await world.caught_up(CatchUp.MERGE)
    assert world.files(merged) == ["first", "one", "theirs", "two"]
    assert world.log(merged, "%P") == f"{head} {base}"
    assert world.log(merged, "%an|%ae|%ct|%B") == f"{US.name}|{US.email}|{round(WHO.at.timestamp())}|Merge it"


async def test_a_rebase_puts_each_commit_of_ours_on_top_and_leaves_out_what_is_there_already(world: World) -> None:
    base = world.commit("main", "one")
    rebased = await world.caught_up(CatchUp.REBASE)
    assert world.log(rebased, "%P") == base
    assert world.log(rebased, "%ae|%at|%B") == f"{US.email}|1700000000|two\n\nTo: @ada"
    assert world.files(rebased) == ["first", "one", "two"]


@pytest.mark.parametrize("how", list(CatchUp))
async def test_a_branch_that_has_its_base_is_left_as_it_is(world: World, how: CatchUp) -> None:
    assert await world.caught_up(how) == git(world.origin, "rev-parse", BRANCH)


@pytest.mark.parametrize("how", list(CatchUp))
async def test_what_both_have_changed_is_named(world: World, how: CatchUp) -> None:
    world.commit("main", "one", "two", text="theirs\n")
    with pytest.raises(CannotCatchUp, match="both have changed one") as refused:
        await world.caught_up(how)
    assert refused.value.code == "base-conflict"


async def test_commits_of_others_and_merges_are_never_rewritten(world: World) -> None:
    world.commit(BRANCH, "three", by=Signature("Eve", "eve@x"))
    world.commit("main", "theirs")
    with pytest.raises(CannotCatchUp, match="never rewritten"):
        await world.caught_up(CatchUp.REBASE)
    merged = await world.caught_up(CatchUp.MERGE)
    await move_branch(str(world.origin), BRANCH, merged, git(world.origin, "rev-parse", BRANCH), world.mirror)
    world.commit("main", "more")
    with pytest.raises(CannotCatchUp, match="never rewritten"):
        await world.caught_up(CatchUp.REBASE)


async def test_a_branch_of_which_the_base_has_all_is_not_made_empty(world: World) -> None:
    world.commit("main", "one", "two")
    with pytest.raises(CannotCatchUp, match="close the pull request"):
        await world.caught_up(CatchUp.REBASE)


async def test_a_branch_is_moved_once_and_only_from_where_it_was(world: World) -> None:
    world.commit("main", "theirs")
    head = git(world.origin, "rev-parse", BRANCH)
    merged = await world.caught_up(CatchUp.MERGE)
    for _ in range(2):
        await move_branch(str(world.origin), BRANCH, merged, head, world.mirror)
    assert git(world.origin, "rev-parse", BRANCH) == merged
    git(world.work, "pull", "--quiet", "origin", f"{BRANCH}:{BRANCH}")
    theirs = world.commit(BRANCH, "pushed")
    with pytest.raises(BranchTaken):
        await move_branch(str(world.origin), BRANCH, merged, head, world.mirror)
    assert git(world.origin, "rev-parse", BRANCH) == theirs
