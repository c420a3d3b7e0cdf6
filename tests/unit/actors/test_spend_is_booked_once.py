"""However often a node's whole spend is reported, an actor records once what its log did not have."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from services.brain.actors import task as task_actor
from services.executor.actors import run as run_actor
from services.planner.actors import plan as plan_actor
from shared.contracts import plan, run, task
from shared.contracts.decider import Decider
from shared.contracts.messages import Command
from shared.contracts.usage import Accounts, ModelUsage, spent_on

SpendRecorded = task.SpendRecorded | plan.SpendRecorded | run.SpendRecorded
KINDS = [
    (task_actor.DECIDER, lambda place, *usage: task.RecordSpend(attempt=1, place=place, usage=usage)),
    (plan_actor.DECIDER, lambda place, *usage: plan.RecordSpend(draft=1, place=place, usage=usage)),
    (run_actor.DECIDER, lambda place, *usage: run.RecordSpend(round=1, place=place, usage=usage)),
]


def used(model: str, tokens: int, cost: int = 0) -> ModelUsage:
    return ModelUsage(model=model, input_tokens=tokens, cost_microusd=cost)


@pytest.mark.parametrize(("decider", "spend"), KINDS, ids=["task", "plan", "run"])
def test_a_place_s_total_is_recorded_as_what_is_new_in_it(decider: Decider[Any], spend: Any) -> None:
    assert decider.decide(decider.initial, spend("a", used("m", 5))) is None, "nobody has asked for work yet"
    state, recorded = msgspec.structs.replace(decider.initial, status="failed"), []
    for command in (
        spend("a", used("m", 5)),
        spend("a", used("m", 5)),
        spend("a", used("m", 7), used("n", 1)),
        spend("b", used("m", 5)),
        spend("a", used("m", 6)),
        spend("a"),
    ):
        event = decider.decide(state, command)
        assert event is None or isinstance(event, SpendRecorded)
        recorded.append(() if event is None else (event.place, event.usage))
        state = state if event is None else decider.evolve(state, event)
    assert recorded == [
        ("a", (used("m", 5),)),
        (),
        ("a", (used("m", 2), used("n", 1))),
        ("b", (used("m", 5),)),
        (),
        (),
    ]


SPENT = (used("m", 5),)
MODEL: dict[str, Any] = {"attempt": 1, "decided_by": "model", "reason": "r", "usage": SPENT, "place": "a"}
PASSING = (datetime(2026, 1, 1, tzinfo=UTC),)
VERDICTS = [verdict for verdict in task.Verdict if verdict is not task.Verdict.REVIEW]
"""What triage says of a task that names no pull request."""
FAILURE = task.RecordFailure(stage="triage", attempt=1, code="c", message="m", usage=SPENT, place="a")


@pytest.mark.parametrize(
    "report",
    [
        *(task.RecordTriage(verdict=verdict, **MODEL) for verdict in VERDICTS),
        FAILURE,
        msgspec.structs.replace(FAILURE, retries_at=PASSING),
    ],
    ids=[*VERDICTS, "fail", "pause"],
)
def test_what_a_verdict_cost_is_known_of_its_place_and_of_no_other(report: Command) -> None:
    decider, state = task_actor.DECIDER, task.Task(status=task.Status.RECEIVED, triage_attempt=1, triaging=True)
    event = decider.decide(state, report)
    assert isinstance(event, task.Triaged | task.Answered | task.Declined | task.Failed | task.Paused)
    state = decider.evolve(state, event)
    assert (event.usage, event.place, state.accounts) == (SPENT, "a", {"1@a": SPENT})
    assert decider.decide(state, task.RecordSpend(attempt=1, place="a", usage=SPENT)) is None
    assert decider.decide(state, task.RecordSpend(attempt=1, place="b", usage=SPENT)) is not None


def test_what_a_run_s_reports_said_is_not_recorded_again_and_each_round_has_its_own_account() -> None:
    decider, state = run_actor.DECIDER, run.Run()
    requested = run.Requested(round=1, repo="r", base_commit="b", title="t", text="t")
    for event in (
        requested,
        run.Claimed(round=1, attempt=1, worker="w:1@a", session="s"),
        run.Checkpointed(attempt=1, turn=1, usage=(used("m", 5),)),
        run.Claimed(round=1, attempt=2, worker="w:2@b", session="s"),
        run.Failed(round=1, attempt=2, code="c", message="m", usage=(used("m", 3),)),
        run.Requested(round=2, repo="r", base_commit="b", title="t", text="t"),
    ):
        state = decider.evolve(state, event)
    assert decider.decide(state, run.RecordSpend(round=1, place="b", usage=(used("m", 3),))) is None
    late = decider.decide(state, run.RecordSpend(round=1, place="a", usage=(used("m", 6),)))
    assert late == run.SpendRecorded(round=1, place="a", usage=(used("m", 1),))
    first = decider.decide(state, run.RecordSpend(round=2, place="a", usage=(used("m", 6),)))
    assert first == run.SpendRecorded(round=2, place="a", usage=(used("m", 6),))


def test_a_round_has_spent_what_all_its_places_have_and_no_other_round() -> None:
    accounts: Accounts = {
        "1@here": (used("m", 1, 1),),
        "1@there": (used("m", 2, 20),),
        "11@here": (used("m", 3, 300),),
        "2@there": (used("m", 4, 4000),),
    }
    assert spent_on(accounts, 1) == (used("m", 3, 21),)
    assert spent_on(accounts, 11) == (used("m", 3, 300),)
    assert spent_on(accounts, 3) == ()
