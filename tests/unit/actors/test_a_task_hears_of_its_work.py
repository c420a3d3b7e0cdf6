from __future__ import annotations

import pytest
from msgspec.structs import replace

from services.brain.actors.task import DECIDER
from shared.contracts.evidence import Evidence, Outcome
from shared.contracts.messages import Event
from shared.contracts.task import (
    Cancelled,
    Completed,
    ExecutionRequested,
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
    APPROVED_PLAN,
    AWAITING,
    BASE,
    BUNDLE,
    COMPLETED,
    DIGEST,
    EXECUTING,
    FELL_SHORT,
    KEPT,
    PLAN_READY,
    PLANNING,
    PUBLISHING,
    QUESTION,
    RECEIVED,
    RUN_SUCCEEDED,
    WAITING,
)

SUCCEEDED = RecordRunSucceeded(
    attempt=1,
    commit="c1",
    branch="journeyman/x",
    summary="Added right.",
    bundle=BUNDLE,
    tree="t1",
    evidence=Evidence.VERIFIED,
    outcome=Outcome.CHANGED,
    cause=RUN_SUCCEEDED.cause,
)
PUBLISHED = RecordPublished(
    commit="c1", branch="journeyman/x", url="file:///r", attempt=1, publication=1, cause=COMPLETED.cause
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
    given(DECIDER, *PUBLISHING).when(PUBLISHED).then(replace(COMPLETED, url="file:///r"))


def test_a_run_that_had_nothing_to_change_completes_the_task_and_says_so() -> None:
    nothing = Completed(
        summary="It is right already.", evidence=Evidence.VERIFIED, outcome=Outcome.NOTHING_TO_CHANGE, cause=5
    )
    (
        given(DECIDER, *EXECUTING)
        .when(
            RecordRunSucceeded(attempt=1, summary="It is right already.", evidence=Evidence.VERIFIED, cause=5),
        )
        .then(nothing)
    )
    assert given(DECIDER, *EXECUTING, nothing).state.outcome is Outcome.NOTHING_TO_CHANGE


def test_a_commit_that_a_signing_target_made_anew_completes_the_task() -> None:
    given(DECIDER, *PUBLISHING).when(replace(PUBLISHED, commit="signed")).then(
        replace(COMPLETED, commit="signed", url="file:///r")
    )
    assert given(DECIDER, *PUBLISHING, replace(COMPLETED, commit="signed")).state.published == "signed"


def test_the_publication_of_another_attempt_or_by_another_try_completes_nothing() -> None:
    given(DECIDER, *PUBLISHING).when(replace(PUBLISHED, attempt=2)).nothing()
    given(DECIDER, *PUBLISHING).when(replace(PUBLISHED, publication=2)).nothing()


def test_an_older_gateway_names_what_it_published_by_its_commit() -> None:
    older = replace(PUBLISHED, attempt=0, publication=0)
    given(DECIDER, *PUBLISHING).when(older).then(replace(COMPLETED, url="file:///r"))
    given(DECIDER, *PUBLISHING).when(replace(older, commit="c0")).nothing()


def test_a_run_of_before_there_was_evidence_leaves_a_result_that_nobody_verified() -> None:
    older = replace(RUN_SUCCEEDED, evidence=None, outcome=None, tree="")
    result = given(DECIDER, *EXECUTING, older).state.result
    assert result is not None
    assert result.evidence is Evidence.UNVERIFIED
    assert given(DECIDER, *EXECUTING, replace(older, bundle=None)).state.result is None


def test_a_completion_of_before_there_were_outcomes_has_changed_what_it_has_a_commit_of() -> None:
    assert given(DECIDER, *EXECUTING, Completed(summary="", commit="c1")).state.outcome is Outcome.CHANGED
    assert given(DECIDER, *EXECUTING, Completed(summary="")).state.outcome is Outcome.NOTHING_TO_CHANGE


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
    given(DECIDER, *PUBLISHING).when(replace(failure, publication=2)).nothing()


def test_a_run_that_falls_short_fails_the_task_and_keeps_its_result() -> None:
    report = RecordFailure(stage="executing", code="checks-failed", message="pytest fails.", cause=5, result=KEPT)
    given(DECIDER, *EXECUTING).when(report).then(FELL_SHORT)
    state = given(DECIDER, *EXECUTING, FELL_SHORT).state
    assert (state.result, state.evidence) == (KEPT, Evidence.FAILING)


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


def test_the_run_that_changed_nothing_does_not_end_the_round_after_a_retry() -> None:
    nothing = Completed(summary="", outcome=Outcome.NOTHING_TO_CHANGE, cause=8)
    again = ExecutionRequested(
        round=2, repo="octo/app", base_commit=BASE, title="Fix the sum", text="1 + 1 gives 3.", plan=APPROVED_PLAN
    )
    story = (*EXECUTING, nothing, Retried(stage="executing"), again)
    given(DECIDER, *story).when(RecordRunSucceeded(attempt=1, summary="", cause=8)).nothing()


def test_the_end_of_the_draft_before_does_not_end_the_next_one() -> None:
    cancelled = Cancelled(cause=4)
    retried = given(DECIDER, *PLANNING, cancelled, Retried(stage="planning"))
    again = DECIDER.decide(retried.state, RequestPlanning())
    assert again is not None
    story = (*PLANNING, cancelled, Retried(stage="planning"), again)
    given(DECIDER, *story).when(RecordStopped(stage="planning", cause=4)).nothing()
    given(DECIDER, *story).when(READY).nothing()
