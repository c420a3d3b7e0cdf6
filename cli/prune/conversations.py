"""The CLI's own records of conversations, in the data directory of a machine that has run agents."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from pathlib import Path
from typing import Final

from cli.prune.candidate import Candidate, Pruned
from cli.prune.history import EndedTask
from shared.contracts.kinds import AGENTS
from shared.ops.disk_use import bytes_on_disk
from shared.ops.own_home import remove_tree

FOLDER: Final = Path("claude/projects")
_PROJECT: Final = re.compile(rf".*-(?:{'|'.join(AGENTS)})-(?P<id>[0-9A-Za-z]+)-\d+(?:-desk)?")
"""The CLI names a folder by the working directory, with a dash for each other character."""


def find(data: Path, ended: dict[str, EndedTask]) -> list[Candidate]:
    """The folders of tasks that have ended. What agents said is in OUTPUT, and in the archive."""
    found = []
    for folder in sorted((data / FOLDER).glob("*")):
        match = _PROJECT.fullmatch(folder.name)
        task = ended.get(match["id"]) if match else None
        if task is not None:
            clear = partial(asyncio.to_thread, remove_tree, folder)
            reason = f"task {task.id} is {task.status}"
            found.append(Candidate(Pruned.CONVERSATIONS, folder.name, bytes_on_disk(folder), reason, clear))
    return found
