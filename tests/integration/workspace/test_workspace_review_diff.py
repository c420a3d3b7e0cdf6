"""What a pull request changes, as GitHub shows it: since it left its base, and by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.workspace.git import GitFailed
from shared.workspace.mirror import Mirror
from shared.workspace.review_diff import DiffLines, ReviewDiff, review_diff
from tests.integration.workspace.workspace_support import sh_git

TEN = "".join(f"line {n}\n" for n in range(1, 11))


def commit(target: Path, **files: str | bytes | None) -> str:
    """A commit of these files, whose names have ``__`` for a dot; None removes one."""
    for name, text in files.items():
        path = target / name.replace("__", ".")
        if text is None:
            path.unlink()
        else:
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
    sh_git(target, "add", "--all")
    sh_git(target, "commit", "--quiet", "--message=x")
    return sh_git(target, "rev-parse", "HEAD")


async def seen(
    mirror: Mirror, head: str, *, base: str = "main", base_commit: str = "", limit: int = 10_000
) -> ReviewDiff:
    await mirror.fetch()
    await mirror.resolve(head)
    return await review_diff(mirror, base, base_commit, head, limit=limit)


def lines(left: set[int], right: set[int]) -> DiffLines:
    return DiffLines(frozenset(left), frozenset(right))


async def test_what_the_base_has_got_meanwhile_is_none_of_its_changes(mirror: Mirror, target: Path) -> None:
    left_at = sh_git(target, "rev-parse", "main")
    sh_git(target, "checkout", "--quiet", "-b", "feature")
    head = commit(target, new__py="one\ntwo\n")
    sh_git(target, "checkout", "--quiet", "main")
    commit(target, other__py="three\n")
    diff = await seen(mirror, head)
    assert (diff.base, diff.head, diff.is_cut) == (left_at, head, False)
    assert diff.lines == {"new.py": lines(set(), {1, 2})}
    assert "+++ b/new.py" in diff.text and "other.py" not in diff.text


async def test_the_head_of_a_fork_is_on_no_branch_of_ours(mirror: Mirror, target: Path) -> None:
    sh_git(target, "checkout", "--quiet", "-b", "fork")
    head = commit(target, new__py="one\n")
    sh_git(target, "update-ref", "refs/pull/7/head", head)
    sh_git(target, "checkout", "--quiet", "main")
    sh_git(target, "branch", "--delete", "--force", "fork")
    assert set((await seen(mirror, head)).lines) == {"new.py"}


async def test_what_is_merged_already_is_seen_against_where_its_base_stood(mirror: Mirror, target: Path) -> None:
    stood = sh_git(target, "rev-parse", "main")
    head = commit(target, new__py="one\n")
    for base in ("main", "gone"):
        assert (await seen(mirror, head, base=base, base_commit=stood)).base == stood
    with pytest.raises(GitFailed, match="changes nothing"):
        await seen(mirror, head)


async def test_every_line_that_is_shown_is_known_on_its_side(mirror: Mirror, target: Path) -> None:
    commit(target, long__txt=TEN, moved__txt=TEN, gone__txt="a\nb\n")
    sh_git(target, "checkout", "--quiet", "-b", "feature")
    (target / "with blank ü.txt").write_text("x")
    (target / "moved.txt").rename(target / "elsewhere.txt")
    head = commit(
        target,
        long__txt=TEN.replace("line 5\n", "five\nand a half\n"),
        elsewhere__txt=TEN.replace("line 10\n", "ten\n"),
        gone__txt=None,
        binary__bin=b"\0\1\2",
        headers__txt="-- a/long.txt\n++ b/long.txt\n@@ -1 +1 @@\n",
    )
    diff = await seen(mirror, head)
    assert diff.lines == {
        "long.txt": lines(set(range(2, 9)), set(range(2, 10))),
        "elsewhere.txt": lines({7, 8, 9, 10}, {7, 8, 9, 10}),
        "gone.txt": lines({1, 2}, set()),
        "headers.txt": lines(set(), {1, 2, 3}),
        "with blank ü.txt": lines(set(), {1}),
    }


async def test_a_long_diff_is_cut_between_lines_and_its_lines_are_known_all_the_same(
    mirror: Mirror, target: Path
) -> None:
    sh_git(target, "checkout", "--quiet", "-b", "feature")
    head = commit(target, new__py="one line of some length\n" * 200)
    diff = await seen(mirror, head, limit=1_000)
    assert diff.is_cut and len(diff.text) <= 1_000 and diff.text.endswith("+one line of some length\n")
    assert diff.lines["new.py"].right == frozenset(range(1, 201))
