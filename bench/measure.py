"""Times and what becomes of them: rates, percentiles, medians over runs, and runs side by side."""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable, Sequence
from statistics import median
from typing import TypeVar

import msgspec

T = TypeVar("T")
U = TypeVar("U")


class Timed(msgspec.Struct, frozen=True, kw_only=True):
    """One run: operations per second, and latencies in milliseconds."""

    rate: float
    p50_ms: float
    p99_ms: float


def timed(latencies_s: Sequence[float], elapsed_s: float) -> Timed:
    """A run from its operations' latencies and its whole duration, in seconds."""
    return Timed(
        rate=len(latencies_s) / elapsed_s,
        p50_ms=percentile(latencies_s, 50) * 1000,
        p99_ms=percentile(latencies_s, 99) * 1000,
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile: the smallest value that at least ``percent`` of 100 values do not exceed."""
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * percent // 100))
    return ordered[int(rank) - 1]


def middle(runs: Sequence[T], value: Callable[[T], float]) -> float:
    """The median over runs."""
    return median(value(run) for run in runs)


async def side_by_side(
    rounds: int, ours: Callable[[], Awaitable[T]], peer: Callable[[], Awaitable[U]]
) -> tuple[list[T], list[U]]:
    """``rounds`` runs of each, one right after the other; who goes first alternates, so that neither gains by it."""
    mine: list[T] = []
    theirs: list[U] = []
    for number in range(rounds):
        for turn in ("ours", "peer") if number % 2 == 0 else ("peer", "ours"):
            gc.collect()
            if turn == "ours":
                mine.append(await ours())
            else:
                theirs.append(await peer())
    return mine, theirs
