"""Times and what becomes of them: rates, percentiles, medians over runs, and runs side by side."""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable, Sequence
from statistics import median
from typing import TypeVar

import msgspec

T = TypeVar("T")


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


async def in_turns(rounds: int, *contestants: Callable[[], Awaitable[T]]) -> list[list[T]]:
    """``rounds`` runs of each, side by side; who goes first changes each time, so that nobody gains by it."""
    runs: list[list[T]] = [[] for _ in contestants]
    for number in range(rounds):
        for turn in range(len(contestants)):
            index = (number + turn) % len(contestants)
            gc.collect()
            runs[index].append(await contestants[index]())
    return runs
