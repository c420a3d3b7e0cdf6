"""What an actor kind is: two pure functions, and the way they say no."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any, Generic, TypeVar

from shared.contracts.messages import Event

S = TypeVar("S")


class Rejected(Exception):
    """A command that does not fit. ``code`` is stable kebab-case; ``sentence`` tells a person why, and what to do."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(code, sentence)
        self.code = code
        self.sentence = sentence

    def __str__(self) -> str:
        return f"{self.sentence} ({self.code})"


@dataclass(frozen=True)
class Decider(Generic[S]):
    """One actor kind. ``decide`` gives an event, or None when nothing new happened, or raises `Rejected`.

    Messages are ``Any`` here because each kind's functions take their own union of commands and of events.
    """

    kind: str
    initial: S
    decide: Callable[[S, Any], Event | None]
    evolve: Callable[[S, Any], S]

    def fold(self, events: Iterable[Any]) -> S:
        """The state after these events, from the beginning."""
        return reduce(self.evolve, events, self.initial)
