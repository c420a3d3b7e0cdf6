"""The commit on which a task's first round was made: what later rounds go on from is the task's own work."""

from __future__ import annotations

from typing import Final

from shared.workspace.git import ask
from shared.workspace.mirror import Mirror

MOST_COMMITS: Final = 100
"""Commits that are looked at, of the task and of people in between."""
_TOLD: Final = "%P%x00%(trailers:key=Journeyman-Task,valueonly,separator=%x2C)%x1e"


async def first_base(mirror: Mirror, base: str, task: str) -> str:
    """The parent of the oldest commit of the task that ``base`` has on its own line; ``base`` where it has none.

    Only results that we have made end with the task's trailer.
    """
    what = ("log", "--first-parent", f"--max-count={MOST_COMMITS}", f"--format={_TOLD}", base, "--")
    answer = await ask(f"--git-dir={mirror.path}", *what)
    if answer.code != 0:
        return base
    for line in reversed(answer.out.decode("utf-8", "replace").split("\x1e")):
        parents, _, tasks = line.strip().partition("\x00")
        if task in tasks.split(",") and parents:
            return parents.split()[0]
    return base
