"""A reaction that its filters never deliver to would never happen; a filter without a reaction is work for nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

import pytest

from services.brain import reactions as brain
from services.brain import timers as brain_timers
from services.brain.policy import ReactionPolicy
from services.executor import reactions as executor
from services.gateway import reactions as gateway
from services.planner import reactions as planner
from shared.contracts import EVENTS
from shared.contracts.messages import Command
from shared.contracts.task import Approval
from shared.event_store.envelope import RecordedEvent
from testing.random_walk import walked

React = Callable[[RecordedEvent], Sequence[Command]]

FEWEST_WALKS, MOST_WALKS = 400, 3000
"""Some events come in one walk of a thousand: it is walked until all have come, or nobody would believe it."""

REACTORS: list[tuple[Sequence[str], React]] = [
    (brain.FILTERS, brain.reactions(ReactionPolicy())),
    (brain_timers.FILTERS, brain_timers.timers),
    (planner.FILTERS, planner.react),
    (executor.FILTERS, executor.react),
    (gateway.filters({"github"}), gateway.reactions({"github"})),
    (gateway.filters({"github", "jira"}), gateway.reactions({"github", "jira"}, lambda sender, kind, text: True)),
    (gateway.filters(()), gateway.reactions()),
]


@pytest.fixture(scope="module")
def logs() -> list[RecordedEvent]:
    dice = Random(99)
    happened: list[RecordedEvent] = []
    rare = {tuple(subject.split(".")[1::2]) for filters, _ in REACTORS for subject in filters}
    for number in range(MOST_WALKS):
        approval = Approval.AUTO if number % 2 else Approval.REQUIRED
        policy = ReactionPolicy(approval=approval, approval_timeout_s=60)
        steps = [dice.randrange(2**32) for _ in range(150)]
        happened += (walk := walked(steps, policy=policy, reviewed=number % 5 == 0).log)
        rare -= {(event.kind, event.name) for event in walk}
        if number >= FEWEST_WALKS and not rare:
            break
    return happened


@pytest.mark.parametrize(("filters", "react"), REACTORS)
def test_the_events_that_lead_to_commands_are_those_the_filters_ask_for(
    filters: Sequence[str], react: React, logs: list[RecordedEvent]
) -> None:
    answered = {(event.kind, event.name) for event in logs if react(event)}
    asked_for = {tuple(subject.split(".")[1::2]) for subject in filters}
    assert answered == asked_for
    assert len(asked_for) == len(filters)


@pytest.mark.parametrize("filters", [filters for filters, _ in REACTORS])
def test_every_filter_names_an_event_of_the_contracts(filters: Sequence[str]) -> None:
    known = {f"evt.{kind}.*.{name}" for kind, names in EVENTS.items() for name in names}
    assert set(filters) <= known
