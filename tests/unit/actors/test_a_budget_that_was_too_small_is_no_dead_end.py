"""Work that cost as much as it was allowed to goes on only with more, which whoever retries it allows by name."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from services.brain.actors.task import DECIDER
from services.executor.actors.run import DECIDER as RUN
from services.executor.budget import budget_of
from services.executor.reactions import react
from shared.contracts import run
from shared.contracts.rules import Action, Standing, actions
from shared.contracts.task import (
    BUDGET_REACHED,
    Approved,
    Declined,
    ExecutionRequested,
    Failed,
    FollowedUp,
    RecordFailure,
    RequestExecution,
    Retried,
    Retry,
    Status,
    TaskEvent,
)
from testing.given import given
from testing.recorded import recorded
from testing.stories import APPROVED_PLAN, AWAITING, BASE, EXECUTING, PLANNING, PUBLISHING, RECEIVED, UNPUBLISHED

CAP = 1_000
REACHED = Failed(stage="executing", code=BUDGET_REACHED, message="Spent.", cause=5, budget_microusd=CAP)
STORY: tuple[TaskEvent, ...] = (*EXECUTING, REACHED)
MORE = Retried(stage="executing", budget_microusd=2 * CAP)


@pytest.mark.parametrize("budget", [0, CAP - 1, CAP])
@pytest.mark.parametrize("retry", [Retry(), Retry(afresh=True)])
def test_a_retry_that_would_reach_the_same_budget_again_is_refused_before_it_costs_anything(
    budget: int, retry: Retry
) -> None:
    given(DECIDER, *STORY).when(replace(retry, budget_microusd=budget)).is_rejected("budget-too-small")


def test_a_retry_with_a_larger_budget_is_recorded_with_it() -> None:
    given(DECIDER, *STORY).when(Retry(budget_microusd=2 * CAP)).then(MORE)


def test_what_was_approved_stays_as_it_was_and_the_round_has_the_budget_of_the_retry() -> None:
    capped = replace(APPROVED_PLAN, budget_microusd=CAP)
    story = (*AWAITING, Approved(plan=capped), EXECUTING[-1], REACHED, MORE)
    asked = DECIDER.decide(given(DECIDER, *story).state, RequestExecution())
    assert isinstance(asked, ExecutionRequested)
    assert (asked.plan, asked.budget_microusd) == (capped, 2 * CAP)
    (command,) = react(recorded(asked))
    requested = RUN.decide(RUN.initial, command)
    assert isinstance(requested, run.Requested)
    round_2 = RUN.evolve(RUN.initial, requested)
    assert round_2.plan == capped
    assert budget_of(round_2, 5.0) == 2 * CAP
    assert budget_of(replace(round_2, budget_microusd=0), 5.0) == CAP
    assert budget_of(replace(round_2, budget_microusd=0, plan=None), 5.0) == 5_000_000


def test_a_budget_that_was_allowed_once_holds_for_later_retries_until_another_plan_or_wish() -> None:
    later = (*STORY, MORE, EXECUTING[-1], Failed(stage="executing", code="x", message="X."))
    given(DECIDER, *later).when(Retry()).then(Retried(stage="executing"))
    kept = given(DECIDER, *later, Retried(stage="executing")).state
    assert kept.budget_microusd == 2 * CAP
    wish = FollowedUp(text="And more.", author="ada", stage="planning", base_commit=BASE)
    assert given(DECIDER, *later, wish).state.budget_microusd == 0


def test_a_budget_that_was_reached_without_saying_how_large_it_was_needs_a_named_one() -> None:
    silent = (*EXECUTING, replace(REACHED, budget_microusd=0))
    given(DECIDER, *silent).when(Retry()).is_rejected("budget-too-small")
    given(DECIDER, *silent).when(Retry(budget_microusd=1)).then(Retried(stage="executing", budget_microusd=1))


@pytest.mark.parametrize(
    "story",
    [
        (*RECEIVED, Declined(attempt=1, reason="Spam.", decided_by="model")),
        (*PLANNING, Failed(stage="planning", code=BUDGET_REACHED, message="Spent.")),
        (*PUBLISHING, UNPUBLISHED),
    ],
)
def test_a_budget_for_what_is_not_the_work_is_refused(story: tuple[TaskEvent, ...]) -> None:
    given(DECIDER, *story).when(Retry(budget_microusd=CAP)).is_rejected("budget-unused")
    assert DECIDER.decide(given(DECIDER, *story).state, Retry()) is not None


def test_a_negative_budget_is_refused() -> None:
    given(DECIDER, *STORY).when(Retry(budget_microusd=-1)).is_rejected("budget-negative")


def test_the_failure_keeps_how_large_the_budget_was() -> None:
    report = RecordFailure(stage="executing", code=BUDGET_REACHED, message="Spent.", cause=5, budget_microusd=CAP)
    given(DECIDER, *EXECUTING).when(report).then(REACHED)


def test_the_effect_of_a_retry_says_that_it_needs_a_larger_budget() -> None:
    standing = Standing(status=Status.FAILED, ended_in="executing", error_code=BUDGET_REACHED)
    assert "larger budget" in actions(standing)[Action.RETRY].effect
    assert "larger budget" not in actions(replace(standing, error_code="x"))[Action.RETRY].effect
