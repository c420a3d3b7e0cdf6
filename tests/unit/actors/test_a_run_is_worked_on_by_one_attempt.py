from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from services.executor.actors.run import DECIDER
from shared.contracts.messages import ArtifactRef
from shared.contracts.run import (
    Ask,
    Checkpointed,
    Claim,
    Claimed,
    Fail,
    Failed,
    GiveInput,
    InputGiven,
    QuestionAsked,
    RecordCheckpoint,
    RecordResumed,
    RecordStarted,
    RecordStopped,
    Request,
    Requested,
    Resumed,
    RunCommand,
    RunEvent,
    Started,
    Status,
    Stop,
    Stopped,
    StopRequested,
    Succeed,
    Succeeded,
)
from shared.contracts.usage import ModelUsage
from testing.given import given

REQUEST = Request(round=1, repo="octo/app", base_commit="c0", title="t", text="x", cause=7)
REQUESTED = Requested(round=1, repo="octo/app", base_commit="c0", title="t", text="x", cause=7)
CLAIMED = Claimed(round=1, attempt=1, worker="w1", session="s1")
TAKEN_OVER = Claimed(round=1, attempt=2, worker="w2", session="s2")
RUNNING: tuple[RunEvent, ...] = (REQUESTED, CLAIMED)
ASK = Ask(attempt=1, request_id="q1", question="Which?", options=("a", "b"))
ASKED = QuestionAsked(attempt=1, request_id="q1", question="Which?", options=("a", "b"))
SUCCEED = Succeed(attempt=1, summary="s", commit="c1", branch="b")
SUCCEEDED = Succeeded(round=1, attempt=1, summary="s", commit="c1", branch="b")
FAIL = Fail(attempt=1, code="x", message="X.")
FAILED = Failed(round=1, attempt=1, code="x", message="X.")
STOPPING = StopRequested(attempt=1, reason="Enough.", cause=9)
STOPPED = Stopped(round=1, attempt=1, killed=2)
USAGE = (ModelUsage(model="large", output_tokens=5),)
CHECKPOINT = RecordCheckpoint(attempt=1, turn=2, commit="k2", usage=USAGE)
CHECKPOINTED = Checkpointed(attempt=1, turn=2, commit="k2", usage=USAGE)
TRANSCRIPT = ArtifactRef(name="t", sha256="0" * 64, size=1)


def test_a_round_is_requested_once() -> None:
    given(DECIDER).when(REQUEST).then(REQUESTED)
    given(DECIDER, REQUESTED).when(REQUEST).nothing()
    given(DECIDER, REQUESTED).when(replace(REQUEST, cause=0)).nothing()
    given(DECIDER, *RUNNING, SUCCEEDED).when(replace(REQUEST, cause=0)).nothing()


@pytest.mark.parametrize("end", [SUCCEEDED, FAILED, STOPPED])
def test_the_next_round_begins_only_after_the_end_of_the_one_before(end: RunEvent) -> None:
    second = replace(REQUEST, round=2, cause=12)
    given(DECIDER, *RUNNING).when(second).is_rejected("run-wrong-state")
    given(DECIDER, *RUNNING, end).when(second).then(replace(REQUESTED, round=2, cause=12))


def test_a_new_round_starts_from_its_base_and_only_the_counters_go_on() -> None:
    given_input = InputGiven(number=1, message="m")
    run = given(DECIDER, *RUNNING, CHECKPOINTED, given_input, FAILED, replace(REQUESTED, round=2, cause=12)).state
    assert (run.status, run.round, run.attempt, run.inputs) == (Status.QUEUED, 2, 1, 1)
    assert (run.checkpoint_commit, run.turn, run.session, run.cause) == ("", 0, "", 12)


def test_every_claim_is_a_new_attempt_also_of_a_round_that_is_being_stopped() -> None:
    given(DECIDER, REQUESTED).when(Claim(round=1, worker="w1", session="s1")).then(CLAIMED)
    given(DECIDER, *RUNNING).when(Claim(round=1, worker="w2", session="s2")).then(TAKEN_OVER)
    given(DECIDER, *RUNNING, STOPPING).when(Claim(round=1, worker="w2", session="s2")).then(TAKEN_OVER)
    assert given(DECIDER, *RUNNING, STOPPING, TAKEN_OVER).state.stopping


@pytest.mark.parametrize("story", [(), (*RUNNING, SUCCEEDED), (*RUNNING, STOPPED)])
def test_a_round_that_is_over_cannot_be_claimed(story: tuple[RunEvent, ...]) -> None:
    given(DECIDER, *story).when(Claim(round=1, worker="w", session="s")).is_rejected("attempt-stale")


