"""The delivery's rules: it is accepted once, by the gateway's own append; nobody can tell it anything."""

from __future__ import annotations

from shared.contracts.decider import Decider, Rejected
from shared.contracts.delivery import Accepted
from shared.contracts.messages import Command


def decide(delivery: Accepted | None, command: Command) -> None:
    """Raises `Rejected` ``delivery-takes-no-command``, always."""
    raise Rejected("delivery-takes-no-command", "A delivery is a fact from outside: send the command to its task.")


def evolve(delivery: Accepted | None, event: Accepted) -> Accepted:
    """The delivery is what was accepted."""
    return event


DECIDER: Decider[Accepted | None] = Decider("delivery", None, decide, evolve)
