"""What differs between two commits or trees of a mirror: entries, lines per file, and the unified diff."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from shared.workspace.git import ask, failed, git, printable

MAX_DIFF: Final = 1024 * 1024
"""Bytes of a diff by default."""
_OPTIONS: Final = ("--no-ext-diff", "--no-textconv", "--no-renames", "--no-color", "--ignore-submodules=none")
_PATCH: Final = ("-p", "--src-prefix=a/", "--dst-prefix=b/")
_REGULAR: Final = ("100644", "100755")


class ChangedFile(msgspec.Struct, frozen=True):
    """One changed path: status A(dded), M(odified), D(eleted) or T(ype), lines (None when binary)."""

    path: str
    status: str
    added: int | None
    removed: int | None


class ChangedEntry(msgspec.Struct, frozen=True):
    """One path whose tree entry differs: octal modes and blob ids, both of zeros where the side has no such path.

    ``path`` carries bytes that are not UTF-8 as surrogates (``os.fsencode`` gives the bytes).
    """

    path: str
    status: str
    old_mode: str
    new_mode: str
    old_blob: str
    new_blob: str

    @property
    def is_file(self) -> bool:
        """Whether the newer side is a regular file."""
        return self.new_mode in _REGULAR

    @property
    def was_file(self) -> bool:
        """Whether the older side is a regular file."""
        return self.old_mode in _REGULAR


class Difference(msgspec.Struct, frozen=True):
    """Everything that differs between two commits or trees, and the diff for a person."""

    entries: list[ChangedEntry]
    files: list[ChangedFile]
    diff: str


async def difference(repository: Path, old: str, new: str, limit: int = MAX_DIFF) -> Difference:
    """What `changed_entries`, `changed_files` and `unified_diff` say, by one process unless it is a lot."""
    what = _diff_tree(repository, "-z", "--raw", "--numstat", "--no-abbrev", *_PATCH)
    answer = await ask(*what, old, new, max_output=4 * limit, cut=True)
    if answer.code != 0:
        raise failed(("diff-tree",), answer)
    if answer.cut:
        entries, files = await changed_entries(repository, old, new), await changed_files(repository, old, new)
        return Difference(entries, files, await unified_diff(repository, old, new, limit))
    lists, _, diff = answer.out.partition(b"\0\0")
    entries, files = _lists(lists.decode("utf-8", "surrogateescape"))
    return Difference(entries, files, _for_people(diff, limit, is_cut=len(diff) > limit))


async def changed_entries(repository: Path, old: str, new: str) -> list[ChangedEntry]:
    """The entries that differ between two commits or trees, sorted by path. Source of the form: git-diff-tree(1)."""
    fields = (await git(*_diff_tree(repository, "-z", "--raw", "--no-abbrev"), old, new)).split("\0")
    return [_entry(head, path) for head, path in zip(fields[0::2], fields[1::2], strict=False)]


async def changed_files(repository: Path, old: str, new: str) -> list[ChangedFile]:
    """Paths that differ, sorted and printable; a renamed file is one D and one A."""
    return _lists(await git(*_diff_tree(repository, "-z", "--raw", "--numstat", "--no-abbrev"), old, new))[1]


def _lists(text: str) -> tuple[list[ChangedEntry], list[ChangedFile]]:
    fields = text.removesuffix("\0").split("\0") if text else []
    # Two fields for each path come first, its entry and its name; then one for each, with its counts and its name.
    entries = [_entry(fields[at], fields[at + 1]) for at in range(0, len(fields) // 3 * 2, 2)]
    counts = (row.split("\t", 2) for row in fields[2 * len(entries) :] if row)
    lines = {path: (added, removed) for added, removed, path in counts}
    return entries, [
        ChangedFile(printable(entry.path), entry.status, *(int(n) if n != "-" else None for n in lines[entry.path]))
        for entry in entries
    ]


async def unified_diff(repository: Path, old: str, new: str, limit: int = MAX_DIFF) -> str:
    """The diff for a person, cut after ``limit`` bytes with a line that says so."""
    answer = await ask(*_diff_tree(repository, *_PATCH), old, new, max_output=limit, cut=True)
    if answer.code != 0:
        raise failed(("diff-tree",), answer)
    return _for_people(answer.out, limit, is_cut=answer.cut)


def _for_people(diff: bytes, limit: int, *, is_cut: bool) -> str:
    text = printable(diff[:limit].decode("utf-8", "surrogateescape"))
    if not is_cut:
        return text
    return text[: text.rfind("\n") + 1] + f"[the diff was cut after {limit} bytes]\n"


def _diff_tree(repository: Path, *options: str) -> tuple[str, ...]:
    return (f"--git-dir={repository}", "diff-tree", "-r", *_OPTIONS, *options)


def _entry(head: str, path: str) -> ChangedEntry:
    old_mode, new_mode, old_blob, new_blob, status = head.removeprefix(":").split(" ")
    return ChangedEntry(path, status, old_mode, new_mode, old_blob, new_blob)
