"""How an event and a commit describe what an agent has changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog

from shared.contracts.evidence import Evidence, Note, NoteKind, Outcome
from shared.contracts.run import FileChange
from shared.contracts.subjects import Actor
from shared.workspace.worktree import ChangedFile, Commit

MOST_FILES: Final = 1000
FILES_BYTES: Final = 128 * 1024
"""Of the paths that one event names."""
MOST_PATHS: Final = 50
"""Of the paths that one note names."""
SUBJECT_CHARS: Final = 72

log = structlog.get_logger(__name__)


def first_files(changed: Sequence[ChangedFile]) -> tuple[FileChange, ...]:
    """As many changes as an event takes; the diff has them all."""
    kept: list[FileChange] = []
    size = 0
    for file in changed[:MOST_FILES]:
        size += len(file.path.encode("utf-8", "replace"))
        if size > FILES_BYTES:
            break
        kept.append(FileChange(path=file.path, added=_lines(file.added), removed=_lines(file.removed)))
    if len(kept) < len(changed):
        log.warning("not every changed file is named in the event", named=len(kept), changed=len(changed))
    return tuple(kept)


def _lines(count: int | None) -> int:
    return -1 if count is None else count


def commit_message(title: str, summary: str, actor: Actor, evidence: Evidence | None = None) -> str:
    """The task's title, the agent's summary, where it came from, and how well it is proven once that is known."""
    subject = " ".join(title.split())[:SUBJECT_CHARS] or "Work of an agent"
    trailers = [f"Journeyman-Task: {actor.id}"]
    if evidence is not None:
        trailers += [f"Journeyman-Evidence: {evidence}", f"Journeyman-Outcome: {Outcome.CHANGED}"]
    return f"{subject}\n\n{summary}\n\n" + "".join(f"{trailer}\n" for trailer in trailers)


def notes_on(commit: Commit, submodules_missing: tuple[str, ...]) -> tuple[Note, ...]:
    """What a person should know of how a commit was made."""
    return _notes(
        (NoteKind.HELD_BACK, "Caches that the agent left are not part of the result", commit.held_back),
        (NoteKind.NOT_COMMITTED, "Git does not take these files", commit.skipped),
        (NoteKind.LFS, "These files belong to Git LFS, but are committed as they are", commit.lfs_plain),
        (
            NoteKind.SUBMODULE,
            "These submodules are not configured here, so their folders were empty",
            submodules_missing,
        ),
    )


def notes_on_submodules(edited: tuple[str, ...], lost: tuple[str, ...] = ()) -> tuple[Note, ...]:
    """What a person should know of files that were changed inside of submodules; ``lost`` with another executor."""
    no_part = "and no part of the result: change the submodule's own repository"
    return _notes(
        (NoteKind.SUBMODULE_EDITS, f"Changed inside of submodules, {no_part}", edited),
        (
            NoteKind.SUBMODULE_EDITS,
            f"Changed inside of submodules before another executor took over, so that they are lost, {no_part}",
            lost,
        ),
    )


def _notes(*found: tuple[NoteKind, str, tuple[str, ...]]) -> tuple[Note, ...]:
    return tuple(
        Note(
            kind=kind,
            sentence=f"{what}: {', '.join(paths[:5])}{' …' if len(paths) > 5 else ''}",
            paths=paths[:MOST_PATHS],
        )
        for kind, what, paths in found
        if paths
    )
