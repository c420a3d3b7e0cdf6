"""What the contracts name happens: a state or an event that nothing leads to would be a promise nobody keeps."""

from __future__ import annotations

from random import Random

import pytest

from services.brain.policy import ReactionPolicy
from shared.contracts import EVENTS, plan, reply, run, task
from testing.random_walk import walk

UNREACHED = {
    # The state before the first event: nothing leads back to it.
    task.Status.NEW,
    plan.Status.NEW,
    run.Status.NEW,
}

OUTSIDE = {"webhook", "user"}
"""Kinds that are no part of a task's life: the tests of their rules reach every event."""


class Reached:
    """What a few hundred walks came across, after their first events."""

    def __init__(self) -> None:
        self.events: set[tuple[str, str]] = set()
        self.states: set[object] = set()
        dice = Random(1)
        for number in range(500):
            approval = task.Approval.AUTO if number % 3 == 0 else task.Approval.REQUIRED
            policy = ReactionPolicy(approval=approval, approval_timeout_s=3600)
            for world in walk([dice.randrange(2**32) for _ in range(150)], policy=policy, reviewed=number % 4 == 0):
                self.states |= {("task", world.task.status), ("plan", world.plan.status), ("run", world.run.status)}
                self.states |= {("effect", effect.status) for effect in world.reply.effects.values()}
            self.events |= {(each.kind, each.name) for each in world.log}


@pytest.fixture(scope="module")
def reached() -> Reached:
    return Reached()


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, names in EVENTS.items() if kind not in OUTSIDE for name in names]
)
def test_every_event_is_made_by_some_walk(reached: Reached, kind: str, name: str) -> None:
    assert (kind, name) in reached.events


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (kind, status)
        for kind, statuses in (
            ("task", task.Status),
            ("plan", plan.Status),
            ("run", run.Status),
            ("effect", reply.EffectStatus),
        )
        for status in statuses
        if not any(status is unreached for unreached in UNREACHED)
    ],
)
def test_every_state_is_reached_by_some_walk(reached: Reached, kind: str, status: str) -> None:
    assert (kind, status) in reached.states
