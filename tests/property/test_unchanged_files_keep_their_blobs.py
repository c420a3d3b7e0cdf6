"""Whatever files and attributes there are: what the agent left with the same bytes has the same entry in the result."""

from __future__ import annotations

import asyncio
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.workspace.changes import changed_entries
from shared.workspace.commits import Author
from shared.workspace.git import git
from shared.workspace.mirror import Mirror
from shared.workspace.worktree import Worktree

NAMES = ["a.txt", "b.txt", "c.bat", "d/e.c", "d/f.u16", "g h.txt"]
PIECES = [
    b"one",
    b"\n",
    b"\r\n",
    b"\r",
    b"$Id$",
    b"$Id: 12 $",
    b"$Id: a b $",
    b"\0",
    b"\xff\xfe",
    b"o\0",
    b"\xef\xbb\xbf",
]
VALUES = [
    "text",
    "-text",
    "text=auto",
    "eol=lf",
    "eol=crlf",
    "ident",
    "-ident",
    "working-tree-encoding=UTF-16",
    "binary",
]

contents = st.lists(st.sampled_from(PIECES), max_size=6).map(b"".join)
attributes = st.none() | st.lists(
    st.tuples(st.sampled_from(["*", "*.txt", "*.c", "*.u16", "d/*"]), st.lists(st.sampled_from(VALUES), max_size=3)),
    max_size=4,
).map(lambda rules: "".join(f"{pattern} {' '.join(words)}\n" for pattern, words in rules))


def write_attributes(directory: Path, where: str, text: str | None) -> None:
    file = directory / where / ".gitattributes"
    file.unlink(missing_ok=True)
    if text is not None:
        file.write_text(text)


async def check(
    files: list[bytes], before: list[str | None], after: list[str | None] | None, changes: dict[str, bytes], twice: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "target")
        (target / "d").mkdir(parents=True)
        env = {"GIT_DIR": str(target / ".git"), "GIT_WORK_TREE": str(target)}
        await git("init", "--quiet", "--initial-branch=main", str(target))
        for name, content in zip(NAMES, files, strict=True):
            (target / name).write_bytes(content)
        await git("add", "--all", cwd=target, env=env)  # the blobs are what was written: there are no attributes yet
        for where, text in zip(("", "d"), before, strict=True):
            write_attributes(target, where, text)
        await git("add", "--", ":(glob)**/.gitattributes", cwd=target, env=env, check=False)
        await git("commit", "--quiet", "--allow-empty", "--message=base", cwd=target, env=env)
        mirror = Mirror(Path(folder, "mirrors"), str(target))
        await mirror.fetch()
        worktree = await Worktree.create(mirror, Path(folder, "w"), await mirror.resolve(None))
        was = {name: (worktree.path / name).read_bytes() for name in NAMES}
        if twice:
            await worktree.snapshot("untouched", "refs/journeyman/x", at=datetime.now(UTC))
        for where, text in zip(("", "d"), after or (), strict=after is not None):
            write_attributes(worktree.path, where, text)
        for name in NAMES:
            (worktree.path / name).write_bytes(changes.get(name, was[name]))
            os.utime(worktree.path / name, (1, 1))
        untouched = {name for name in NAMES if changes.get(name, was[name]) == was[name]}
        made = await worktree.commit("done", Author("A", "a@example.org"), at=datetime.now(UTC))
        tree = made.tree if made else worktree.base
        entries = {entry.path for entry in await changed_entries(mirror.path, worktree.base, tree)}
        assert not untouched & entries
        if after is None and len(untouched) == len(NAMES):
            assert made is None


texts = st.tuples(attributes, attributes).map(list)


@settings(max_examples=8, deadline=None)
@given(
    files=st.lists(contents, min_size=len(NAMES), max_size=len(NAMES)),
    before=texts,
    after=st.none() | texts,
    changes=st.dictionaries(st.sampled_from(NAMES), contents, max_size=2),
    twice=st.booleans(),
)
def test_a_file_with_the_same_bytes_keeps_its_entry(
    files: list[bytes],
    before: list[str | None],
    after: list[str | None] | None,
    changes: dict[str, bytes],
    twice: bool,
) -> None:
    asyncio.run(check(files, before, after, changes, twice))
