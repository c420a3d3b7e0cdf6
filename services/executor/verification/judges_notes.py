"""Telling a person where a result has changed what judges it: tests, their configuration, what checks run, CI."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

import msgspec

from services.executor.verification.naming import listed
from shared.contracts.evidence import Note, NoteKind
from shared.workspace.changes import changed_entries
from shared.workspace.git import ask, git, printable
from shared.workspace.judges import (
    MAX_FILES,
    MAX_TEXT,
    JudgeChange,
    Read,
    TakenAway,
    Weaker,
    are_tests_touched,
    judges_changed,
    taken_away,
    weaker,
)
from shared.workspace.mirror import Mirror

MOST_NOTES: Final = 20
Change = tuple[list[tuple[str, str]], Read, Read]
"""Changed files with their letters, and what reads them before and after."""
SMALL: Final = 32 * 1024
"""Bytes of a file that is read together with the others."""


class Touched(msgspec.Struct, frozen=True):
    """What a result changes: ``tests`` that were there, and ``judges`` of which a person is told."""

    tests: bool
    judges: bool

    def __bool__(self) -> bool:
        return self.tests or self.judges


class JudgesOf:
    """What a result at ``commit`` of the mirror, made on ``base``, does to what judges it; ``checks`` are commands.

    ``first`` is the base of the task's first round: a judge that an earlier round has replaced is none in a later one.
    All methods raise `GitFailed`. The change is read once, for all of them.
    """

    def __init__(self, mirror: Mirror, base: str, commit: str, checks: Sequence[str], first: str = "") -> None:
        self._mirror = mirror
        self._whole = JudgesOf(mirror, first, commit, checks) if first not in ("", base) else self
        self._base = base
        self._commit = commit
        self._checks = checks
        self._change: Change | None = None
        self._found: list[JudgeChange] | None = None

    async def notes(self) -> tuple[Note, ...]:
        """A note for each change to a judge."""
        found = await self._judges_changed()
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

    async def replaced(self) -> str:
        """What it puts in the place of the judge itself, as a phrase; nothing where it does not."""
        changes = [change for change in await self._whole._judges_changed() if change.replaces]
        return listed(tuple(f"{printable(change.path)} ({change.what})" for change in changes))

    async def run(self) -> tuple[str, ...]:
        """The files that it changes and that the checks run, or load with the tests."""
        return tuple(dict.fromkeys(change.path for change in await self._judges_changed() if change.is_run))

    @property
    def base(self) -> str:
        """The commit on which the result was made."""
        return self._base

    async def taken_away(self) -> TakenAway:
        """Which tests it deletes or skips, by the text of its files."""
        return await asyncio.to_thread(taken_away, *await self._read())

    async def weaker(self) -> Weaker:
        """Files of tests that say less than before."""
        files, before, after = await self._read()
        return await asyncio.to_thread(weaker, files, before, after)

    async def edited(self) -> tuple[str, ...]:
        """The first files that were there and have other bytes now."""
        files, _, _ = await self._read()
        return tuple(path for path, status in files[:MAX_FILES] if status == "M")

    async def touched(self) -> Touched:
        """Whether fewer tests may run than before."""
        files, before, _ = await self._read()
        tests = await asyncio.to_thread(are_tests_touched, files, before)
        return Touched(tests, bool(await self._judges_changed()))

    async def _judges_changed(self) -> list[JudgeChange]:
        if self._found is None:
            self._found = await asyncio.to_thread(judges_changed, *await self._read(), self._checks)
        return self._found

    async def _read(self) -> Change:
        if self._change is None:
            self._change = await _change(self._mirror, self._base, self._commit)
        return self._change


async def _change(mirror: Mirror, base: str, commit: str) -> Change:
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
