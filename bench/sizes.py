"""How much is measured: enough for a median worth its name, or just enough to see that everything works."""

from __future__ import annotations

from typing import Final

import msgspec


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of one whole benchmark session; ``rounds`` is the runs of each side."""

    rounds: int
    appends: int
    actors: int
    appends_per_actor: int
    deliveries: int
    connections: int
    first_lines: int
    log_events: int
    live_events: int


FULL: Final = Sizes(
    rounds=7,
    appends=600,
    actors=32,
    appends_per_actor=40,
    deliveries=3000,
    connections=16,
    first_lines=7,
    log_events=200_000,
    live_events=200,
)

QUICK: Final = Sizes(
    rounds=1,
    appends=50,
    actors=8,
    appends_per_actor=5,
    deliveries=100,
    connections=4,
    first_lines=1,
    log_events=2_000,
    live_events=20,
)
