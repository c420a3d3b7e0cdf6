from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from services.brain.actors.task import DECIDER
from services.brain.policy import ReactionPolicy
from services.brain.timers import timers
from shared.contracts.messages import TimedCommand
from shared.contracts.task import (
    Approval,
    ApprovalExpired,
    Approve,
    Approved,
    ApprovedPlan,
    Cancelled,
    ExpireApproval,
    Failed,
    Paused,
    RecordFailure,
    RecordPlanReady,
    RequestExecution,
    RequestPlanning,
    Resume,
    Resumed,
    Retried,
    Retry,
    RevisionRequested,
    Status,
    Stop,
    Submitted,
    TaskEvent,
)
from testing.given import given
from testing.recorded import TASK_ID, recorded
from testing.stories import BASE, DIGEST, EXECUTING, PLAN_READY, PLANNING, SUBMITTED

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MOMENTS = tuple(NOON + timedelta(minutes=minute) for minute in (1, 2, 3))
FAILURE = RecordFailure(stage="executing", code="agent-overloaded", message="Busy.", retries_at=MOMENTS)
PAUSED = Paused(stage="executing", code="agent-overloaded", message="Busy.", until=MOMENTS[0], tries=1)
RESUME = Resume(at=MOMENTS[0])
RESUMED = Resumed(stage="executing")
READY = replace(PLAN_READY, expires_at=NOON)
AWAITING = (*PLANNING, READY)
EXPIRE = ExpireApproval(version=1, at=NOON)
EXPIRED = ApprovalExpired(version=1)


def tried(number: int) -> Paused:
    return replace(PAUSED, tries=number, until=MOMENTS[number - 1])


def executed_again(*pauses: Paused) -> tuple[TaskEvent, ...]:
    """Executing after these pauses."""
    events: tuple[TaskEvent, ...] = EXECUTING
    for number, pause in enumerate(pauses, start=2):
        events += (pause, RESUMED, replace(EXECUTING[-1], round=number))
    return events


def test_a_passing_failure_pauses_the_task_until_the_moment_it_names() -> None:
    given(DECIDER, *EXECUTING).when(FAILURE).then(PAUSED)
    paused = given(DECIDER, *EXECUTING, PAUSED).state
    assert (paused.status, paused.error_code, paused.paused_until) == (Status.PAUSED, "agent-overloaded", MOMENTS[0])


def test_each_failure_in_a_row_waits_for_the_next_moment_and_the_one_after_the_last_is_for_good() -> None:
    given(DECIDER, *executed_again(tried(1))).when(FAILURE).then(tried(2))
    given(DECIDER, *executed_again(tried(1), tried(2))).when(FAILURE).then(tried(3))
    over = Failed(stage="executing", code="agent-overloaded", message="Busy.")
    given(DECIDER, *executed_again(tried(1), tried(2), tried(3))).when(FAILURE).then(over)


def test_a_failure_that_nothing_is_said_of_when_to_retry_is_for_good() -> None:
    failed = Failed(stage="executing", code="agent-overloaded", message="Busy.")
    given(DECIDER, *EXECUTING).when(replace(FAILURE, retries_at=())).then(failed)


def test_what_went_well_or_a_person_who_retries_begins_the_count_anew() -> None:
    planning = replace(FAILURE, stage="planning")
    first = replace(PAUSED, stage="planning")
    again = (*PLANNING, first, Resumed(stage="planning"), PLANNING[-1])
    given(DECIDER, *again).when(planning).then(replace(first, tries=2, until=MOMENTS[1]))
    given(DECIDER, *again, PLAN_READY, RevisionRequested(version=1, feedback="Smaller.")).when(planning).then(first)
    given(DECIDER, *EXECUTING, PAUSED, Retried(stage="executing"), EXECUTING[-1]).when(FAILURE).then(PAUSED)


def test_the_end_of_a_pause_goes_on_from_the_stage_that_failed() -> None:
    given(DECIDER, *EXECUTING, PAUSED).when(RESUME).then(RESUMED)
    given(DECIDER, *EXECUTING, PAUSED, RESUMED).when(RequestExecution()).then(replace(EXECUTING[-1], round=2))
    in_planning = (*PLANNING, replace(PAUSED, stage="planning"))
    given(DECIDER, *in_planning).when(RESUME).then(Resumed(stage="planning"))
    given(DECIDER, *in_planning, Resumed(stage="planning")).when(RequestPlanning()).then(PLANNING[-1])
    assert given(DECIDER, *EXECUTING, PAUSED, RESUMED).state.error_code == ""


