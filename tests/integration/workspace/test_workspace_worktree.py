from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from shared.workspace.git import GitFailed
from shared.workspace.mirror import Mirror
from shared.workspace.worktree import ChangedFile, Worktree
from tests.integration.workspace.workspace_support import ADA, CHECKPOINT, NOON, sh_git


async def test_a_new_worktree_has_the_base_checked_out_and_nothing_changed(worktree: Worktree) -> None:
    assert (worktree.path / "README.md").read_text() == "hello\n"
    assert sh_git(worktree.path, "rev-parse", "HEAD") == worktree.base
    assert sh_git(worktree.path, "status", "--porcelain") == ""
    assert await worktree.changed_files() == []
    assert await worktree.diff() == ""
    assert await worktree.commit("nothing", ADA, at=NOON) is None


async def test_it_is_a_git_worktree_with_the_names_an_agent_expects_but_no_remote(worktree: Worktree) -> None:
    assert str(worktree.path) in sh_git(worktree.path, "worktree", "list")
    assert sh_git(worktree.path, "describe", "--tags").startswith("v1-1-")
    assert sh_git(worktree.path, "rev-parse", "origin/main") == worktree.base
    assert sh_git(worktree.path, "remote") == ""


async def test_creating_it_again_keeps_the_work(worktree: Worktree) -> None:
    (worktree.path / "app.py").write_text("changed\n")
    again = await Worktree.create(worktree.mirror, worktree.path, worktree.base)
    assert (again.path / "app.py").read_text() == "changed\n"


async def test_another_base_never_replaces_the_work_silently(worktree: Worktree) -> None:
    with pytest.raises(GitFailed, match="another base"):
        await Worktree.create(worktree.mirror, worktree.path, await worktree.mirror.resolve("v1"))


@pytest.mark.parametrize("lost", ["state", "git_dir", "path"])
async def test_a_half_made_worktree_is_made_again(worktree: Worktree, lost: str) -> None:
    (worktree.path / "README.md").write_text("half written")
    match lost:
        case "state":
            next((worktree.mirror.path / "journeyman").glob("*/state")).unlink()
        case "git_dir":
            shutil.rmtree(worktree.git_dir)
        case _:
            shutil.rmtree(worktree.path)
    again = await Worktree.create(worktree.mirror, worktree.path, worktree.base)
    assert (again.path / "README.md").read_text() == "hello\n"
    assert sh_git(again.path, "status", "--porcelain") == ""


async def test_a_base_the_mirror_does_not_have_is_refused(mirror: Mirror, tmp_path: Path) -> None:
    with pytest.raises(GitFailed, match="does not have the base"):
        await Worktree.create(mirror, tmp_path / "w", "1" * 40)


async def test_a_snapshot_holds_tracked_and_new_files_but_no_ignored_ones(worktree: Worktree) -> None:
    (worktree.path / "app.py").write_text("changed\n")
    (worktree.path / "new.txt").write_text("new\n")
    (worktree.path / "docs" / "guide.md").unlink()
    (worktree.path / "noise.log").write_text("noise\n")
    commit = await worktree.snapshot("turn 1", CHECKPOINT, at=NOON)
    names = await worktree.mirror.git("ls-tree", "-r", "--name-only", str(commit))
    assert names.split() == [".gitignore", "README.md", "app.py", "new.txt"]
    assert (await worktree.mirror.git("rev-parse", CHECKPOINT)).strip() == commit


async def test_a_snapshot_leaves_the_agents_index_head_and_refs_alone(worktree: Worktree) -> None:
    (worktree.path / "staged.txt").write_text("staged\n")
    sh_git(worktree.path, "add", "staged.txt")
    (worktree.path / "staged.txt").write_text("staged, then changed\n")
    (worktree.path / "untracked.txt").write_text("untracked\n")
    index = next((worktree.git_dir / "worktrees").glob("*/index"))

    def seen_by_the_agent() -> tuple[bytes, str, str, str]:
        refs = sh_git(worktree.path, "for-each-ref")
        return (
            index.read_bytes(),
            sh_git(worktree.path, "rev-parse", "HEAD"),
            refs,
            sh_git(worktree.path, "status", "-s"),
        )

    before = seen_by_the_agent()
    assert await worktree.snapshot("turn 1", CHECKPOINT, at=NOON) is not None
    assert seen_by_the_agent() == before
    assert before[3].split("\n") == ["AM staged.txt", "?? untracked.txt"]


