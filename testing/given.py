"""Given these facts, when this command comes, then that fact, or a refusal, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import pytest

from shared.contracts.decider import Decider, Rejected
from shared.contracts.messages import Command, Event

S = TypeVar("S")


@dataclass(frozen=True)
class When(Generic[S]):
    """A command on its way to an actor in some state; each end of the sentence decides it once."""

    decider: Decider[S]
    state: S
    command: Command

    def then(self, event: Event) -> None:
        """Exactly this fact comes of it."""
        assert self.decider.decide(self.state, self.command) == event

    def nothing(self) -> None:
        """Nothing new happens, and it is no error either."""
        assert self.decider.decide(self.state, self.command) is None

    def is_rejected(self, code: str) -> None:
        """It is refused with this code, and with a sentence that a person can read."""
        with pytest.raises(Rejected) as refusal:
            self.decider.decide(self.state, self.command)
        assert refusal.value.code == code
        assert refusal.value.sentence[0].isupper()
        assert refusal.value.sentence.endswith(".")


@dataclass(frozen=True)
class Given(Generic[S]):
    """An actor with a history."""

    decider: Decider[S]
    state: S

    def when(self, command: Command) -> When[S]:
        """A command comes."""
        return When(self.decider, self.state, command)


def given(decider: Decider[S], *events: Event) -> Given[S]:
    """An actor of this kind after these facts; ``.state`` is what it is now."""
    return Given(decider, decider.fold(events))
