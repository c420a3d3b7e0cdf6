"""What an answer says may be done with a task is what the brain does not refuse, however the task came there."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.brain.actors.task import DECIDER
from services.projector.database import open_views
from services.projector.queries.params import Refused
from services.projector.writer import Writer
from shared.contracts import task
from shared.contracts.decider import Rejected
from shared.contracts.messages import Command
from shared.contracts.rules import ACTION_OF, ENDS, NEEDS_PERSON, Action
from testing.in_memory_system import InMemorySystem
from testing.random_walk import walk
from tests.unit.projector.projector_support import Log, ask

STEPS = st.lists(st.integers(0, 2**32 - 1), min_size=40, max_size=120)
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def said_well(now: task.Task) -> tuple[Command, ...]:
    """Every command of a person, with nothing wrong in it but the moment."""
    return (
        task.Approve(version=now.plan_version, digest=now.plan_digest, base_commit=now.plan_base),
        task.Reject(reason="No."),
        task.Revise(feedback="Smaller."),
        task.GiveInput(message="Go on."),
        task.Stop(),
        task.Retry(),
        task.Publish(),
        task.FollowUp(text="And mind the spaces."),
    )


def refusal_of(now: task.Task, command: Command) -> Rejected | None:
    try:
        DECIDER.decide(now, command)
    except Rejected as refused:
        return refused
    return None


@FEW
@given(STEPS)
def test_actions_say_allowed_exactly_when_the_brain_does_not_reject_the_command(steps: list[int]) -> None:
    log, told, asked_of = Log(), 0, None
    connection = open_views(Path(":memory:"))
    writer = Writer(connection)
    for world in walk(steps):
        # What happens to other actors is told together with what changes the task.
        if world.task == asked_of:
            continue
        asked_of = world.task
        for event in world.log[told:]:
            log.add(event.data, id=event.actor.id, principal=event.principal)
        if log.stored[told:]:
            writer.apply(log.stored[told:])
        told = len(world.log)
        if world.task.status is task.Status.NEW:
            with pytest.raises(Refused):
                ask(connection, "tasks.get", id=world_id(world))
            continue
        shown = ask(connection, "tasks.get", id=world_id(world))["task"]["actions"]
        (row,) = ask(connection, "tasks.list")["items"]
        assert set(shown) == set(Action)
        for command in said_well(world.task):
            refused, state = refusal_of(world.task, command), shown[ACTION_OF[type(command)]]
            effect = state.pop("effect", "")
            assert effect == "" or (refused is None and effect.endswith("."))
            assert state == (
                {"allowed": True}
                if refused is None
                else {"allowed": False, "code": refused.code, "reason": refused.sentence}
            )
            assert row["actions"][ACTION_OF[type(command)]] == {"allowed": refused is None}
    connection.close()


CHANGES_NO_STATUS = (
    task.SpendRecorded
    | task.FollowUpRefused
    | task.ActionRefused
    | task.Edited
    | task.Reverted
    | task.CatchUpRequested
    | task.HeadSeen
    | task.CheckEnded
    | task.Reviewed
    | task.AutomaticSet
    | task.PersonNeeded
    | task.ChecksPassed
)


@settings(deadline=None)
@given(STEPS)
def test_a_task_is_at_its_end_exactly_after_an_event_that_ends_it(steps: list[int]) -> None:
    world = InMemorySystem()
    for world in walk(steps):
        now, last = DECIDER.initial, False
        for event in world.events_of("task"):
            now = DECIDER.evolve(now, event)
            last = isinstance(event, ENDS) or (last and isinstance(event, CHANGES_NO_STATUS))
        assert (now.status in task.TERMINAL) is last


def test_a_task_that_needs_a_person_can_be_answered_or_decided_on() -> None:
    for status in NEEDS_PERSON:
        now = task.Task(status=status, plan_version=1, plan_digest="d" * 64)
        assert any(refusal_of(now, command) is None for command in said_well(now)[:4])


def world_id(world: InMemorySystem) -> str:
    """The id of the one task of a world; before its first event, of any."""
    return next((event.actor.id for event in world.log if event.kind == "task"), "01JX7Z0000000000000000NONE")