async def test_a_snapshot_of_the_same_files_is_not_made_twice(worktree: Worktree) -> None:
    (worktree.path / "app.py").write_text("one\n")
    first = await worktree.snapshot("turn 1", CHECKPOINT, at=NOON)
    assert await worktree.snapshot("turn 2", CHECKPOINT, at=NOON) is None
    (worktree.path / "app.py").write_text("two\n")
    second = await worktree.snapshot("turn 3", CHECKPOINT, at=NOON)
    assert second not in (None, first)
    assert (await worktree.mirror.git("rev-parse", f"{second}^")).strip() == worktree.base


async def test_a_change_of_the_same_size_in_the_same_moment_is_seen(worktree: Worktree) -> None:
    file = worktree.path / "app.py"
    seen = set()
    for turn in range(8):
        file.write_text(f"{turn}\n")
        seen.add(await worktree.snapshot(f"turn {turn}", CHECKPOINT, at=NOON))
    assert len(seen) == 8
    assert None not in seen


@pytest.mark.parametrize(
    "ref", ["refs/heads/main", "refs/journeyman/a b", "--delete", "refs/journeyman/../heads/x", ""]
)
async def test_a_snapshot_goes_to_a_private_ref_only(worktree: Worktree, ref: str) -> None:
    with pytest.raises(ValueError, match="ref name"):
        await worktree.snapshot("x", ref, at=NOON)


async def test_a_commit_made_again_after_a_crash_is_the_same_commit(worktree: Worktree, tmp_path: Path) -> None:
    (worktree.path / "app.py").write_text("def add(a, b):\n    return a + b\n")
    first = await worktree.commit("Fix add\n\nIt subtracted.", ADA, at=NOON)
    again = await Worktree.create(worktree.mirror, worktree.path, worktree.base)
    assert await again.commit("Fix add\n\nIt subtracted.", ADA, at=NOON + timedelta(milliseconds=400)) == first
    assert first is not None
    elsewhere = await Worktree.create(worktree.mirror, tmp_path / "elsewhere", worktree.base)
    (elsewhere.path / "app.py").write_text("def add(a, b):\n    return a + b\n")
    assert await elsewhere.commit("Fix add\n\nIt subtracted.", ADA, at=NOON) == first
    assert await elsewhere.commit("Another message", ADA, at=NOON) != first


async def test_the_final_commit_is_one_commit_on_the_base_whatever_the_agent_committed(worktree: Worktree) -> None:
    for turn in range(3):
        (worktree.path / "app.py").write_text(f"{turn}\n")
        sh_git(worktree.path, "commit", "--quiet", "--all", f"--message=turn {turn}")
    commit = await worktree.commit("Done – für Ada", ADA, at=NOON)
    assert commit is not None
    assert commit.parent == worktree.base
    shown = await worktree.mirror.git("log", "--format=%P|%an|%ae|%at|%cn|%s", "-1", commit.id)
    assert shown == f"{worktree.base}|Ada Lovelace|ada@example.org|1714564800|Journeyman|Done – für Ada\n"


async def test_a_commit_needs_a_time_with_a_zone(worktree: Worktree) -> None:
    (worktree.path / "app.py").write_text("x\n")
    with pytest.raises(ValueError, match="zone"):
        await worktree.commit("x", ADA, at=NOON.replace(tzinfo=None))


async def test_changed_files_and_diff_say_what_changed(worktree: Worktree) -> None:
    (worktree.path / "app.py").write_text("def add(a, b):\n    return a + b\n")
    (worktree.path / "logo.bin").write_bytes(b"\0\1\2")
    (worktree.path / "docs" / "guide.md").unlink()
    assert await worktree.changed_files() == [
        ChangedFile("app.py", "M", 1, 1),
        ChangedFile("docs/guide.md", "D", 0, 1),
        ChangedFile("logo.bin", "A", None, None),
    ]
    diff = await worktree.diff()
    assert "-    return a - b\n+    return a + b\n" in diff
    assert "Binary files /dev/null and b/logo.bin differ" in diff


async def test_a_diff_is_cut_at_its_limit_and_says_so(worktree: Worktree) -> None:
    (worktree.path / "long.txt").write_text("line\n" * 400_000)
    diff = await worktree.diff(limit=10_000)
    assert diff.endswith("+line\n[the diff was cut after 10000 bytes]\n")
    assert len(diff) < 10_100