def test_an_older_round_cannot_be_claimed() -> None:
    (
        given(DECIDER, *RUNNING, FAILED, replace(REQUESTED, round=2, cause=12))
        .when(Claim(round=1, worker="w", session="s"))
        .is_rejected("attempt-stale")
    )


@pytest.mark.parametrize(
    "report",
    [
        RecordStarted(attempt=1, cli_version="2", model="large"),
        CHECKPOINT,
        ASK,
        RecordResumed(attempt=1),
        SUCCEED,
        FAIL,
        RecordStopped(attempt=1),
    ],
)
def test_an_attempt_that_was_taken_over_is_told_to_end(report: RunCommand) -> None:
    given(DECIDER, *RUNNING, TAKEN_OVER).when(report).is_rejected("attempt-stale")
    given(DECIDER, REQUESTED).when(report).is_rejected("attempt-stale")
    (given(DECIDER, *RUNNING, FAILED, replace(REQUESTED, round=2, cause=12)).when(report).is_rejected("attempt-stale"))


def test_an_agent_starts_once_per_attempt() -> None:
    started = Started(attempt=1, cli_version="2", model="large")
    report = RecordStarted(attempt=1, cli_version="2", model="large")
    given(DECIDER, *RUNNING).when(report).then(started)
    given(DECIDER, *RUNNING, started).when(report).nothing()
    (given(DECIDER, *RUNNING, started, TAKEN_OVER).when(replace(report, attempt=2)).then(replace(started, attempt=2)))


def test_a_checkpoint_told_twice_is_paid_once() -> None:
    given(DECIDER, *RUNNING).when(CHECKPOINT).then(CHECKPOINTED)
    given(DECIDER, *RUNNING, CHECKPOINTED).when(CHECKPOINT).nothing()
    given(DECIDER, *RUNNING, CHECKPOINTED).when(replace(CHECKPOINT, turn=1)).nothing()


def test_a_checkpoint_in_the_middle_of_a_turn_and_one_of_the_next_attempt_are_new() -> None:
    story = (*RUNNING, CHECKPOINTED)
    (
        given(DECIDER, *story)
        .when(replace(CHECKPOINT, transcript=TRANSCRIPT))
        .then(replace(CHECKPOINTED, transcript=TRANSCRIPT))
    )
    (
        given(DECIDER, *story, TAKEN_OVER)
        .when(replace(CHECKPOINT, attempt=2, turn=1))
        .then(replace(CHECKPOINTED, attempt=2, turn=1))
    )


def test_a_checkpoint_without_a_commit_keeps_the_one_before_to_go_on_from() -> None:
    run = given(DECIDER, *RUNNING, CHECKPOINTED, Checkpointed(attempt=1, turn=3, transcript=TRANSCRIPT)).state
    assert (run.turn, run.checkpoint_commit, run.transcript) == (3, "k2", TRANSCRIPT)


def test_a_question_waits_and_its_answer_names_it() -> None:
    given(DECIDER, *RUNNING).when(ASK).then(ASKED)
    answer = InputGiven(number=1, message="a", request_id="q1", cause=10)
    given(DECIDER, *RUNNING, ASKED).when(GiveInput(message="a", cause=10)).then(answer)
    more = GiveInput(message="and hurry", cause=11)
    given(DECIDER, *RUNNING, ASKED, answer).when(more).then(InputGiven(number=2, message="and hurry", cause=11))
    given(DECIDER, *RUNNING, ASKED, answer).when(RecordResumed(attempt=1)).then(Resumed(attempt=1))
    given(DECIDER, *RUNNING, ASKED, answer, Resumed(attempt=1)).when(RecordResumed(attempt=1)).nothing()


def test_an_answer_to_an_earlier_question_does_not_close_the_one_that_is_open() -> None:
    answer = InputGiven(number=1, message="a", request_id="q1", cause=8)
    second = replace(ASKED, request_id="q2")
    asked_again = given(DECIDER, *RUNNING, ASKED, answer, Resumed(attempt=1), second)
    asked_again.when(RecordResumed(attempt=1, request_id="q1")).nothing()
    asked_again.when(RecordResumed(attempt=1, request_id="q2")).then(Resumed(attempt=1))


