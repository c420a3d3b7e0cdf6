"""The delivery's rules: the gateway itself appends that it is accepted, and what becomes of it is told to it."""

from __future__ import annotations

from typing import Final, assert_never

from msgspec.structs import asdict, replace

from shared.contracts.decider import Decider, Rejected
from shared.contracts.delivery import (
    NOT_AUTHORISED,
    Accepted,
    Authorise,
    Authorised,
    Delivery,
    DeliveryCommand,
    DeliveryEvent,
    Refuse,
    Refused,
    Replay,
    Replayed,
    Signal,
)

MAX_REPLAYS: Final = 100
"""More than anybody needs: each one is an event."""


def decide(delivery: Delivery | None, command: DeliveryCommand) -> DeliveryEvent | None:
    """What comes of a command; what was told before gives None, and so does a second judgement of its author.

    Raises `Rejected` ``delivery-unknown`` and ``replayed-too-often``.
    """
    if delivery is None:
        raise Rejected("delivery-unknown", "There is no such delivery: look its id up in the list of deliveries.")
    match command:
        case Authorise() if delivery.authorised or not NOT_AUTHORISED.isdisjoint(delivery.refused):
            return None
        case Authorise():
            return Authorised(signal=command.signal, permission=command.permission, decided_by=command.decided_by)
        case Refuse(code=code) if code in delivery.refused or (delivery.authorised and code in NOT_AUTHORISED):
            return None
        case Refuse():
            return Refused(code=command.code, reason=command.reason, signal=_addressed(delivery.signal))
        case Replay() if delivery.replays >= MAX_REPLAYS:
            raise Rejected("replayed-too-often", f"A delivery is replayed at most {MAX_REPLAYS} times.")
        case Replay():
            return Replayed(signal=command.signal, asks_permission=command.asks_permission)


def _addressed(signal: Signal) -> Signal:
    """Who has said something, and where, without the words."""
    return replace(signal, text="", context="", argument="")


def evolve(delivery: Delivery | None, event: DeliveryEvent) -> Delivery:
    """The delivery after a fact. What it asked for once more may be refused once more."""
    match event:
        case Accepted():
            return Delivery(**asdict(event))
        case _:
            assert delivery is not None, "a delivery begins by being accepted"
            return _after(delivery, event)


def _after(delivery: Delivery, event: Authorised | Refused | Replayed) -> Delivery:
    match event:
        case Authorised():
            return replace(delivery, authorised=True)
        case Refused():
            return replace(delivery, refused=(*delivery.refused, event.code))
        case Replayed():
            return replace(delivery, replays=delivery.replays + 1, refused=(), authorised=False)
        case _:
            assert_never(event)


DECIDER: Decider[Delivery | None] = Decider("delivery", None, decide, evolve)
