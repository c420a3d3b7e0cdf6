"""The registry of crash points, read from the source: a new one is known to the tests as soon as it is written."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
ACTORS: Final = ("brain", "planner", "executor", "gateway")
"""Services with mailboxes, a reactor and an activity."""
AGENTS: Final = ("brain", "planner", "executor")
"""Services that run agents."""
SHARED: Final = {
    "shared/mailbox.py": ACTORS,
    "shared/reactor.py": ACTORS,
    "shared/settling.py": ACTORS,
    "shared/activity.py": ACTORS,
    "shared/claude/workshop.py": AGENTS,
}
"""Which services pass the points of a shared module."""


class Point(NamedTuple):
    """One place in one service where a test kills."""

    service: str
    name: str

    def __str__(self) -> str:
        return f"{self.service}.{self.name}"


def crash_points() -> list[Point]:
    """Every point, by service; raises AssertionError for one whose service is not known."""
    found = []
    for file in sorted([*ROOT.glob("shared/**/*.py"), *ROOT.glob("services/**/*.py")]):
        path = file.relative_to(ROOT)
        names = _names_in(file)
        if not names or path.as_posix() == "shared/crash.py":
            continue
        services = (path.parts[1],) if path.parts[0] == "services" else SHARED.get(path.as_posix(), ())
        assert services, f"{path} has crash points: say in {__name__} which services pass them"
        found += [Point(service, name) for service in services for name in names]
    return sorted(set(found))


def _names_in(file: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "crash_point":
            (name,) = node.args
            assert isinstance(name, ast.Constant) and isinstance(name.value, str), (
                f"{file}: the name must be written out"
            )
            names.append(name.value)
    return names
