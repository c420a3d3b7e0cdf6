"""Which faults come, in which order: a function of the seed alone (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from random import Random
from typing import Final

import msgspec

EXECUTORS: Final = ("executor-a", "executor-b")
"""Two machines: each executor has a data directory of its own."""
SERVICES: Final = ("gateway", "brain", "planner", "projector", *EXECUTORS)


class Kind(StrEnum):
    """What may happen to a system."""

    KILL = "kill -9"
    PAUSE = "SIGSTOP for a moment"
    OVERSLEEP = "SIGSTOP beyond the ack wait"
    POWER_CUT = "power cut of a machine"
    ALL = "kill -9 of everything at once"
    AGENT = "kill -9 of an agent"
    NATS = "kill -9 of NATS"
    NATS_PAUSE = "SIGSTOP of NATS"
    ACKS = "lost acknowledgements"


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault. ``target`` is a service where the kind needs one; ``pick`` (0 to 1) chooses among what runs then.

    ``seconds`` is how long a pause or a loss lasts, ``rest`` how long the system is left alone afterwards.
    """

    kind: Kind
    target: str = ""
    seconds: float = 0.0
    pick: float = 0.0
    rest: float = 0.0

    @property
    def name(self) -> str:
        """What the report counts it under; both executors are one."""
        target = "executor" if self.target in EXECUTORS else self.target
        match self.kind:
            case Kind.KILL:
                return f"{self.kind} of the {target}"
            case Kind.PAUSE:
                return f"SIGSTOP of the {target}"
            case _:
                return str(self.kind)


_WEIGHTS: Final = {
    Kind.KILL: 12,
    Kind.PAUSE: 5,
    Kind.AGENT: 5,
    Kind.NATS: 3,
    Kind.NATS_PAUSE: 1,
    Kind.ACKS: 2,
    Kind.POWER_CUT: 2,
    Kind.OVERSLEEP: 1,
    Kind.ALL: 1,
}
"""How often each kind comes, in proportion."""


def faults(seed: int, *, rest_s: float, ack_wait_s: float) -> Iterator[Fault]:
    """Without end. Every ``len(Kind)`` or so faults each kind has come; the first round has each once."""
    random = Random(seed)
    first = list(Kind)
    random.shuffle(first)
    while True:
        kind = first.pop() if first else random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        # All numbers are drawn whatever the kind, so that a change to one kind leaves the others as they were.
        service, executor = random.choice(SERVICES), random.choice(EXECUTORS)
        moment, pick, rest = random.uniform(0.5, 4.0), random.random(), random.uniform(0.3, 1.7) * rest_s
        match kind:
            case Kind.KILL | Kind.PAUSE:
                yield Fault(kind=kind, target=service, seconds=moment, pick=pick, rest=rest)
            case Kind.OVERSLEEP:
                yield Fault(kind=kind, target=executor, seconds=ack_wait_s + moment, pick=pick, rest=rest)
            case Kind.POWER_CUT:
                yield Fault(kind=kind, target=executor, pick=pick, rest=rest)
            case _:
                yield Fault(kind=kind, seconds=moment, pick=pick, rest=rest)