WEIRD = [
    b"with space.txt",
    "snow ☃ é.txt".encode(),
    b"new\nline.txt",
    b"-rf",
    b"--output=x",
    b'quote".txt',
    b"back\\slash",
    b"tab\there",
    b"latin-\xe9",
    b":(exclude)x",
    b"*",
    b"# comment",
]


async def test_weird_file_names_go_all_the_way_to_another_machine(
    worktree: Worktree, tmp_path: Path, target: Path
) -> None:
    root = os.fsencode(worktree.path)
    for name in WEIRD:
        Path(os.fsdecode(root + b"/" + name)).write_bytes(name)
        Path(os.fsdecode(root + b"/dir " + name)).mkdir()
        Path(os.fsdecode(root + b"/dir " + name + b"/" + name)).write_bytes(name)
    commit = await worktree.snapshot("weird", CHECKPOINT, at=NOON)
    assert commit is not None
    assert len(await worktree.changed_files()) == 2 * len(WEIRD)
    await worktree.bundle(CHECKPOINT, out=tmp_path / "weird.bundle")
    other = Mirror(tmp_path / "other", str(target))
    restored = await Worktree.restore(other, tmp_path / "there" / "w", tmp_path / "weird.bundle", commit)
    for name in WEIRD:
        for path in (name, b"dir " + name + b"/" + name):
            assert Path(os.fsdecode(os.fsencode(restored.path) + b"/" + path)).read_bytes() == name


async def test_names_are_valid_unicode_for_events(worktree: Worktree) -> None:
    Path(os.fsdecode(os.fsencode(worktree.path) + b"/latin-\xe9")).write_bytes(b"x\xff\n")
    (changed,) = await worktree.changed_files()
    assert changed.path == "latin-\\xe9"
    (changed.path + await worktree.diff()).encode("utf-8")


async def test_symlinks_are_kept_as_links_and_never_followed(worktree: Worktree, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret\n")
    (worktree.path / "link").symlink_to(outside)
    shutil.rmtree(worktree.path / "docs")
    (worktree.path / "docs").symlink_to(outside)
    commit = await worktree.commit("links", ADA, at=NOON)
    assert commit is not None
    tree = await worktree.mirror.git("ls-tree", "-r", commit.id)
    assert [line.split()[0] for line in tree.splitlines() if line.endswith(("docs", "link"))] == ["120000"] * 2
    assert "secret" not in tree
    await worktree.remove()
    assert (outside / "secret").exists()


async def test_a_worktree_replaced_by_a_link_is_not_read_and_its_removal_spares_the_target(
    worktree: Worktree, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret\n")
    shutil.rmtree(worktree.path)
    worktree.path.symlink_to(outside)
    with pytest.raises(GitFailed, match="not a directory"):
        await worktree.snapshot("x", CHECKPOINT, at=NOON)
    await worktree.remove()
    assert (outside / "secret").exists()
    assert not worktree.path.is_symlink()


async def test_removing_leaves_nothing_behind_and_can_be_done_twice(worktree: Worktree) -> None:
    (worktree.path / "app.py").write_text("x\n")
    await worktree.snapshot("turn 1", CHECKPOINT, at=NOON)
    await worktree.commit("x", ADA, at=NOON)
    locked = worktree.path / "read-only" / "module"
    locked.mkdir(parents=True)
    (locked / "file").write_text("x")
    locked.chmod(0o555)
    locked.parent.chmod(0o555)
    await worktree.remove()
    await worktree.remove()
    assert list(worktree.path.parent.iterdir()) == []
    assert list((worktree.mirror.path / "journeyman").iterdir()) == []
    refs = await worktree.mirror.git("for-each-ref", "--format=%(refname)", "refs/journeyman/")
    assert refs.split() == ["refs/journeyman/remote-head"]


async def test_tasks_of_one_mirror_do_not_see_one_another(mirror: Mirror, tmp_path: Path) -> None:
    base = await mirror.resolve(None)
    one, two = [await Worktree.create(mirror, tmp_path / "w" / name, base) for name in ("one", "two")]
    sh_git(one.path, "config", "core.hooksPath", ".husky")
    sh_git(one.path, "branch", "mine")
    assert "husky" not in sh_git(two.path, "config", "--list")
    assert "mine" not in sh_git(two.path, "branch", "--list")
    await one.remove()
    assert sh_git(two.path, "status", "--porcelain") == ""
    sh_git(two.path, "fsck", "--connectivity-only")
