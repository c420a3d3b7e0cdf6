from __future__ import annotations

import asyncio
import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.contracts.ids import task_id_in
from shared.workspace.branches import BranchInTheWay, branch_in_the_way, branch_name, refuse_branch_in_the_way
from shared.workspace.bundle import load_bundle, read_header, write_bundle
from shared.workspace.git import REMOTE_WORDS, Answer, GitFailed, failed
from shared.workspace.local_target import cannot_write
from shared.workspace.mirror import Mirror
from shared.workspace.publish import BranchCheckedOut, BranchTaken, delete_branch, publish_branch
from shared.workspace.worktree import Worktree
from tests.integration.workspace.workspace_support import ADA, CHECKPOINT, NOON, sh_git

BRANCH = "journeyman/abc-fix"


async def result_of(worktree: Worktree, text: str, out: Path) -> str:
    """A commit that changes app.py to ``text``, bundled in ``out``; its id."""
    (worktree.path / "app.py").write_text(text)
    commit = await worktree.commit(f"Write {text!r}", ADA, at=NOON)
    assert commit is not None
    await worktree.bundle(commit.id, out=out)
    return commit.id


async def test_a_checkpoint_bundle_goes_on_in_another_data_directory(
    worktree: Worktree, tmp_path: Path, target: Path
) -> None:
    (worktree.path / "app.py").write_text("half done\n")
    (worktree.path / "new.txt").write_text("new\n")
    checkpoint = await worktree.snapshot("turn 1", CHECKPOINT, at=NOON)
    assert checkpoint is not None
    out = tmp_path / "checkpoint.bundle"
    written = await worktree.bundle(CHECKPOINT, out=out)
    assert (written.sha256, written.size) == (hashlib.sha256(out.read_bytes()).hexdigest(), out.stat().st_size)
    await worktree.remove()

    elsewhere = Mirror(tmp_path / "another machine", str(target))  # never fetched so far
    restored = await Worktree.restore(elsewhere, tmp_path / "another machine" / "w", out, checkpoint)
    assert restored.base == worktree.base
    assert (restored.path / "app.py").read_text() == "half done\n"
    assert sh_git(restored.path, "status", "--porcelain").split("\n") == [" M app.py", "?? new.txt"]
    assert sh_git(restored.path, "rev-parse", "HEAD") == restored.base
    assert await restored.commit("done", ADA, at=NOON) == await restored.commit("done", ADA, at=NOON)
    kept = await Worktree.create(elsewhere, restored.path, restored.base)
    assert (kept.path / "new.txt").exists()


async def test_a_bundle_is_small_because_it_leaves_out_the_base(worktree: Worktree, tmp_path: Path) -> None:
    commit = await result_of(worktree, "x\n", tmp_path / "b")
    header = read_header(tmp_path / "b")
    assert (header.needs, header.heads) == ((worktree.base,), (commit,))
    with pytest.raises(ValueError, match="not a ref name"):
        await worktree.bundle(worktree.base, out=tmp_path / "c")


@pytest.mark.parametrize("damage", ["cut", "flip", "text", "empty"])
async def test_a_damaged_bundle_is_refused(worktree: Worktree, tmp_path: Path, bare: Path, damage: str) -> None:
    out = tmp_path / "b"
    commit = await result_of(worktree, "x\n", out)
    whole = out.read_bytes()
    match damage:
        case "cut":
            out.write_bytes(whole[:-30])
        case "flip":
            out.write_bytes(whole[:-40] + bytes([whole[-40] ^ 1]) + whole[-39:])
        case "text":
            out.write_bytes(b"hello\n\nworld")
        case _:
            out.write_bytes(b"")
    with pytest.raises(GitFailed) as refusal:
        await publish_branch(str(bare), out, commit, BRANCH, None)
    assert "\n" not in str(refusal.value)
    assert sh_git(bare, "branch", "--list", "journeyman/*") == ""


