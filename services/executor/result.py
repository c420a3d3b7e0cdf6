"""How an event and a commit describe what an agent has changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog

from shared.contracts.run import FileChange
from shared.contracts.subjects import Actor
from shared.workspace.worktree import ChangedFile

MOST_FILES: Final = 1000
FILES_BYTES: Final = 128 * 1024
"""Of the paths that one event names."""
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


def commit_message(title: str, summary: str, actor: Actor) -> str:
    """The task's title, the agent's summary, and where it came from."""
    subject = " ".join(title.split())[:SUBJECT_CHARS] or "Work of an agent"
    return f"{subject}\n\n{summary}\n\nJourneyman-Task: {actor.id}\n"
