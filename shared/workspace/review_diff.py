"""What a pull request changes, as GitHub shows it: from where it left its base branch to its head, renames seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from shared.workspace.changes import MAX_DIFF
from shared.workspace.git import GitFailed, ask, commit_id, failed, printable
from shared.workspace.mirror import Mirror, UnknownRef

MAX_READ: Final = 4 * MAX_DIFF
"""Bytes of a diff in which lines are looked up."""
_OPTIONS: Final = ("--no-ext-diff", "--no-textconv", "--no-color", "-M", "--src-prefix=a/", "--dst-prefix=b/")
_HUNK: Final = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


class DiffLines(msgspec.Struct, frozen=True):
    """The lines of one file that a diff shows, by their numbers before (``left``) and after (``right``)."""

    left: frozenset[int]
    right: frozenset[int]


class ReviewDiff(msgspec.Struct, frozen=True, kw_only=True):
    """The diff from ``base`` to ``head`` for a reader, and by path the lines it shows. ``is_cut``: there is more."""

    base: str
    head: str
    text: str
    lines: dict[str, DiffLines]
    is_cut: bool = False


async def review_diff(mirror: Mirror, base: str, base_commit: str, head: str, *, limit: int) -> ReviewDiff:
    """What ``head`` changes since it left the branch ``base``, or ``base_commit`` where that branch has it already.

    ``limit`` bounds the characters of the text. Raises ``GitFailed``.
    """
    start = await _start(mirror, base, base_commit, head)
    answer = await ask(
        f"--git-dir={mirror.path}",
        "-c",
        "core.quotePath=false",
        *("diff-tree", "-r", "-p", *_OPTIONS, start, head),
        max_output=MAX_READ,
        cut=True,
    )
    if answer.code != 0 and not answer.cut:
        raise failed(("diff-tree",), answer)
    text = printable(answer.out.decode("utf-8", "surrogateescape"))
    is_cut = answer.cut or len(text) > limit
    shown = text[: text.rfind("\n", 0, limit) + 1] if is_cut else text
    return ReviewDiff(base=start, head=head, text=shown, lines=lines_of(text), is_cut=is_cut)


def lines_of(diff: str) -> dict[str, DiffLines]:
    """The lines that a unified diff shows, by the path that a file has after it, or had before where it is gone."""
    found: dict[str, DiffLines] = {}
    for path, left, right in _files(diff.split("\n")):
        if path:
            found[path] = DiffLines(frozenset(left), frozenset(right))
    return found


def _files(lines: list[str]) -> Iterator[tuple[str, list[int], list[int]]]:
    path, left, right = "", list[int](), list[int]()
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.startswith("diff --git "):
            yield path, left, right
            path, left, right = "", [], []
        elif line.startswith(("--- a/", "+++ b/")):
            # Git puts a tab behind a name with blanks.
            path = line[6:].split("\t")[0]
        elif hunk := _HUNK.match(line):
            before, after = int(hunk[1]), int(hunk[3])
            # By its counts, for a line of the file may look like a header.
            old, new = int(hunk[2] or 1), int(hunk[4] or 1)
            while at < len(lines) and (old > 0 or new > 0):
                sign = lines[at][:1]
                at += 1
                if sign == "\\":
                    continue
                if sign != "+":
                    left.append(before)
                    before, old = before + 1, old - 1
                if sign != "-":
                    right.append(after)
                    after, new = after + 1, new - 1
    yield path, left, right


async def _start(mirror: Mirror, base: str, base_commit: str, head: str) -> str:
    """Where the head left its base: the newest commit that both have, which is not the head itself."""
    places = []
    try:
        places.append(await mirror.resolve(base))
    except UnknownRef:
        # The branch is gone or has another name since.
        if not base_commit:
            raise
    if base_commit:
        places.append(commit_id(base_commit))
    for place in places:
        answer = await ask(f"--git-dir={mirror.path}", "merge-base", "--end-of-options", place, commit_id(head))
        if answer.code == 0 and (common := answer.text.strip()) != head:
            return common
    raise GitFailed(f"The pull request changes nothing that {base!r} has not already, or has no commit in common.")