async def test_a_bundle_without_the_commit_is_refused(worktree: Worktree, tmp_path: Path, bare: Path) -> None:
    await result_of(worktree, "x\n", tmp_path / "b")
    with pytest.raises(GitFailed, match="does not hold"):
        await publish_branch(str(bare), tmp_path / "b", "1" * 40, BRANCH, None)


async def test_a_bundle_on_a_base_the_target_lacks_is_refused(worktree: Worktree, tmp_path: Path) -> None:
    commit = await result_of(worktree, "x\n", tmp_path / "b")
    sh_git(tmp_path, "init", "--quiet", "--bare", "stranger.git")
    with pytest.raises(GitFailed, match="does not have"):
        await publish_branch(str(tmp_path / "stranger.git"), tmp_path / "b", commit, BRANCH, None)


async def test_a_bundle_is_written_although_a_killed_git_has_left_its_lock(mirror: Mirror, tmp_path: Path) -> None:
    base = await mirror.resolve(None)
    tree = (await mirror.git("rev-parse", f"{base}^{{tree}}")).strip()
    commit = (await mirror.git("commit-tree", tree, "-p", base, "-m", "more")).strip()
    await mirror.git("update-ref", "refs/journeyman/more", commit)
    for left in ("out.part", "out.part.lock", "out.lock"):
        (tmp_path / left).write_bytes(b"half")
    await write_bundle(mirror.path, "refs/journeyman/more", base, tmp_path / "out")
    assert commit in read_header(tmp_path / "out").heads


async def test_a_bundle_with_a_path_into_dot_git_is_refused(mirror: Mirror, tmp_path: Path, bare: Path) -> None:
    base = await mirror.resolve(None)
    blob = (await mirror.git("hash-object", "-w", "--stdin", input=b"evil")).strip()
    inner = (await mirror.git("mktree", input=f"100755 blob {blob}\tpost-checkout\n".encode())).strip()
    tree = (await mirror.git("mktree", input=f"040000 tree {inner}\t.GIT\n".encode())).strip()
    commit = (await mirror.git("commit-tree", tree, "-p", base, "-m", "evil")).strip()
    await mirror.git("update-ref", "refs/journeyman/evil", commit)
    await write_bundle(mirror.path, "refs/journeyman/evil", base, tmp_path / "evil")
    with pytest.raises(GitFailed, match="could not be unpacked"):
        await publish_branch(str(bare), tmp_path / "evil", commit, BRANCH, None)
    other = Mirror(tmp_path / "other", str(bare))
    await other.fetch()
    with pytest.raises(GitFailed, match="could not be unpacked"):
        await load_bundle(other.path, tmp_path / "evil", commit)


@pytest.mark.parametrize("kind", ["bare", "worktree", "address"])
async def test_a_result_becomes_a_branch_and_doing_it_again_is_fine(
    worktree: Worktree, tmp_path: Path, target: Path, bare: Path, kind: str
) -> None:
    place = target if kind == "worktree" else bare
    commit = await result_of(worktree, "fixed\n", tmp_path / "b")
    for _ in range(3):
        await publish_branch(
            f"file://{place}" if kind == "address" else str(place), tmp_path / "b", commit, BRANCH, None
        )
    assert sh_git(place, "rev-parse", f"refs/heads/{BRANCH}") == commit
    assert sh_git(place, "show", f"{BRANCH}:app.py") == "fixed"
    assert sh_git(place, "rev-parse", "main") == worktree.base
    sh_git(place, "fsck", "--strict")
    if kind == "worktree":
        assert sh_git(place, "status", "--porcelain") == ""


