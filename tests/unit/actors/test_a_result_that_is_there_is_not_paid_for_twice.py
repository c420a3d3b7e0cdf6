from __future__ import annotations

import pytest
from msgspec.structs import replace

from services.brain.actors.task import DECIDER
from shared.contracts.evidence import Evidence, Outcome
from shared.contracts.messages import Event
from shared.contracts.rules import Action, Standing, actions, refusal
from shared.contracts.task import (
    Cancelled,
    Completed,
    ExecutionRequested,
    Failed,
    Paused,
    PublicationRequested,
    Publish,
    RecordFailure,
    RecordPublished,
    RequestExecution,
    Resumed,
    Retried,
    Retry,
    StartingPoint,
    Status,
    TaskEvent,
)
from testing.given import given
from testing.recorded import A_DAY
from testing.stories import (
    APPROVED_PLAN,
    BASE,
    BUNDLE,
    COMPLETED,
    EXECUTING,
    FELL_SHORT,
    KEPT,
    PLANNING,
    PUBLISHING,
    RESULT,
    UNPUBLISHED,
)

FROM_RESULT = Retry(from_result=True)
AFRESH = Retry(afresh=True)
GOING_ON = Retried(stage="executing", from_result=True)
SECOND = PublicationRequested(attempt=1, publication=2, repo="octo/app", base_commit=BASE, result=RESULT)
AS_IT_IS = replace(SECOND, publication=1, result=KEPT)
START = StartingPoint(commit="c1", bundle=BUNDLE, reason="pytest fails.")
ROUND_2 = ExecutionRequested(
    round=2, repo="octo/app", base_commit=BASE, title="Fix the sum", text="1 + 1 gives 3.", plan=APPROVED_PLAN
)
STOPPED = (*PUBLISHING, Cancelled(reason="Wait."))


# ---- a publication that failed ---------------------------------------------------------------------------------


@pytest.mark.parametrize("story", [(*PUBLISHING, UNPUBLISHED), STOPPED])
def test_a_retry_after_a_publication_that_failed_or_was_stopped_publishes_the_commit_that_is_there(
    story: tuple[TaskEvent, ...],
) -> None:
    given(DECIDER, *story).when(Retry()).then(SECOND)
    state = given(DECIDER, *story, SECOND).state
    assert (state.status, state.commit, state.error_code, state.stop_reason) == (Status.PUBLISHING, "c1", "", "")
    given(DECIDER, *story, SECOND).when(RequestExecution()).nothing()


def test_each_try_at_publishing_has_its_own_number_and_only_the_newest_is_heard() -> None:
    story = (*PUBLISHING, UNPUBLISHED, SECOND)
    failure = RecordFailure(stage="publishing", code="x", message="X.", attempt=1, publication=2, cause=9)
    given(DECIDER, *story).when(replace(failure, publication=1)).nothing()
    given(DECIDER, *story).when(failure).then(Failed(stage="publishing", code="x", message="X.", cause=9))
    again = Failed(stage="publishing", code="x", message="X.", cause=9)
    given(DECIDER, *story, again).when(Retry()).then(replace(SECOND, publication=3))
    published = RecordPublished(commit="c1", branch="journeyman/x", attempt=1, publication=2, cause=9)
    given(DECIDER, *story).when(replace(published, publication=1)).nothing()
    given(DECIDER, *story).when(published).then(replace(COMPLETED, cause=9))


def test_a_retry_afresh_after_a_failed_publication_has_the_work_done_anew() -> None:
    given(DECIDER, *PUBLISHING, UNPUBLISHED).when(AFRESH).then(Retried(stage="executing"))
    anew = given(DECIDER, *PUBLISHING, UNPUBLISHED, Retried(stage="executing"))
    assert (anew.state.result, anew.state.commit) == (None, "")
    anew.when(RequestExecution()).then(ROUND_2)


def test_a_result_without_a_bundle_cannot_be_published_again_and_is_made_anew() -> None:
    bare = replace(PUBLISHING[-1], bundle=None)
    given(DECIDER, *PUBLISHING[:-1], bare, UNPUBLISHED).when(Retry()).then(Retried(stage="executing"))


def test_the_effect_of_a_retry_says_that_the_commit_is_published() -> None:
    standing = Standing(status=Status.FAILED, result=True, ended_in="publishing")
    assert "Publishes the commit that is there" in actions(standing)["retry"].effect
    assert "anew" in actions(replace(standing, ended_in="executing"))["retry"].effect


# ---- a result that fell short ----------------------------------------------------------------------------------