@pytest.mark.parametrize(
    "history",
    [
        (),
        EXECUTING,
        (*EXECUTING, tried(2)),
        (*EXECUTING, PAUSED, RESUMED),
        (*EXECUTING, PAUSED, Retried(stage="executing")),
        (*EXECUTING, PAUSED, Cancelled()),
    ],
)
def test_a_late_doubled_or_forged_end_of_a_pause_changes_nothing(history: tuple[TaskEvent, ...]) -> None:
    given(DECIDER, *history).when(RESUME).nothing()


def test_a_paused_task_is_stopped_at_once_and_retried_at_once() -> None:
    given(DECIDER, *EXECUTING, PAUSED).when(Stop(reason="Enough.")).then(Cancelled(reason="Enough."))
    given(DECIDER, *EXECUTING, PAUSED).when(Retry()).then(Retried(stage="executing"))


def test_a_report_that_paused_the_task_says_nothing_new_when_it_is_told_again() -> None:
    told = replace(FAILURE, cause=9)
    given(DECIDER, *EXECUTING, replace(PAUSED, cause=9)).when(told).nothing()
    given(DECIDER, *EXECUTING, replace(PAUSED, cause=9), RESUMED, EXECUTING[-1]).when(told).nothing()


def test_a_plan_that_nobody_approves_in_time_cancels_its_task_which_may_be_retried() -> None:
    report = RecordPlanReady(
        version=1, digest=DIGEST, base_commit=BASE, summary=READY.summary, expires_at=NOON, cause=READY.cause
    )
    given(DECIDER, *PLANNING).when(report).then(READY)
    given(DECIDER, *AWAITING).when(EXPIRE).then(EXPIRED)
    over = given(DECIDER, *AWAITING, EXPIRED)
    assert over.state.status is Status.CANCELLED
    over.when(Retry()).then(Retried(stage="planning"))
    over.when(Approve(version=1, digest=DIGEST, base_commit=BASE)).is_rejected("task-wrong-state")


@pytest.mark.parametrize(
    "history",
    [
        (),
        PLANNING,
        (*PLANNING, PLAN_READY),
        (*AWAITING, Approved(plan=ApprovedPlan(version=1, digest=DIGEST, base_commit=BASE))),
        (*AWAITING, RevisionRequested(version=1, feedback="Smaller."), replace(READY, version=2)),
        (*PLANNING, replace(READY, expires_at=NOON + timedelta(seconds=1))),
        (*AWAITING, EXPIRED),
    ],
)
def test_a_late_doubled_or_forged_end_of_an_approval_changes_nothing(history: tuple[TaskEvent, ...]) -> None:
    given(DECIDER, *history).when(EXPIRE).nothing()


def test_a_plan_that_the_policy_approves_does_not_expire() -> None:
    waived = (replace(SUBMITTED, approval=Approval.AUTO), *PLANNING[1:])
    assert isinstance(waived[0], Submitted)
    report = RecordPlanReady(version=1, digest=DIGEST, base_commit=BASE, expires_at=NOON, cause=READY.cause)
    expected = replace(PLAN_READY, summary="", approval=Approval.AUTO)
    given(DECIDER, *waived).when(report).then(expected)


@pytest.mark.parametrize(
    ("event", "command"),
    [
        (PAUSED, Resume(id=TASK_ID, at=MOMENTS[0])),
        (READY, ExpireApproval(id=TASK_ID, version=1, at=NOON)),
        (PLAN_READY, None),
        (RESUMED, None),
    ],
)
def test_a_pause_and_a_plan_that_expires_set_a_timer(event: TaskEvent, command: TimedCommand | None) -> None:
    assert timers(recorded(event)) == ([] if command is None else [command])


def test_the_waits_get_longer_and_none_ends_before_the_limit_is_lifted() -> None:
    policy = ReactionPolicy(waits_s=(30, 120, 600))
    assert [(at - NOON).total_seconds() for at in policy.retries_at(NOON, None)] == [30, 120, 600]
    lifted = NOON + timedelta(seconds=300)
    assert [(at - NOON).total_seconds() for at in policy.retries_at(NOON, lifted)] == [300, 300, 600]


def test_a_plan_expires_after_the_time_the_policy_gives_and_never_where_that_is_nothing() -> None:
    assert ReactionPolicy(approval_timeout_s=60).expires_at(NOON) == NOON + timedelta(minutes=1)
    assert ReactionPolicy().expires_at(NOON) is None
