from __future__ import annotations

import pytest

from services.brain.actors.task import DECIDER
from shared.contracts.messages import digest_of
from shared.contracts.task import (
    ActionRefused,
    Approve,
    Approved,
    ApprovedPlan,
    PlanReady,
    Reject,
    Rejected,
    RequestExecution,
    Revise,
    RevisionRequested,
    Status,
)
from testing.given import given
from testing.stories import (
    APPROVED_PLAN,
    AWAITING,
    BASE,
    DIGEST,
    EXECUTING,
    EXECUTION_REQUESTED,
    PLANNING,
)

SECOND = digest_of("# Plan 2")
REVISED = (
    *AWAITING,
    RevisionRequested(version=1, feedback="Smaller."),
    PlanReady(version=2, digest=SECOND, base_commit=BASE, cause=6),
)


def test_the_plan_that_waits_is_approved_by_version_digest_and_base() -> None:
    (
        given(DECIDER, *AWAITING)
        .when(Approve(version=1, digest=DIGEST, base_commit=BASE, budget_microusd=5))
        .then(Approved(plan=ApprovedPlan(version=1, digest=DIGEST, base_commit=BASE, budget_microusd=5)))
    )


@pytest.mark.parametrize("digest", [DIGEST[:8], DIGEST[:8].upper(), DIGEST])
def test_a_person_may_shorten_the_digest_and_still_approves_the_whole_plan(digest: str) -> None:
    given(DECIDER, *AWAITING).when(Approve(version=1, digest=digest)).then(Approved(plan=APPROVED_PLAN))


def test_a_digest_alone_approves_whatever_plan_has_it() -> None:
    given(DECIDER, *AWAITING).when(Approve(version=0, digest=DIGEST)).then(Approved(plan=APPROVED_PLAN))
    given(DECIDER, *REVISED).when(Approve(version=0, digest=DIGEST)).is_rejected("approval-mismatch")


def test_an_approval_of_an_older_plan_version_is_rejected() -> None:
    given(DECIDER, *REVISED).when(Approve(version=1, digest=DIGEST)).is_rejected("approval-stale")


@pytest.mark.parametrize("digest", ["", DIGEST[:7], "0" * 64, DIGEST + "0"])
def test_an_approval_of_another_digest_is_rejected(digest: str) -> None:
    given(DECIDER, *AWAITING).when(Approve(version=1, digest=digest)).is_rejected("approval-mismatch")


def test_a_refusal_names_a_digest_as_short_as_people_may_give_it() -> None:
    refused = DECIDER.decide(given(DECIDER, *AWAITING).state, Approve(version=1, digest="0" * 8, recorded=True))
    assert isinstance(refused, ActionRefused)
    assert f"begins with {DIGEST[:8]}: read that plan" in refused.reason
    assert DIGEST[:9] not in refused.reason


def test_an_approval_for_another_base_commit_is_rejected() -> None:
    (
        given(DECIDER, *AWAITING)
        .when(Approve(version=1, digest=DIGEST, base_commit="beef" * 10))
        .is_rejected("approval-mismatch")
    )


def test_a_negative_budget_is_rejected() -> None:
    (
        given(DECIDER, *AWAITING)
        .when(Approve(version=1, digest=DIGEST, budget_microusd=-1))
        .is_rejected("budget-negative")
    )


def test_an_approval_before_there_is_a_plan_or_after_the_work_began_is_rejected() -> None:
    given(DECIDER).when(Approve(version=1, digest=DIGEST)).is_rejected("task-unknown")
    given(DECIDER, *PLANNING).when(Approve(version=1, digest=DIGEST)).is_rejected("task-wrong-state")
    given(DECIDER, *EXECUTING).when(Approve(version=1, digest=DIGEST)).is_rejected("task-wrong-state")


def test_an_approved_plan_is_executed_once() -> None:
    approved = (*AWAITING, Approved(plan=APPROVED_PLAN))
    given(DECIDER, *AWAITING).when(RequestExecution()).nothing()
    given(DECIDER, *approved).when(RequestExecution()).then(EXECUTION_REQUESTED)
    given(DECIDER, *EXECUTING).when(RequestExecution()).nothing()


def test_an_approval_told_twice_counts_once_and_cannot_be_taken_back_by_a_rejection() -> None:
    approved = (*AWAITING, Approved(plan=APPROVED_PLAN))
    given(DECIDER, *approved).when(Approve(version=1, digest=DIGEST)).nothing()
    given(DECIDER, *approved).when(Reject()).is_rejected("task-wrong-state")
    given(DECIDER, *approved).when(Revise(feedback="Smaller.")).is_rejected("task-wrong-state")


def test_a_rejected_plan_ends_the_task() -> None:
    rejected = Rejected(version=1, reason="No.")
    given(DECIDER, *AWAITING).when(Reject(reason="No.")).then(rejected)
    assert given(DECIDER, *AWAITING, rejected).state.status is Status.CANCELLED


def test_feedback_asks_for_another_plan() -> None:
    asked = RevisionRequested(version=1, feedback="Smaller.")
    given(DECIDER, *AWAITING).when(Revise(feedback="Smaller.")).then(asked)
    given(DECIDER, *AWAITING).when(Revise(feedback=" \n")).is_rejected("feedback-empty")
    given(DECIDER, *AWAITING).when(Revise(feedback="\u200b")).is_rejected("feedback-empty")
    assert given(DECIDER, *AWAITING, asked).state.status is Status.PLANNING