def test_a_result_that_fell_short_is_published_as_it_is_if_a_person_wants_it() -> None:
    given(DECIDER, *EXECUTING, FELL_SHORT).when(Publish()).then(AS_IT_IS)
    published = RecordPublished(commit="c1", branch="journeyman/x", attempt=1, publication=1, cause=9)
    done = Completed(
        summary="Added, but wrong.",
        commit="c1",
        branch="journeyman/x",
        evidence=Evidence.FAILING,
        outcome=Outcome.CHANGED,
        cause=9,
    )
    given(DECIDER, *EXECUTING, FELL_SHORT, AS_IT_IS).when(published).then(done)


def test_a_result_that_fell_short_is_gone_on_from_if_a_person_wants_it() -> None:
    given(DECIDER, *EXECUTING, FELL_SHORT).when(FROM_RESULT).then(GOING_ON)
    given(DECIDER, *EXECUTING, FELL_SHORT, GOING_ON).when(RequestExecution()).then(replace(ROUND_2, start=START))


def test_a_plain_retry_after_a_result_that_fell_short_begins_at_the_base() -> None:
    for retry in (Retry(), AFRESH):
        given(DECIDER, *EXECUTING, FELL_SHORT).when(retry).then(Retried(stage="executing"))
    again = given(DECIDER, *EXECUTING, FELL_SHORT, Retried(stage="executing"))
    again.when(RequestExecution()).then(ROUND_2)


def test_a_round_on_top_of_a_result_that_brings_nothing_leaves_the_result_to_be_published() -> None:
    worse = Failed(stage="executing", code="agent-killed", message="Killed.", cause=9)
    story = (*EXECUTING, FELL_SHORT, GOING_ON, replace(ROUND_2, start=START), worse)
    given(DECIDER, *story).when(Publish()).then(AS_IT_IS)
    given(DECIDER, *story).when(FROM_RESULT).then(GOING_ON)
    given(DECIDER, *story).when(Retry()).then(Retried(stage="executing"))


def test_a_round_on_top_of_a_result_begins_there_again_after_a_pause() -> None:
    paused = Paused(stage="executing", code="busy", message="Busy.", until=A_DAY, tries=1, cause=9)
    story = (*EXECUTING, FELL_SHORT, GOING_ON, replace(ROUND_2, start=START), paused)
    expected = replace(ROUND_2, round=3, start=START)
    given(DECIDER, *story, Resumed(stage="executing")).when(RequestExecution()).then(expected)
    given(DECIDER, *story).when(Retry()).then(GOING_ON)
    given(DECIDER, *story, GOING_ON).when(RequestExecution()).then(expected)
    given(DECIDER, *story).when(AFRESH).then(Retried(stage="executing"))


def test_a_better_result_takes_the_place_of_the_one_it_went_on_from() -> None:
    better = replace(KEPT, commit="c2", attempt=2)
    story = (*EXECUTING, FELL_SHORT, AS_IT_IS, replace(UNPUBLISHED, cause=7), GOING_ON, replace(ROUND_2, start=START))
    short_again = replace(FELL_SHORT, cause=9, result=better)
    wanted = PublicationRequested(attempt=2, publication=1, repo="octo/app", base_commit=BASE, result=better)
    given(DECIDER, *story, short_again).when(Publish()).then(wanted)


# ---- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "story", [(*EXECUTING, Failed(stage="executing", code="x", message="X.")), (*PLANNING, Cancelled())]
)
def test_without_a_result_there_is_nothing_to_publish_or_to_go_on_from(story: tuple[TaskEvent, ...]) -> None:
    given(DECIDER, *story).when(Publish()).is_rejected("result-missing")
    given(DECIDER, *story).when(FROM_RESULT).is_rejected("result-missing")


@pytest.mark.parametrize("story", [PLANNING, EXECUTING, PUBLISHING, (*PUBLISHING, COMPLETED)])
def test_a_task_that_works_or_is_done_has_no_result_to_publish(story: tuple[Event, ...]) -> None:
    given(DECIDER, *story).when(Publish()).is_rejected("task-wrong-state")


def test_going_on_and_beginning_afresh_exclude_each_other() -> None:
    both = Retry(from_result=True, afresh=True)
    given(DECIDER, *EXECUTING, FELL_SHORT).when(both).is_rejected("retry-contradictory")


def test_a_task_that_nobody_submitted_publishes_nothing() -> None:
    given(DECIDER).when(Publish()).is_rejected("task-unknown")


def test_the_refusal_of_another_action_says_what_may_be_done_with_the_result() -> None:
    failed = refusal(Action.INPUT, Standing(status=Status.FAILED, result=True, ended_in="executing"))
    assert failed is not None
    assert "publish its result as it is" in failed.sentence
