from __future__ import annotations

import pytest

from services.brain.actors.task import DECIDER
from shared.contracts.evidence import Outcome
from shared.contracts.messages import Event
from shared.contracts.task import (
    Answered,
    Approved,
    Cancelled,
    Completed,
    Declined,
    Failed,
    GiveInput,
    RecordFailure,
    RecordPlanReady,
    RecordQuestion,
    RecordRunSucceeded,
    RecordStopped,
    Rejected,
    RequestExecution,
    RequestPlanning,
    RequestTriage,
    Retried,
    Retry,
    Status,
    Stop,
    StopRequested,
    TaskCommand,
    TriageRequested,
)
from testing.given import given
from testing.stories import (
    APPROVED_PLAN,
    AWAITING,
    BASE,
    COMPLETED,
    DIGEST,
    EXECUTING,
    PLANNING,
    PUBLISHING,
    RECEIVED,
    SUBMITTED,
    TRIAGED,
    WAITING,
)

STOP = Stop(reason="Enough.")
STOPPING = StopRequested(stage="executing", reason="Enough.")
FAILED = Failed(stage="executing", code="x", message="X.")


@pytest.mark.parametrize(
    "story",
    [(SUBMITTED,), RECEIVED, (*RECEIVED, TRIAGED), AWAITING, (*AWAITING, Approved(plan=APPROVED_PLAN)), PUBLISHING],
)
def test_a_task_without_an_agent_at_work_is_cancelled_at_once(story: tuple[Event, ...]) -> None:
    given(DECIDER, *story).when(STOP).then(Cancelled(reason="Enough."))


@pytest.mark.parametrize(("story", "stage"), [(PLANNING, "planning"), (EXECUTING, "executing"), (WAITING, "executing")])
def test_an_agent_at_work_is_asked_to_stop_first(story: tuple[Event, ...], stage: str) -> None:
    asked = StopRequested(stage=stage, reason="Enough.")
    given(DECIDER, *story).when(STOP).then(asked)
    given(DECIDER, *story, asked).when(STOP).nothing()
    stopping = given(DECIDER, *story, asked)
    assert stopping.state.status is given(DECIDER, *story).state.status
    assert stopping.state.stopping
    stopping.when(RecordStopped(stage=stage, cause=9)).then(Cancelled(reason="Enough.", cause=9))
    assert not given(DECIDER, *story, asked, Cancelled(reason="Enough.", cause=9)).state.stopping


@pytest.mark.parametrize(
    "report",
    [
        RecordStopped(stage="executing", cause=9),
        RecordFailure(stage="executing", code="x", message="X.", cause=9),
        RecordRunSucceeded(attempt=1, commit="c1", cause=9),
        RecordRunSucceeded(attempt=1, cause=9),
    ],
)
def test_a_stop_wins_over_whatever_the_agent_still_reports(report: TaskCommand) -> None:
    given(DECIDER, *EXECUTING, STOPPING).when(report).then(Cancelled(reason="Enough.", cause=9))


def test_a_plan_that_is_ready_too_late_is_not_offered_for_approval() -> None:
    (
        given(DECIDER, *PLANNING, StopRequested(stage="planning", reason="Enough."))
        .when(RecordPlanReady(version=1, digest=DIGEST, base_commit=BASE, cause=3))
        .then(Cancelled(reason="Enough.", cause=3))
    )


def test_nobody_is_asked_and_nothing_is_handed_over_while_the_agent_stops() -> None:
    given(DECIDER, *EXECUTING, STOPPING).when(RecordQuestion(attempt=1, question="?", cause=9)).nothing()
    given(DECIDER, *EXECUTING, STOPPING).when(GiveInput(message="Wait!")).is_rejected("task-stopping")


@pytest.mark.parametrize(
    "end", [Completed(summary=""), FAILED, Cancelled(), Declined(attempt=1, reason="", decided_by="rules")]
)
def test_a_finished_task_says_that_there_is_nothing_to_stop(end: Event) -> None:
    given(DECIDER, *EXECUTING, end).when(STOP).is_rejected("task-finished")


def test_a_task_nobody_submitted_cannot_be_stopped_or_retried() -> None:
    given(DECIDER).when(STOP).is_rejected("task-unknown")
    given(DECIDER).when(Retry()).is_rejected("task-unknown")


def test_a_retry_goes_on_with_what_was_approved() -> None:
    given(DECIDER, *EXECUTING, FAILED).when(Retry()).then(Retried(stage="executing"))
    retried = given(DECIDER, *EXECUTING, FAILED, Retried(stage="executing"))
    assert retried.state.status is Status.TRIAGED
    assert retried.state.error_code == ""
    retried.when(RequestPlanning()).nothing()
    event = DECIDER.decide(retried.state, RequestExecution())
    assert (getattr(event, "round", 0), getattr(event, "plan", None)) == (2, APPROVED_PLAN)


@pytest.mark.parametrize("end", [Cancelled(), Failed(stage="planning", code="x", message="X.")])
def test_a_retry_without_an_approved_plan_plans_again(end: Event) -> None:
    given(DECIDER, *PLANNING, end).when(Retry()).then(Retried(stage="planning"))


def test_a_retry_after_a_rejected_plan_plans_again() -> None:
    given(DECIDER, *AWAITING, Rejected(version=1)).when(Retry()).then(Retried(stage="planning"))


@pytest.mark.parametrize(
    "end",
    [
        Cancelled(),
        Failed(stage="triage", code="x", message="X."),
        Declined(attempt=1, reason="Spam.", decided_by="model"),
    ],
)
def test_a_retry_before_any_verdict_to_act_triages_again(end: Event) -> None:
    given(DECIDER, *RECEIVED, end).when(Retry()).then(Retried(stage="triage"))
    (given(DECIDER, *RECEIVED, end, Retried(stage="triage")).when(RequestTriage()).then(TriageRequested(attempt=2)))


@pytest.mark.parametrize(
    "story", [RECEIVED, PLANNING, AWAITING, EXECUTING, WAITING, PUBLISHING, (*PUBLISHING, COMPLETED)]
)
def test_only_a_task_that_ended_without_success_is_retried(story: tuple[Event, ...]) -> None:
    given(DECIDER, *story).when(Retry()).is_rejected("task-wrong-state")


def test_a_task_that_changed_nothing_is_retried() -> None:
    nothing = Completed(summary="It is right already.", outcome=Outcome.NOTHING_TO_CHANGE)
    given(DECIDER, *EXECUTING, nothing).when(Retry()).then(Retried(stage="executing"))
    answered = Answered(attempt=1, answer="42", decided_by="model")
    given(DECIDER, *RECEIVED, answered).when(Retry()).is_rejected("task-wrong-state")