async def test_a_branch_moves_only_from_where_it_is_expected(worktree: Worktree, tmp_path: Path, bare: Path) -> None:
    first = await result_of(worktree, "one\n", tmp_path / "one")
    second = await result_of(worktree, "two\n", tmp_path / "two")
    await publish_branch(str(bare), tmp_path / "one", first, BRANCH, None)
    for expected in (None, second, worktree.base):
        with pytest.raises(BranchTaken) as taken:
            await publish_branch(str(bare), tmp_path / "two", second, BRANCH, expected)
        assert taken.value.found == first
    assert sh_git(bare, "rev-parse", BRANCH) == first
    await publish_branch(str(bare), tmp_path / "two", second, BRANCH, first)  # not a descendant: replaced by name
    assert sh_git(bare, "rev-parse", BRANCH) == second
    with pytest.raises(BranchTaken):
        await publish_branch(str(bare), tmp_path / "one", first, "journeyman/never-was", second)


async def test_of_many_racing_publishers_exactly_one_wins(worktree: Worktree, tmp_path: Path, bare: Path) -> None:
    results = [(await result_of(worktree, f"{n}\n", tmp_path / f"b{n}"), tmp_path / f"b{n}") for n in range(4)]
    outcomes = await asyncio.gather(
        *(publish_branch(str(bare), bundle, commit, BRANCH, None) for commit, bundle in results), return_exceptions=True
    )
    assert [outcome for outcome in outcomes if isinstance(outcome, str)] == [sh_git(bare, "rev-parse", BRANCH)]
    assert sum(isinstance(outcome, GitFailed) for outcome in outcomes) == len(results) - 1


async def test_a_checked_out_branch_is_never_touched(worktree: Worktree, tmp_path: Path, target: Path) -> None:
    commit = await result_of(worktree, "x\n", tmp_path / "b")
    sh_git(target, "config", "receive.denyCurrentBranch", "updateInstead")
    sh_git(target, "worktree", "add", "--quiet", str(tmp_path / "linked"), "side")
    for branch in ("main", "side"):
        with pytest.raises(BranchCheckedOut):
            await publish_branch(str(target), tmp_path / "b", commit, branch, sh_git(target, "rev-parse", branch))
    sh_git(target, "checkout", "--quiet", "--orphan", "unborn")
    with pytest.raises(BranchCheckedOut):
        await publish_branch(str(target), tmp_path / "b", commit, "unborn", None)
    assert (target / "app.py").read_text() == "def add(a, b):\n    return a - b\n"


async def test_the_default_branch_of_a_bare_repository_is_nobodys_checkout(
    worktree: Worktree, tmp_path: Path, bare: Path
) -> None:
    commit = await result_of(worktree, "x\n", tmp_path / "b")
    await publish_branch(str(bare), tmp_path / "b", commit, "main", worktree.base)
    assert sh_git(bare, "rev-parse", "main") == commit
    sh_git(bare, "worktree", "add", "--quiet", str(tmp_path / "linked"), "side")
    with pytest.raises(BranchCheckedOut):
        await publish_branch(str(bare), tmp_path / "b", commit, "side", sh_git(bare, "rev-parse", "side"))


async def test_the_hooks_of_a_persons_repository_do_not_run_but_a_servers_rules_do(
    worktree: Worktree, tmp_path: Path, target: Path, bare: Path, trap: tuple[str, Callable[[], bool]]
) -> None:
    command, sprung = trap
    commit = await result_of(worktree, "x\n", tmp_path / "b")
    for place in (target / ".git", bare):
        (place / "hooks").mkdir(exist_ok=True)
        (place / "hooks" / "update").symlink_to(command)
    await publish_branch(str(target), tmp_path / "b", commit, BRANCH, None)
    assert not sprung()
    await publish_branch(str(bare), tmp_path / "b", commit, BRANCH, None)
    assert sprung()


async def test_a_directory_inside_another_repository_is_not_taken_for_a_repository(
    worktree: Worktree, tmp_path: Path, target: Path
) -> None:
    commit = await result_of(worktree, "x\n", tmp_path / "b")
    with pytest.raises(GitFailed):
        await publish_branch(str(target / "docs"), tmp_path / "b", commit, BRANCH, None)
    assert sh_git(target, "branch", "--list", "journeyman/*") == ""


