"""The names of what an agent's work leaves on a machine: run directories, worktrees, temporary files, and its mark.

One type makes the names and reads them again, so that another service, or the next one, finds what is left behind.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from shared.contracts.kinds import AGENTS
from shared.contracts.subjects import Actor
from shared.ops.own_home import remove_tree
from shared.ops.private import private_directory

PLACE: Final = "place"
"""The file with a data directory's own name, which the first service makes that works in it."""
RUNS: Final = "runs"
WORKTREES: Final = "worktrees"
TEMP_FILES: Final = "scratch"
"""The folders in a data directory."""

CHECKS: Final = "checks"
BASE: Final = "base"
"""The parts of a round that have marks and checkouts of their own: the checks of its result, and those of its base."""
PARTS: Final = (CHECKS, BASE)

_KINDS: Final = "|".join(AGENTS)
_RUN_DIR: Final = re.compile(rf"(?P<kind>{_KINDS})-(?P<id>.+)-(?P<number>\d+)(?:-\d+|\.desk|\.{CHECKS})")
_WORKTREE: Final = re.compile(rf"(?P<kind>{_KINDS}|{CHECKS}|{BASE})-(?P<id>.+)-(?P<number>\d+)(?:\.git)?")
_TEMP_FILE: Final = re.compile(r"(?P<id>.+)-(?P<number>\d+)-[a-z]+\.bundle(?:\.[0-9a-f]+(?:\.lock)?)?")
_MARK: Final = re.compile(
    rf"(?P<kind>{_KINDS})-(?P<id>.+)@(?P<node_id>[0-9a-f]+)-(?P<number>\d+)(?:-{CHECKS}|-{BASE})?"
)


class LocalWork(msgspec.Struct, frozen=True):
    """One piece of an agent's work: a round of a run, a draft of a plan, or a triage of a task.

    ``number`` counts the rounds, drafts or triages of the actor.
    """

    actor: Actor
    number: int

    def __str__(self) -> str:
        return f"{self.actor.kind}-{self.actor.id}-{self.number}"

    def run_dirs(self, data_dir: Path, most: int) -> list[Path]:
        """The directories of its first ``most`` processes."""
        return [data_dir / RUNS / f"{self}-{process}" for process in range(1, most + 1)]

    def empty_dir(self, data_dir: Path) -> Path:
        """An empty working directory, for work without files. Neighbouring versions know it by this name."""
        return data_dir / RUNS / f"{self}.desk"

    def worktree(self, data_dir: Path) -> Path:
        """The checkout that the agent works in."""
        return data_dir / WORKTREES / str(self)

    def checkout(self, data_dir: Path, part: str) -> Path:
        """The clean checkout in which a part of the round is checked.

        The paths of all parts have one length: what counts the letters of its path must find the same everywhere.
        """
        number = str(self.number)
        longest = max(map(len, PARTS)) + len(number)
        return data_dir / WORKTREES / f"{part}-{self.actor.id}-{number.zfill(longest - len(part))}"

    def checks_dir(self, data_dir: Path) -> Path:
        """What checks need beside their checkouts: homes, reports, outputs."""
        return data_dir / RUNS / f"{self}.{CHECKS}"

    def temp_file(self, data_dir: Path, name: str) -> Path:
        """A file on its way to or from the object store."""
        return data_dir / TEMP_FILES / f"{self.actor.id}-{self.number}-{name}"

    def mark(self, node_id: str) -> str:
        """What every process of the work on this machine carries in its environment, and no other process does.

        Neither another round of the same actor has it, nor what another worker on this machine does for the actor.
        """
        return f"{self.actor.kind}-{self.actor.id}@{node_id}-{self.number}"


def work_of_run_dir(run_dir: Path) -> LocalWork:
    """The work whose process runs there; raises ValueError for a directory with another name."""
    match = _RUN_DIR.fullmatch(run_dir.name)
    if match is None:
        raise ValueError(f"{run_dir.name} is no name of a run directory.")
    return _work(match)


def files_of_work(data_dir: Path) -> Iterator[tuple[LocalWork, Path]]:
    """Everything in a data directory that belongs to some work."""
    for pattern, folder in ((_RUN_DIR, RUNS), (_WORKTREE, WORKTREES), (_TEMP_FILE, TEMP_FILES)):
        for path in sorted((data_dir / folder).glob("*")):
            if match := pattern.fullmatch(path.name):
                yield _work(match), path


def work_of_mark(mark: str, node_id: str) -> LocalWork | None:
    """The work that a process with this mark belongs to, when it is work of that data directory."""
    match = _MARK.fullmatch(mark)
    return _work(match) if match is not None and match["node_id"] == node_id else None


def _work(match: re.Match[str]) -> LocalWork:
    kind = match.groupdict().get("kind", BASE)
    return LocalWork(Actor("run" if kind in PARTS else kind, match["id"]), int(match["number"]))


def node_id_of(data_dir: Path) -> str:
    """A name that only this data directory has, given at its first use."""
    file = data_dir / PLACE
    if not file.exists():
        private_directory(data_dir)
        draft = data_dir / f"place-{secrets.token_hex(4)}"
        draft.write_text(secrets.token_hex(4))
        with contextlib.suppress(FileExistsError):  # another service was first
            os.link(draft, file)
        draft.unlink()
    return file.read_text().strip()


def remove_run_dirs(*directories: Path) -> None:
    """Remove run directories; what is not there is gone already."""
    for directory in directories:
        remove_tree(directory)
