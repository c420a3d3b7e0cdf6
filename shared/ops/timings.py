"""How long a service waits for what, and how often it does what recurs; people set none of it.

Each part takes its own value as a parameter; `Service` hands them out. Tests run a service with shorter ones.
"""

from __future__ import annotations

import msgspec


class NatsTimings(msgspec.Struct, frozen=True, kw_only=True):
    """How long one connection waits for NATS, in seconds, and how often it tries again.

    ``connect_s`` is for the first connection, ``answer_s`` for a JetStream call, ``publish_s`` for the word that a
    message is stored, ``read_silence_s`` for the next message of a direct read. ``command_s`` and ``query_s`` are how
    long a client waits for an actor's or the projector's answer. A pull lasts ``pull_expires_s`` and has a heartbeat
    every ``heartbeat_s``. An append that nobody answers, and a read, is tried ``tries`` times.
    """

    connect_s: float = 10.0
    answer_s: float = 5.0
    publish_s: float = 5.0
    read_silence_s: float = 2.0
    command_s: float = 10.0
    query_s: float = 8.0
    heartbeat_s: float = 2.0
    pull_expires_s: float = 30.0
    tries: int = 3


NATS = NatsTimings()


class Timings(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, in seconds; ``snapshot_every`` counts the events of an actor between two snapshots.

    ``message_ack_wait_s`` is for commands and reactions, of which one is in flight: what a killed process had taken
    holds up all behind it until then. ``activity_ack_wait_s`` and ``timer_ack_wait_s`` are for work and due timers.
    Orphans are looked for every ``orphans_every_s``; what has ended, or gone elsewhere, less than ``orphans_grace_s``
    ago is left alone, because its own service may still clear it up. ``checkpoint_every_s`` is the shortest time
    between two checkpoints of a run. A comment in a review waits ``review_silence_s`` for further ones, or
    ``review_settles_s`` from the end of its review on; the end of a check waits ``checks_settle_s`` for others.
    """

    message_ack_wait_s: float = 3.0
    activity_ack_wait_s: float = 10.0
    timer_ack_wait_s: float = 10.0
    orphans_every_s: float = 20.0
    orphans_grace_s: float = 10.0
    checkpoint_every_s: float = 5.0
    review_silence_s: float = 120.0
    review_settles_s: float = 10.0
    checks_settle_s: float = 30.0
    snapshot_every: int = 1000
    nats: NatsTimings = NATS


PRODUCTION = Timings()
