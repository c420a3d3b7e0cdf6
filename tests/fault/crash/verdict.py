"""What every campaign of crashes has: the environment that lets a process die, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

import msgspec

from testing.crash_points import Point


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one campaign."""

    died_at: frozenset[str]
    problems: list[str]


class DeathEnvironment(TypedDict):
    """The environment that lets a process die (see `shared.ops.crash_points`)."""

    CRASH_AT: str
    CRASH_MARK: str


class Deaths:
    """The points where processes are to die, once each; a file remembers where they have."""

    def __init__(self, points: Iterable[Point], folder: Path) -> None:
        self.points = frozenset(map(str, points))
        self._mark = folder / "died-at"

    @property
    def environment(self) -> DeathEnvironment:
        """What a process must be started with."""
        return {"CRASH_AT": ",".join(sorted(self.points)), "CRASH_MARK": str(self._mark)}

    @property
    def happened(self) -> frozenset[str]:
        """Where a process has died so far."""
        return frozenset(self._mark.read_text().split()) if self._mark.exists() else frozenset()

    @property
    def over(self) -> bool:
        """Whether there was one at every point."""
        return self.happened >= self.points
