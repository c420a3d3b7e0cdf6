"""Files that ``.gitattributes`` gives to Git LFS, but that a commit holds as plain blobs.

No filter of ours runs, so a pointer stays a pointer, and a new file becomes a plain blob: `git lfs` then complains
about each checkout of it. Making a pointer would need the upload of its content, so the paths are named instead.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from shared.workspace.attributes import attribute_files
from shared.workspace.changes import ChangedEntry
from shared.workspace.git import git, printable

MAX_NAMED: Final = 200
MAX_POINTER: Final = 1024
"""Bytes of a pointer, less than this. Source: the specification of Git LFS, "The Pointer"."""
_POINTER: Final = b"version https://git-lfs.github.com/spec/v1\n"
_MAX_ATTRIBUTES: Final = 1024 * 1024


async def plain_lfs_files(
    repository: Path, directory: Path, tree: str, changes: Sequence[ChangedEntry], scratch: Path
) -> tuple[str, ...]:
    """New or changed files that ``tree``, made of ``directory``, gives to LFS without holding a pointer (printable).

    ``scratch`` is a folder of ours for what is needed on the way.
    """
    written = {change.path: change.new_blob for change in changes if change.is_file}
    if not any(b"lfs" in _head(file) for file in attribute_files(directory, written)):
        return ()
    paths = await _given_to_lfs(repository, tree, sorted(written), scratch)
    plain = await _plain(repository, {written[path] for path in paths})
    return tuple(printable(path) for path in paths if written[path] in plain)[:MAX_NAMED]


async def _given_to_lfs(repository: Path, tree: str, paths: Sequence[str], scratch: Path) -> list[str]:
    """Those with ``filter=lfs`` by the attribute files in the tree."""
    with tempfile.TemporaryDirectory(prefix="lfs-", dir=scratch) as folder:
        # A repository of its own that borrows the objects: the mirror's own attributes say that nothing has a filter.
        empty = Path(folder)
        for name in ("objects", "refs", "work"):
            (empty / name).mkdir()
        (empty / "HEAD").write_text("ref: refs/heads/main\n")
        env = {
            "GIT_DIR": str(empty),
            "GIT_WORK_TREE": str(empty / "work"),
            "GIT_INDEX_FILE": str(empty / "index"),
            "GIT_OBJECT_DIRECTORY": str(repository / "objects"),
        }
        await git("read-tree", tree, cwd=empty / "work", env=env)
        asked = os.fsencode("\0".join(paths))
        listed = await git(
            "check-attr", "-z", "--cached", "--stdin", "filter", cwd=empty / "work", env=env, input=asked
        )
    fields = listed.split("\0")
    return [path for path, value in zip(fields[0::3], fields[2::3], strict=False) if value == "lfs"]


async def _plain(repository: Path, blobs: set[str]) -> set[str]:
    """Those that are no pointers; LFS keeps empty files as they are."""
    where = f"--git-dir={repository}"
    asked = "".join(f"{blob}\n" for blob in sorted(blobs)).encode()
    sized = await git(where, "cat-file", "--batch-check=%(objectname) %(objectsize)", input=asked)
    small = [blob for blob, size in (line.split(" ") for line in sized.splitlines()) if 0 < int(size) < MAX_POINTER]
    empty = {line.split(" ")[0] for line in sized.splitlines() if line.endswith(" 0")}
    asked = "".join(f"{blob}\n" for blob in small).encode()
    told = os.fsencode(await git(where, "cat-file", "--batch=%(objectname) %(objectsize)", input=asked))
    pointers: set[str] = set()
    while told:
        head, _, told = told.partition(b"\n")
        blob, size = head.decode().split(" ")
        if told.startswith(_POINTER):
            pointers.add(blob)
        told = told[int(size) + 1 :]
    return blobs - empty - pointers


def _head(file: Path) -> bytes:
    """The attribute file's bytes; git follows no link here, so none is followed."""
    try:
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as opened:
            return opened.read(_MAX_ATTRIBUTES)
    except OSError:
        return b""
