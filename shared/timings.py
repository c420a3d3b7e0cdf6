"""How long a service waits for what, and how often it does what recurs; people set none of it.

Each part takes its own value as a parameter; `Service` hands them out. Tests run a service with shorter ones.
"""

from __future__ import annotations

import msgspec

from shared.actor import SNAPSHOT_EVERY


class Timings(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, in seconds; ``snapshot_every`` counts the events of an actor between two snapshots.

    ``message_ack_wait_s`` is for commands and reactions, of which one is in flight: what a killed process had taken
    holds up all behind it until then. ``activity_ack_wait_s`` and ``timer_ack_wait_s`` are for work and due timers.
    ``leftovers_settled_s`` is how long ago work must have ended here or gone elsewhere before it is cleared up: before,
    its own service may still be at it. ``checkpoint_every_s`` is the shortest time between two checkpoints of a run.
    """

    message_ack_wait_s: float = 3.0
    activity_ack_wait_s: float = 10.0
    timer_ack_wait_s: float = 10.0
    leftovers_every_s: float = 20.0
    leftovers_settled_s: float = 10.0
    checkpoint_every_s: float = 5.0
    snapshot_every: int = SNAPSHOT_EVERY


PRODUCTION = Timings()
