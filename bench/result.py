"""What a benchmark found, as it stands in `report.json`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from bench.measure import middle

T = TypeVar("T")
U = TypeVar("U")


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """What a value, or its ratio to the peer's, has to reach: one of the three bounds."""

    ratio_least: float | None = None
    value_least: float | None = None
    value_most: float | None = None

    def said(self, unit: str) -> str:
        """In words: ``ratio >= 0.8``, ``value <= 60 ms``."""
        if self.ratio_least is not None:
            return f"ratio >= {self.ratio_least:g}"
        if self.value_least is not None:
            return f"value >= {self.value_least:,.0f} {unit}"
        return f"value <= {self.value_most:g} {unit}"

    def met(self, value: float, ratio: float | None) -> bool:
        """Whether it is reached."""
        if self.ratio_least is not None:
            return ratio is not None and ratio >= self.ratio_least
        if self.value_least is not None:
            return value >= self.value_least
        return self.value_most is not None and value <= self.value_most


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the report. Values are medians over ``runs`` runs; ``ratio`` is ``value / peer_value``.

    ``goal`` is empty and ``met`` null where nothing was promised.
    """

    name: str
    value: float
    unit: str
    peer: str
    peer_value: float | None
    ratio: float | None
    goal: str
    met: bool | None
    runs: int


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A result and what only the readable report shows: the least and the most of the runs, ours and the peer's."""

    result: Result
    spread: tuple[float, float]
    peer_spread: tuple[float, float] | None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What one benchmark found: its lines, what was measured in a sentence or two, and what fell short and why."""

    title: str
    lines: list[Line]
    about: str
    remarks: list[str] = []


def compare(
    name: str,
    unit: str,
    ours: Sequence[T],
    value: Callable[[T], float],
    *,
    peer: str,
    theirs: Sequence[U],
    peer_value: Callable[[U], float],
    goal: Goal | None = None,
) -> Line:
    """A line from runs of ours and of the peer."""
    mine, other = middle(ours, value), middle(theirs, peer_value)
    ratio = mine / other if other else None
    result = Result(
        name=name,
        value=rounded(mine),
        unit=unit,
        peer=peer,
        peer_value=rounded(other),
        ratio=None if ratio is None else rounded(ratio),
        goal=goal.said(unit) if goal else "",
        met=goal.met(mine, ratio) if goal else None,
        runs=min(len(ours), len(theirs)),
    )
    return Line(result=result, spread=_spread(ours, value), peer_spread=_spread(theirs, peer_value))


def alone(name: str, unit: str, values: list[float], goal: Goal | None = None, *, runs: int = 0) -> Line:
    """A line without a peer: the middle of the values."""
    value = sorted(values)[len(values) // 2]
    result = Result(
        name=name,
        value=rounded(value),
        unit=unit,
        peer="",
        peer_value=None,
        ratio=None,
        goal=goal.said(unit) if goal else "",
        met=goal.met(value, None) if goal else None,
        runs=runs or len(values),
    )
    return Line(result=result, spread=(rounded(min(values)), rounded(max(values))), peer_spread=None)


def rounded(value: float) -> float:
    """Four significant digits: more would only be noise."""
    return float(f"{value:.4g}")


def _spread(runs: Sequence[T], value: Callable[[T], float]) -> tuple[float, float]:
    values = [value(run) for run in runs]
    return rounded(min(values)), rounded(max(values))
