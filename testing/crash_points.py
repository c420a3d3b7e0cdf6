"""The registry of crash points, read from the source: a new one is known to the tests as soon as it is written."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[1]
SOURCES: Final = ("shared", "services", "cli")
ACTORS: Final = ("brain", "planner", "executor", "gateway")
"""Services with mailboxes, a reactor and an activity."""
AGENTS: Final = ("brain", "planner", "executor")
"""Services that run agents."""
COMMAND: Final = ("cli",)
"""What the `journeyman` command calls itself, whichever sub-command it runs."""
PASSED_BY: Final = {
    "shared/runtime/mailbox.py": ACTORS,
    "shared/runtime/reactor.py": ACTORS,
    "shared/runtime/acknowledge.py": ACTORS,
    "shared/runtime/activity.py": ACTORS,
    "shared/runtime/timers.py": ("brain",),
    "shared/runtime/actor_host.py": ACTORS,
    "shared/claude/runner.py": AGENTS,
    "shared/claude/process/process.py": AGENTS,
    "shared/claude/orphans.py": AGENTS,
    "shared/workspace/mirror.py": ("executor",),
    "shared/workspace/worktree.py": ("planner", "executor"),
    "shared/workspace/bundle.py": ("executor",),
    "worktree.noted": ("executor",),
    "shared/backup/archive.py": COMMAND,
    "shared/backup/contents.py": COMMAND,
    "shared/backup/nats_archive.py": COMMAND,
    "shared/backup/whole.py": COMMAND,
    "shared/runtime/dead_letters.py": COMMAND,
}
"""Who passes the points of a module, or a single one of them; a service passes those in its own folder."""


class Point(NamedTuple):
    """One place in one service, or in the command, where a test kills."""

    service: str
    name: str

    def __str__(self) -> str:
        return f"{self.service}.{self.name}"

    @property
    def family(self) -> str:
        """The first word of its name: what kind of work it is in the middle of."""
        return self.name.partition(".")[0]


def crash_points() -> list[Point]:
    """Every point, by service; raises AssertionError for one of which nobody has said who passes it."""
    found = []
    for file in sorted(file for folder in SOURCES for file in (ROOT / folder).rglob("*.py")):
        path = file.relative_to(ROOT)
        names = _names_in(file)
        if names and path.as_posix() != "shared/ops/crash_points.py":
            found += [Point(service, name) for name in names for service in _who_passes(path, name)]
    assert len(set(found)) == len(found), (
        f"two places have one name: {sorted({p for p in found if found.count(p) > 1})}"
    )
    return sorted(found)


def _who_passes(path: Path, name: str) -> tuple[str, ...]:
    own = (path.parts[1],) if path.parts[0] == "services" else COMMAND if path.parts[0] == "cli" else ()
    passed_by = PASSED_BY.get(name) or PASSED_BY.get(path.as_posix()) or own
    assert passed_by, f"{path} has the crash point {name}: say in {__name__}.PASSED_BY who passes it"
    return passed_by


def _names_in(file: Path) -> list[str]:
    names: list[str] = []
    source = file.read_text()
    if "crash_point" not in source:
        return names  # to parse every file took a third of the time in which tests are collected
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "crash_point":
            (name,) = node.args
            assert isinstance(name, ast.Constant) and isinstance(name.value, str), (
                f"{file}: the name must be written out"
            )
            names.append(name.value)
    return names