@pytest.mark.parametrize("branch", ["", "-d", "a b", "x..y", "../main", "a:b", "a\nb", "x.lock", "@{u}", "a\0b"])
async def test_a_name_git_does_not_allow_is_refused(bare: Path, tmp_path: Path, branch: str) -> None:
    with pytest.raises(ValueError, match="name"):
        await publish_branch(str(bare), tmp_path / "none", "1" * 40, branch, None)
    assert sh_git(bare, "for-each-ref", "--format=%(refname)", "refs/heads/").split() == [
        "refs/heads/main",
        "refs/heads/side",
    ]


@pytest.mark.parametrize(
    "title",
    ["Fix add()", "", "   ", "Ünïcödé & 日本語", "../../etc/passwd", "x.lock", "-d --force", "a" * 500, "line\nbreak"],
)
def test_branch_names_are_valid_for_git_and_stable(title: str) -> None:
    name = branch_name("01JX7M3ZK8Q4V9T2B6N5R1C0WD", title)
    assert re.fullmatch(r"journeyman/01jx7m3zk8q4v9t2b6n5r1c0wd(-[a-z0-9-]{1,40})?", name)
    assert (
        subprocess.run(["git", "check-ref-format", "--branch", name], check=False, capture_output=True).returncode == 0
    )
    assert branch_name("01JX7M3ZK8Q4V9T2B6N5R1C0WD", title) == name
    assert task_id_in(name) == "01JX7M3ZK8Q4V9T2B6N5R1C0WD"


def test_a_branch_name_says_what_it_is_for() -> None:
    assert (
        branch_name("01JX7M3ZK8Q4V9T2B6N5R1C0WD", "Fix add(): it subtracts!")
        == "journeyman/01jx7m3zk8q4v9t2b6n5r1c0wd-fix-add-it-subtracts"
    )


async def test_a_shallow_clone_takes_a_result(tmp_path: Path, target: Path) -> None:
    sh_git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{target}", "shallow")
    shallow = tmp_path / "shallow"
    mirror = Mirror(tmp_path / "mirrors", str(shallow))
    await mirror.fetch()
    worktree = await Worktree.create(mirror, tmp_path / "w", await mirror.resolve(None))
    commit = await result_of(worktree, "fixed\n", tmp_path / "b")
    assert await publish_branch(str(shallow), tmp_path / "b", commit, BRANCH, None) == commit
    assert sh_git(shallow, "show", f"{BRANCH}:app.py") == "fixed"
    sh_git(shallow, "fsck", "--strict")
    checks = await Worktree.checkout(Mirror(tmp_path / "m2", str(shallow)), tmp_path / "c", commit)
    assert (checks.path / "app.py").read_text() == "fixed\n"


RULES = r"""printf 'error: GH013: Repository rule violations found for refs/heads/x.\n\n- Cannot create ref\n' >&2
printf 'branch names must \033[31mmatch\342\200\256 ^feature/\n' >&2
exit 1
"""


async def test_a_refusal_says_what_the_server_says(worktree: Worktree, tmp_path: Path, bare: Path) -> None:
    hook = bare / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{RULES}")
    hook.chmod(0o755)
    commit = await result_of(worktree, "x\n", tmp_path / "b")
    with pytest.raises(GitFailed) as refusal:
        await publish_branch(str(bare), tmp_path / "b", commit, BRANCH, None)
    said = str(refusal.value)
    assert "pre-receive hook declined" in said
    assert said.endswith(
        "The server says: error: GH013: Repository rule violations found for refs/heads/x. / - Cannot create ref / "
        "branch names must ␛[31mmatch<U+202E> ^feature/"
    )
    assert "GH013" in refusal.value.detail


def test_a_server_that_talks_for_ever_is_cut() -> None:
    words = failed(("push",), Answer(1, b"", "remote: a" * 3 + "\nremote: " + "b" * 5_000 + "\n ! rejected")).args[0]
    assert "rejected. The server says: a" in words
    assert words.endswith("b…")
    assert len(words) < REMOTE_WORDS + 100


