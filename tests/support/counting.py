"""An actor that only counts, for tests of length."""

from __future__ import annotations

import msgspec

from shared.contracts import task
from shared.deciding import Decider


class Count(msgspec.Struct, frozen=True):
    count: int = 0


def counted(number: int) -> task.InputGiven:
    return task.InputGiven(message=str(number))


def _decide(state: Count, command: task.GiveInput) -> task.InputGiven:
    return task.InputGiven(message=command.message)


def _evolve(state: Count, event: object) -> Count:
    return Count(state.count + 1)


COUNTER = Decider("task", Count(), _decide, _evolve)
