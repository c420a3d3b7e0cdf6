"""Properties of the projection over random histories of the whole system (`testing.random_walk`)."""

from __future__ import annotations

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.brain.policy import ReactionPolicy
from services.projector.projection import project
from services.projector.projection.facts import Stored, read
from services.projector.sentences import UNREAD, sentence
from shared.contracts.messages import name_of
from shared.contracts.task import TERMINAL, Approval, Status
from shared.contracts.usage import cost_of, tokens_of
from testing.in_memory_system import SESSION_ID
from testing.random_walk import walked
from testing.recorded import TASK_ID
from testing.reference_fold import Fold
from tests.unit.projector.projector_support import ask, log_of, projected, projected_in_batches

STEPS = st.lists(st.integers(0, 2**32), min_size=5, max_size=80)
CUTS = st.lists(st.integers(0, 2**16), max_size=6)
FEW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(steps=STEPS, cuts=CUTS, others=CUTS)
def test_any_split_into_batches_gives_the_same_rows(steps: list[int], cuts: list[int], others: list[int]) -> None:
    log = log_of(walked(steps).log)
    whole = projected_in_batches(log, [], anew=False)
    assert projected_in_batches(log, cuts, anew=False) == whole
    assert projected_in_batches(log, others, anew=True) == whole


@FEW
@given(steps=STEPS)
def test_the_rows_are_what_a_fold_of_the_log_in_plain_python_says(steps: list[int]) -> None:
    log = log_of(walked(steps).log)
    fold = Fold()
    for stored in log.stored:
        fold.take(stored.subject, stored.body)
    assert projected_in_batches(log, [], anew=False) == fold.tables()


@FEW
@given(steps=STEPS, broken=st.lists(st.integers(0, 2**16), min_size=1, max_size=4), cuts=CUTS)
def test_any_split_gives_the_same_rows_when_some_events_cannot_be_read(
    steps: list[int], broken: list[int], cuts: list[int]
) -> None:
    log = log_of(walked(steps).log)
    for at in broken if log.stored else ():
        index = at % len(log.stored)
        log.stored[index] = Stored(index + 1, log.stored[index].subject, log.stored[index].body[: at % 200])
    assert projected_in_batches(log, cuts, anew=True) == projected_in_batches(log, [], anew=False)


@MANY
@given(steps=STEPS)
def test_folding_twice_from_the_same_rows_changes_nothing_before_it(steps: list[int]) -> None:
    facts = [read(stored) for stored in log_of(walked(steps).log).stored]
    before = project({}, facts[: len(facts) // 2]).stories
    kept = dict(before)
    once = project(before, facts[len(facts) // 2 :])
    assert before == kept
    assert project(before, facts[len(facts) // 2 :]) == once


@FEW
@example(steps=[1, 1, 68546, 0, 1])  # the only event of the task refuses an action of somebody: there is no row yet
@given(steps=STEPS)
def test_a_task_row_says_what_the_task_itself_says(steps: list[int]) -> None:
    world = walked(steps, policy=ReactionPolicy(approval=Approval.REQUIRED))
    if world.task.status is Status.NEW:
        return
    row = ask(projected(log_of(world.log)), "tasks.get", id=TASK_ID)["task"]
    task = world.task
    assert row["status"] == task.status
    assert (row["title"], row["repo"], row["version"]) == (task.title, task.repo, len(world.events_of("task")))
    assert (row["round"], row["error_code"]) == (task.round, task.error_code)
    assert (row["commit"], row["branch"]) == (task.commit, task.branch)
    assert (row["evidence"], row["outcome"]) == (task.evidence or "", task.outcome or "")
    assert row["has_result"] == (task.result is not None)
    assert row["stopping"] == (task.stopping and task.status not in TERMINAL)
    assert [plan["version"] for plan in row["plans"]] == list(range(1, world.plan.version + 1))
    assert row["attempt"] == world.run.attempt
    assert (row["run"] or {"status": "new"})["status"] == world.run.status


@FEW
@given(steps=STEPS)
def test_what_was_spent_is_what_the_events_report(steps: list[int]) -> None:
    log = walked(steps).log
    on_tasks, in_talks = (
        tuple(
            each
            for recorded in log
            if (recorded.kind == "session") is talked
            for each in getattr(recorded.data, "usage", ())
        )
        for talked in (False, True)
    )
    connection = projected(log_of(log))
    total = ask(connection, "costs", group_by="model")["total"]
    assert total["cost_microusd"] == cost_of((*on_tasks, *in_talks))
    tasks = ask(connection, "tasks.list")["items"]
    assert sum(each["cost_microusd"] for each in tasks) == cost_of(on_tasks)
    assert sum(each["tokens"] for each in tasks) == tokens_of(on_tasks)
    talks = [each for each in ask(connection, "costs", group_by="session")["items"] if each["key"] == SESSION_ID]
    assert sum(each["cost_microusd"] for each in talks) >= cost_of(in_talks)


@MANY
@given(steps=STEPS)
def test_every_event_is_read_and_has_a_sentence(steps: list[int]) -> None:
    for recorded, stored in zip(log := walked(steps).log, log_of(log).stored, strict=True):
        fact = read(stored)
        assert (fact.problem, fact.data) == ("", recorded.data)
        assert sentence(fact.kind, name_of(recorded.data), fact.raw.encode()) not in ("", UNREAD)