@pytest.mark.parametrize("there", ["journeyman", f"{BRANCH}/deeper/still"])
async def test_a_branch_in_the_way_is_named_before_and_after_the_work(
    worktree: Worktree, tmp_path: Path, bare: Path, there: str
) -> None:
    await refuse_branch_in_the_way(worktree.mirror, BRANCH)
    sh_git(bare, "branch", there, "main")
    commit = await result_of(worktree, "x\n", tmp_path / "b")
    with pytest.raises(BranchInTheWay, match="branch_prefix") as refusal:
        await publish_branch(str(bare), tmp_path / "b", commit, BRANCH, None)
    assert refusal.value.found == there
    seen = Mirror(tmp_path / "another", str(bare))
    await seen.fetch()
    with pytest.raises(BranchInTheWay, match=f"a branch {there} is there"):
        await refuse_branch_in_the_way(seen, BRANCH)
    other = branch_name("01JX7", "x", "bots/journeyman")
    await refuse_branch_in_the_way(seen, other)
    assert await publish_branch(str(bare), tmp_path / "b", commit, other, None) == commit


@pytest.mark.parametrize(
    ("refs", "found"),
    [
        (["refs/heads/a"], "a"),
        (["refs/heads/a/b"], "a/b"),
        (["refs/heads/a/b/c/d"], "a/b/c/d"),
        (["refs/heads/a/b/c", "refs/heads/a/b/cd", "refs/heads/a/x", "refs/heads/ab", "refs/tags/a"], None),
        ([], None),
    ],
)
def test_a_branch_is_in_the_way_when_it_is_a_part_of_the_name_or_below_it(refs: list[str], found: str | None) -> None:
    assert branch_in_the_way(refs, "a/b/c") == found


async def test_a_target_that_can_be_written_is_no_obstacle(tmp_path: Path, target: Path, bare: Path) -> None:
    sh_git(target, "worktree", "add", "--quiet", str(tmp_path / "linked"), "side")
    for place in (target, bare, tmp_path / "linked"):
        assert cannot_write(str(place)) is None
    assert cannot_write("https://example.org/o/r.git") is None
    assert "not a git repository" in str(cannot_write(str(target / "docs")))


def as_nobody(question: Callable[[], str | None]) -> str:
    """What a user without any rights is answered; root may write everywhere."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        if os.getuid() == 0:
            os.setuid(65534)
        os.write(writable, str(question()).encode())
        os._exit(0)
    os.close(writable)
    os.waitpid(child, 0)
    with os.fdopen(readable) as answer:
        return answer.read()


@pytest.mark.parametrize("folder", ["objects", "refs/heads"])
def test_a_target_that_cannot_be_written_is_known_without_trying(folder: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        sh_git(Path(place), "init", "--quiet", "--bare", "t.git")
        (Path(place) / "t.git" / folder).chmod(0o555)
        sentence = as_nobody(lambda: cannot_write(f"{place}/t.git"))
        assert "cannot be written" in sentence
        assert "None" not in sentence


async def test_a_branch_is_deleted_only_where_it_was_left(
    worktree: Worktree, tmp_path: Path, target: Path, bare: Path
) -> None:
    commit = await result_of(worktree, "x\n", tmp_path / "b")
    for place in (target, bare):
        await publish_branch(str(place), tmp_path / "b", commit, BRANCH, None)
        with pytest.raises(BranchTaken):
            await delete_branch(str(place), BRANCH, worktree.base, worktree.mirror)
        assert sh_git(place, "rev-parse", BRANCH) == commit
        for _ in "once", "again":
            await delete_branch(str(place), BRANCH, commit, worktree.mirror)
            assert sh_git(place, "branch", "--list", BRANCH) == ""
    await publish_branch(str(target), tmp_path / "b", commit, BRANCH, None)
    sh_git(target, "checkout", "--quiet", BRANCH)
    with pytest.raises(BranchCheckedOut):
        await delete_branch(str(target), BRANCH, commit, worktree.mirror)
