"""The ceiling of a log that syncs every event by itself: writes of the same size to a file, each with its own fsync."""

from __future__ import annotations

import os
import time
from pathlib import Path

from bench.measure import Timed, timed


def sync_all(path: Path, count: int, size: int) -> Timed:
    """``count`` appends of ``size`` bytes, one after the other."""
    latencies: list[float] = []
    block = b"x" * size
    with path.open("ab", buffering=0) as file:
        began = time.perf_counter()
        for _ in range(count):
            begun = time.perf_counter()
            file.write(block)
            os.fsync(file.fileno())
            latencies.append(time.perf_counter() - begun)
        return timed(latencies, time.perf_counter() - began)