def test_a_question_told_twice_is_asked_once_and_the_next_one_waits_its_turn() -> None:
    answer = InputGiven(number=1, message="a", request_id="q1", cause=10)
    given(DECIDER, *RUNNING, ASKED).when(ASK).nothing()
    given(DECIDER, *RUNNING, ASKED, answer, Resumed(attempt=1)).when(ASK).nothing()
    given(DECIDER, *RUNNING, ASKED).when(replace(ASK, request_id="q2")).is_rejected("question-open")


def test_a_question_dies_with_the_attempt_that_asked_it() -> None:
    given(DECIDER, *RUNNING, ASKED, TAKEN_OVER).when(replace(ASK, attempt=2)).then(replace(ASKED, attempt=2))
    given(DECIDER, *RUNNING, ASKED, TAKEN_OVER).when(GiveInput(message="a")).then(InputGiven(number=1, message="a"))


def test_input_is_kept_for_a_round_that_waits_for_its_worker() -> None:
    given(DECIDER, REQUESTED).when(GiveInput(message="m", cause=8)).then(InputGiven(number=1, message="m", cause=8))


def test_input_told_twice_is_given_once() -> None:
    story = (*RUNNING, InputGiven(number=1, message="m", cause=8))
    given(DECIDER, *story).when(GiveInput(message="m", cause=8)).nothing()


@pytest.mark.parametrize("story", [(), (*RUNNING, SUCCEEDED), (*RUNNING, STOPPING)])
def test_input_without_an_agent_to_take_it_is_refused(story: tuple[RunEvent, ...]) -> None:
    given(DECIDER, *story).when(GiveInput(message="m")).is_rejected("run-not-running")


@pytest.mark.parametrize("message", [" ", "\u200b"])
def test_input_without_a_visible_character_is_refused(message: str) -> None:
    given(DECIDER, *RUNNING).when(GiveInput(message=message)).is_rejected("input-empty")


@pytest.mark.parametrize("story", [RUNNING, (*RUNNING, ASKED)])
def test_a_round_ends_well_or_badly_and_the_end_told_twice_counts_once(story: tuple[RunEvent, ...]) -> None:
    given(DECIDER, *story).when(SUCCEED).then(SUCCEEDED)
    given(DECIDER, *story, SUCCEEDED).when(SUCCEED).nothing()
    given(DECIDER, *story).when(FAIL).then(FAILED)
    given(DECIDER, *story, FAILED).when(FAIL).nothing()
    given(DECIDER, *story, FAILED).when(SUCCEED).is_rejected("run-wrong-state")


def test_a_round_that_nobody_claimed_is_stopped_at_once() -> None:
    given(DECIDER, REQUESTED).when(Stop(cause=9)).then(Stopped(round=1, attempt=0, cause=9))


@pytest.mark.parametrize("story", [RUNNING, (*RUNNING, ASKED)])
def test_an_agent_at_work_is_asked_to_stop_and_reports_when_it_is_gone(story: tuple[RunEvent, ...]) -> None:
    given(DECIDER, *story).when(Stop(reason="Enough.", cause=9)).then(STOPPING)
    given(DECIDER, *story, STOPPING).when(Stop(reason="Enough.")).nothing()
    given(DECIDER, *story, STOPPING).when(SUCCEED).is_rejected("run-stopping")
    given(DECIDER, *story, STOPPING).when(replace(ASK, request_id="q2")).is_rejected("run-stopping")
    given(DECIDER, *story, STOPPING).when(CHECKPOINT).then(CHECKPOINTED)
    given(DECIDER, *story, STOPPING).when(RecordStopped(attempt=1, killed=2)).then(STOPPED)
    given(DECIDER, *story, STOPPING, STOPPED).when(RecordStopped(attempt=1, killed=2)).nothing()


def test_there_is_nothing_to_stop_before_or_after_a_round() -> None:
    given(DECIDER).when(Stop()).nothing()
    given(DECIDER, *RUNNING, SUCCEEDED).when(Stop(cause=9)).nothing()


def test_a_stop_of_the_round_before_does_not_stop_the_next_one() -> None:
    second = replace(REQUESTED, round=2, cause=12)
    given(DECIDER, *RUNNING, STOPPING, STOPPED, second).when(Stop(cause=9)).nothing()


def test_a_failure_says_whether_it_may_pass_and_when() -> None:
    lifted = datetime(2026, 3, 4, 12, tzinfo=UTC)
    report = replace(FAIL, retryable=True, retry_at=lifted)
    given(DECIDER, *RUNNING).when(report).then(replace(FAILED, retryable=True, retry_at=lifted))
