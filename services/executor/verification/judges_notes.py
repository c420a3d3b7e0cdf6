"""Telling a person where a result has changed what judges it: tests, their configuration, what checks run, CI."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from shared.contracts.evidence import Note, NoteKind
from shared.workspace.changes import changed_entries
from shared.workspace.git import ask, git, printable
from shared.workspace.judges import MAX_FILES, MAX_TEXT, Read, TakenAway, are_tests_touched, judges_changed, taken_away
from shared.workspace.mirror import Mirror

MOST_NOTES: Final = 20
SMALL: Final = 32 * 1024
"""Bytes of a file that is read together with the others."""


async def notes_on_judges(mirror: Mirror, base: str, commit: str, checks: Sequence[str]) -> tuple[Note, ...]:
    """A note for each change to a judge between two commits of the mirror. Raises `GitFailed`."""
    files, before, after = await _change(mirror, base, commit)
    found = await asyncio.to_thread(judges_changed, files, before, after, checks)
    notes = tuple(
        Note(
            kind=NoteKind.JUDGE_CHANGED,
            sentence=f"{printable(change.path)}: {change.what}" if change.path else change.what,
            paths=(printable(change.path),) if change.path else (),
        )
        for change in found[:MOST_NOTES]
    )
    if len(found) > MOST_NOTES:
        more = f"{len(found) - MOST_NOTES} more changes to what judges the work"
        return (*notes, Note(kind=NoteKind.JUDGE_CHANGED, sentence=more))
    return notes


async def tests_taken_away(mirror: Mirror, base: str, commit: str) -> TakenAway:
    """Which tests a result deletes or skips, by the text of its files. Raises `GitFailed`."""
    return await asyncio.to_thread(taken_away, *await _change(mirror, base, commit))


async def is_judge_touched(mirror: Mirror, base: str, commit: str, checks: Sequence[str]) -> bool:
    """Whether fewer tests may run than before: a test that was there, or something that judges, is another now.

    Raises `GitFailed`.
    """
    files, before, after = await _change(mirror, base, commit)
    if await asyncio.to_thread(are_tests_touched, files, before):
        return True
    return bool(await asyncio.to_thread(judges_changed, files, before, after, checks))


async def _change(mirror: Mirror, base: str, commit: str) -> tuple[list[tuple[str, str]], Read, Read]:
    """The changed files with their letters, and what reads them before and after."""
    entries = await changed_entries(mirror.path, base, commit)
    files = [(entry.path, entry.status) for entry in entries]
    loop = asyncio.get_running_loop()
    blobs = await _texts(mirror, {blob for entry in entries[:MAX_FILES] for blob in (entry.old_blob, entry.new_blob)})
    before = {entry.path: blobs[entry.old_blob] for entry in entries if entry.old_blob in blobs}
    after = {entry.path: blobs[entry.new_blob] for entry in entries if entry.new_blob in blobs}
    return files, _reader(mirror, base, before, loop), _reader(mirror, commit, after, loop)


async def _texts(mirror: Mirror, blobs: set[str]) -> dict[str, str]:
    """The texts of small blobs, in two calls for all of them; what is large is read by itself, if at all."""
    where = f"--git-dir={mirror.path}"
    asked = "".join(f"{blob}\n" for blob in sorted(blobs)).encode()
    told = (await git(where, "cat-file", "--batch-check", input=asked)).splitlines()
    sizes = {blob: int(size) for blob, kind, size in (line.split(" ") for line in told if " blob " in line)}
    small = [blob for blob, size in sizes.items() if size <= SMALL]
    if not small:
        return {}
    asked = "".join(f"{blob}\n" for blob in small).encode()
    content = (await ask(where, "cat-file", "--batch", input=asked)).out
    found, at = {}, 0
    for blob in small:  # a line about each, its bytes, and a line end
        at = content.index(b"\n", at) + 1
        found[blob] = content[at : at + sizes[blob]].decode("utf-8", "replace")
        at += sizes[blob] + 1
    return found


def _reader(mirror: Mirror, commit: str, known: Mapping[str, str], loop: asyncio.AbstractEventLoop) -> Read:
    """Reads files of a commit from another thread than the loop's; the texts of some, by path, are ``known``."""

    @cache
    def read(path: str) -> str:
        if path in known:
            return known[path]
        what = ("cat-file", "blob", f"{commit}:{path}")
        asked = ask(f"--git-dir={mirror.path}", *what, max_output=MAX_TEXT, cut=True)
        answer = asyncio.run_coroutine_threadsafe(asked, loop).result()
        return answer.out.decode("utf-8", "replace") if answer.code == 0 else ""

    return read
