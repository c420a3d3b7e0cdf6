"""How much is measured: enough for a median worth its name, or just enough to see that everything works."""

from __future__ import annotations

from typing import Final

import msgspec


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of one whole benchmark session; ``rounds`` is the runs of each side.

    Appends are measured in more and shorter runs: what one costs depends on the disk, which changes by the second.
    """

    rounds: int
    append_rounds: int
    appends: int
    actors: int
    appends_per_actor: int
    deliveries: int
    connections: int
    first_lines: int
    log_events: int
    live_events: int
    actor_events: int
    tasks: int
    mark_batches: int
    marks: int
    storm: int


FULL: Final = Sizes(
    rounds=7,
    append_rounds=15,
    appends=250,
    actors=32,
    appends_per_actor=16,
    deliveries=2000,
    connections=16,
    first_lines=7,
    log_events=200_000,
    live_events=200,
    actor_events=100_000,
    tasks=10,
    mark_batches=4,
    marks=18,
    storm=5_000,
)

QUICK: Final = Sizes(
    rounds=1,
    append_rounds=1,
    appends=50,
    actors=8,
    appends_per_actor=5,
    deliveries=100,
    connections=4,
    first_lines=1,
    log_events=2_000,
    live_events=20,
    actor_events=3_000,
    tasks=1,
    mark_batches=1,
    marks=3,
    storm=30,
)
