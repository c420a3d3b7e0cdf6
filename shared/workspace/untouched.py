"""A file whose bytes are still those that the checkout wrote keeps the blob it was checked out from.

`git add` may make another blob of an untouched file: when the blob in the base does not agree with the line ends that
``.gitattributes`` asks for, when the agent writes or removes such a file, when ``ident`` or an encoding does not
survive the way back. Whether git looks at the file at all depends on its time. So what is not the agent's change is
taken out again: the reference's version is written the way a checkout writes it, and where the worktree has the same
bytes, the reference's blob stays. A real change of the mode stays too.
"""

from __future__ import annotations

import asyncio
import filecmp
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from shared.workspace.attributes import attribute_files, is_attribute_file
from shared.workspace.changes import ChangedEntry, changed_entries
from shared.workspace.git import git


async def keep_untouched(
    repository: Path, directory: Path, index: Path, tree: str, references: Sequence[str], changes: list[ChangedEntry]
) -> str:
    """The tree with the references' blobs for all files that ``directory`` holds as a checkout wrote them.

    ``tree`` was made from ``index``; ``references`` are the commits whose files were checked out there, the one that
    changes are told against first; ``changes`` is what differs between that one and ``tree``.
    """
    modified = [change.path for change in changes if change.is_file and change.was_file and _has_other_blob(change)]
    added = [change.path for change in changes if change.is_file and not change.was_file]
    candidates = {*modified, *(added if len(references) > 1 else ())}
    if not candidates:
        return tree
    seen = [changes, *[await changed_entries(repository, reference, tree) for reference in references[1:]]]
    if not (attribute_files(directory, candidates) or any(is_attribute_file(c.path) for each in seen for c in each)):
        return tree  # no conversion anywhere: other bytes are other blobs
    kept: dict[str, tuple[str, str]] = {}
    with tempfile.TemporaryDirectory(prefix="untouched-", dir=index.parent) as scratch:
        for number, reference in enumerate(references):
            left = {
                change.path: change
                for change in seen[number]
                if change.path in candidates - kept.keys() and change.was_file and change.is_file
            }
            written = Path(scratch, f"files-{number}")
            await _check_out(repository, reference, left, written)
            same = await asyncio.to_thread(_same_bytes, directory, written, left)
            kept |= {path: (left[path].new_mode, left[path].old_blob) for path in same}
        return await _with_entries(repository, index, Path(scratch, "index"), kept) if kept else tree


def _has_other_blob(change: ChangedEntry) -> bool:
    return change.old_blob != change.new_blob


async def _check_out(repository: Path, reference: str, paths: Iterable[str], out: Path) -> None:
    """Write the reference's files below ``out`` with the reference's own attributes."""
    empty = out.with_name(f"{out.name}-none")  # git looks for attributes here first, and then in the index
    empty.mkdir()
    out.mkdir()
    env = {"GIT_DIR": str(repository), "GIT_WORK_TREE": str(empty), "GIT_INDEX_FILE": f"{out}.index"}
    await git("read-tree", reference, cwd=empty, env=env)
    listed = b"\0".join(os.fsencode(path) for path in paths)
    # A file that git cannot convert is written as it is, here as in the checkout, with an error on the way.
    await git(
        "checkout-index", "--quiet", "-z", "--stdin", f"--prefix={out}/", cwd=empty, env=env, input=listed, check=False
    )


def _same_bytes(directory: Path, written: Path, paths: Iterable[str]) -> list[str]:
    """The paths that are regular files with the same bytes on both sides."""
    return [path for path in paths if _is_same(directory / path, written / path)]


def _is_same(one: Path, other: Path) -> bool:
    try:
        return not one.is_symlink() and filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False


async def _with_entries(repository: Path, index: Path, copy: Path, entries: Mapping[str, tuple[str, str]]) -> str:
    """The tree of a copy of the index with these entries (octal mode, blob id) in place of its own.

    The index itself keeps what `git add` made of the files: with their times there, they need not be read again.
    """
    shutil.copy2(index, copy)
    env = {"GIT_DIR": str(repository), "GIT_INDEX_FILE": str(copy)}
    lines = b"".join(f"{mode} {blob}\t".encode() + os.fsencode(path) + b"\0" for path, (mode, blob) in entries.items())
    await git("update-index", "-z", "--index-info", env=env, input=lines)
    return (await git("write-tree", env=env)).strip()
