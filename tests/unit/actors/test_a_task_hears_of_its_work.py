from __future__ import annotations

import pytest

from services.brain.actors.task import DECIDER
from shared.contracts.messages import Event
from shared.contracts.task import (
    Cancelled,
    Completed,
    Failed,
    GiveInput,
    InputGiven,
    RecordFailure,
    RecordPlanReady,
    RecordPublished,
    RecordQuestion,
    RecordRunSucceeded,
    RecordStopped,
    RecordWorkResumed,
    RequestExecution,
    RequestPlanning,
    Retried,
    Status,
    WorkResumed,
)
from testing.given import given
from testing.stories import (
    AWAITING,
    BASE,
    DIGEST,
    EXECUTING,
    PLAN_READY,
    PLANNING,
    PUBLISHING,
    QUESTION,
    RECEIVED,
    RUN_SUCCEEDED,
    WAITING,
)

SUCCEEDED = RecordRunSucceeded(
    attempt=1, commit="c1", branch="journeyman/x", summary="Added right.", cause=RUN_SUCCEEDED.cause
)
READY = RecordPlanReady(version=1, digest=DIGEST, base_commit=BASE, summary="Add right.", cause=PLAN_READY.cause)
REPORTS = (
    READY,
    RecordQuestion(attempt=1, question="?"),
    RecordWorkResumed(attempt=1),
    SUCCEEDED,
    RecordPublished(commit="c1", branch="b"),
    RecordFailure(stage="triage", code="x", message="X."),
    RecordFailure(stage="planning", code="x", message="X."),
    RecordFailure(stage="executing", code="x", message="X."),
    RecordFailure(stage="publishing", code="x", message="X."),
    RecordStopped(stage="planning"),
    RecordStopped(stage="executing"),
)


def test_a_ready_plan_waits_for_its_approval() -> None:
    given(DECIDER, *PLANNING).when(READY).then(PLAN_READY)
    assert given(DECIDER, *AWAITING).state.status is Status.AWAITING_APPROVAL


def test_a_question_waits_for_a_person_and_the_answer_resumes_the_work() -> None:
    given(DECIDER, *EXECUTING).when(RecordQuestion(attempt=1, question="Which sum?", cause=4)).then(QUESTION)
    given(DECIDER, *WAITING).when(GiveInput(message="The first.")).then(InputGiven(message="The first."))
    resumed = WorkResumed(attempt=1, cause=6)
    given(DECIDER, *WAITING).when(RecordWorkResumed(attempt=1, cause=6)).then(resumed)
    assert given(DECIDER, *WAITING, InputGiven(message="1")).state.status is Status.WAITING_INPUT
    assert given(DECIDER, *WAITING, resumed).state.status is Status.EXECUTING


def test_a_question_that_was_answered_long_ago_is_not_asked_again() -> None:
    resumed = WorkResumed(attempt=1, cause=6)
    given(DECIDER, *WAITING, resumed).when(RecordQuestion(attempt=1, question="Which sum?", cause=4)).nothing()


def test_input_is_taken_while_an_agent_works_and_at_no_other_time() -> None:
    given(DECIDER, *EXECUTING).when(GiveInput(message="Hurry.")).then(InputGiven(message="Hurry."))
    given(DECIDER, *EXECUTING).when(GiveInput(message="  ")).is_rejected("input-empty")
    given(DECIDER, *EXECUTING).when(GiveInput(message="\u200b")).is_rejected("input-empty")
    given(DECIDER, *PLANNING).when(GiveInput(message="Hurry.")).is_rejected("task-wrong-state")
    given(DECIDER, *PUBLISHING).when(GiveInput(message="Hurry.")).is_rejected("task-wrong-state")


@pytest.mark.parametrize("story", [EXECUTING, WAITING])
def test_a_run_with_a_commit_is_published_before_the_task_is_complete(story: tuple[Event, ...]) -> None:
    given(DECIDER, *story).when(SUCCEEDED).then(RUN_SUCCEEDED)
    (
        given(DECIDER, *PUBLISHING)
        .when(RecordPublished(commit="c1", branch="journeyman/x", url="file:///r", cause=3))
        .then(Completed(summary="Added right.", commit="c1", branch="journeyman/x", url="file:///r"))
    )


def test_a_run_that_had_nothing_to_change_completes_the_task() -> None:
    (
        given(DECIDER, *EXECUTING)
        .when(RecordRunSucceeded(attempt=1, summary="It is right already.", cause=5))
        .then(Completed(summary="It is right already."))
    )


def test_the_publication_of_another_commit_completes_nothing() -> None:
    given(DECIDER, *PUBLISHING).when(RecordPublished(commit="c0", branch="journeyman/x")).nothing()


@pytest.mark.parametrize(
    ("stage", "story"),
    [("triage", RECEIVED), ("planning", PLANNING), ("executing", EXECUTING), ("executing", WAITING)],
)
def test_a_failure_of_the_stage_under_way_fails_the_task(stage: str, story: tuple[Event, ...]) -> None:
    (
        given(DECIDER, *story)
        .when(RecordFailure(stage=stage, code="x", message="Mend X.", cause=9))
        .then(Failed(stage=stage, code="x", message="Mend X.", cause=9))
    )


def test_only_the_publication_of_the_current_attempt_can_fail_the_task() -> None:
    failure = RecordFailure(stage="publishing", code="x", message="Mend X.", attempt=1)
    given(DECIDER, *PUBLISHING).when(failure).then(Failed(stage="publishing", code="x", message="Mend X."))
    (
        given(DECIDER, *PUBLISHING)
        .when(RecordFailure(stage="publishing", code="x", message="Mend X.", attempt=7))
        .nothing()
    )


def test_an_agent_that_was_stopped_from_elsewhere_cancels_its_task() -> None:
    event = DECIDER.decide(given(DECIDER, *EXECUTING).state, RecordStopped(stage="executing", cause=9))
    assert isinstance(event, Cancelled)
    given(DECIDER, *EXECUTING).when(RecordStopped(stage="planning", cause=9)).nothing()


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_that_comes_after_the_end_changes_nothing(report: RecordFailure) -> None:
    given(DECIDER, *PLANNING, Cancelled()).when(report).nothing()
    given(DECIDER).when(report).nothing()


def test_the_end_of_the_round_before_does_not_end_the_next_one() -> None:
    failed = Failed(stage="executing", code="x", message="X.", cause=8)
    retried = given(DECIDER, *EXECUTING, failed, Retried(stage="executing"))
    again = DECIDER.decide(retried.state, RequestExecution())
    assert again is not None
    story = (*EXECUTING, failed, Retried(stage="executing"), again)
    given(DECIDER, *story).when(RecordFailure(stage="executing", code="x", message="X.", cause=8)).nothing()
    given(DECIDER, *story).when(RecordStopped(stage="executing", cause=7)).nothing()
    given(DECIDER, *story).when(SUCCEEDED).nothing()


def test_the_end_of_the_draft_before_does_not_end_the_next_one() -> None:
    cancelled = Cancelled(cause=4)
    retried = given(DECIDER, *PLANNING, cancelled, Retried(stage="planning"))
    again = DECIDER.decide(retried.state, RequestPlanning())
    assert again is not None
    story = (*PLANNING, cancelled, Retried(stage="planning"), again)
    given(DECIDER, *story).when(RecordStopped(stage="planning", cause=4)).nothing()
    given(DECIDER, *story).when(READY).nothing()
