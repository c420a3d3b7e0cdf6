"""Telling a person where a result has changed what judges it: tests, their configuration, what checks run, CI."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

from shared.contracts.evidence import Note, NoteKind
from shared.workspace.changes import changed_entries
from shared.workspace.git import ask, printable
from shared.workspace.judges import MAX_TEXT, judges_changed
from shared.workspace.mirror import Mirror

MOST_NOTES: Final = 20


async def notes_on_judges(mirror: Mirror, base: str, commit: str, checks: Sequence[str]) -> tuple[Note, ...]:
    """A note for each change to a judge between two commits of the mirror. Raises `GitFailed`."""
    entries = await changed_entries(mirror.path, base, commit)
    files = [(entry.path, entry.status) for entry in entries]
    loop = asyncio.get_running_loop()
    readers = (_reader(mirror, base, loop), _reader(mirror, commit, loop))
    found = await asyncio.to_thread(judges_changed, files, *readers, checks)
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


def _reader(mirror: Mirror, commit: str, loop: asyncio.AbstractEventLoop) -> Callable[[str], str]:
    """Reads files of a commit from another thread than the loop's."""

    @cache
    def read(path: str) -> str:
        what = ("cat-file", "blob", f"{commit}:{path}")
        asked = ask(f"--git-dir={mirror.path}", *what, max_output=MAX_TEXT, cut=True)
        answer = asyncio.run_coroutine_threadsafe(asked, loop).result()
        return answer.out.decode("utf-8", "replace") if answer.code == 0 else ""

    return read
