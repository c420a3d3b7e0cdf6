"""From its pull request on, people decide what becomes of a task: merged completes it, closed ends it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from services.brain.actors.pull_requests import CLOSING_GRACE
from services.brain.actors.task import DECIDER
from services.brain.actors.wishes import text_of
from services.brain.timers import timers
from shared.contracts.evidence import Evidence, Outcome
from shared.contracts.messages import Event
from shared.contracts.pull_request import CheckSeen, Merge, PullState
from shared.contracts.task import (
    ActionRefused,
    Cancelled,
    CheckEnded,
    Completed,
    Directive,
    ExecutionRequested,
    Failed,
    FollowedUp,
    FollowUp,
    GoingOn,
    GoOn,
    HeedClosing,
    InReview,
    LookAtPullRequest,
    PersonNeeded,
    PublicationRequested,
    RecordClosed,
    RecordPublished,
    RecordPullRequest,
    RecordRunSucceeded,
    RecordStopped,
    Retried,
    Retry,
    Reverted,
    RunSucceeded,
    Stage,
    Status,
    Stop,
    StopRequested,
    Task,
    ThingClosed,
    Verdict,
)
from testing.given import given
from testing.recorded import A_DAY, recorded
from testing.stories import BASE, BUNDLE, PUBLISHING

URL = "https://forge.example/octo/app/pull/12"
IN_REVIEW = InReview(
    attempt=1,
    commit="c1",
    branch="journeyman/x",
    url=URL,
    pull_request=12,
    summary="Added right.",
    evidence=Evidence.VERIFIED,
    outcome=Outcome.CHANGED,
    cause=6,
)
REVIEWED = (*PUBLISHING, IN_REVIEW)
MERGED = RecordPullRequest(number=12, state=PullState.MERGED, by="ada", commit="m1")
CLOSED = RecordPullRequest(number=12, state=PullState.CLOSED, by="ada")
REOPENED = RecordPullRequest(number=12, state=PullState.OPEN, by="ada")
TAKEN_BACK = RecordPullRequest(number=12, state=PullState.MERGED, by="bob", commit="r1", reverted=True)
COMPLETED = Completed(
    summary="Added right.",
    commit="c1",
    branch="journeyman/x",
    url=URL,
    evidence=Evidence.VERIFIED,
    outcome=Outcome.CHANGED,
    pull_request=12,
    merge=Merge(commit="m1", by="ada"),
)
CANCELLED = Cancelled(reason="ada has closed the pull request.", pull_request=12)
CLOSED_THING = RecordClosed(reason="ada has closed the issue.", at=A_DAY)
CLOSING = ThingClosed(reason="ada has closed the issue.", until=A_DAY + CLOSING_GRACE)
WISH = FollowedUp(text="And the mean.", author="ada", stage="executing", base_commit="c1", verdict=Verdict.IMPLEMENT)
WORKING = (*REVIEWED, WISH, ExecutionRequested(round=2, repo="octo/app", base_commit="c1", title="t", text="x"))


def story(*events: Event) -> Task:
    now = DECIDER.initial
    for event in events:
        now = DECIDER.evolve(now, event)
    return now


def test_a_result_in_a_pull_request_is_in_review_and_without_one_completed() -> None:
    published = RecordPublished(commit="c1", branch="journeyman/x", url=URL, attempt=1, publication=1, cause=6)
    given(DECIDER, *PUBLISHING).when(replace(published, pull_request=12)).then(IN_REVIEW)
    completed = DECIDER.decide(story(*PUBLISHING), published)
    assert isinstance(completed, Completed)
    assert story(*REVIEWED).status is Status.IN_REVIEW


def test_a_merge_completes_the_task_with_who_has_merged_it() -> None:
    given(DECIDER, *REVIEWED).when(MERGED).then(COMPLETED)
    given(DECIDER, *REVIEWED, COMPLETED).when(MERGED).nothing()


def test_a_closed_pull_request_ends_the_task_and_a_reopened_one_is_in_review_again() -> None:
    given(DECIDER, *REVIEWED).when(CLOSED).then(CANCELLED)
    given(DECIDER, *REVIEWED, CANCELLED).when(CLOSED).nothing()
    again = replace(IN_REVIEW, by="ada", cause=0)
    given(DECIDER, *REVIEWED, CANCELLED).when(REOPENED).then(again)
    given(DECIDER, *REVIEWED, CANCELLED, again).when(MERGED).then(COMPLETED)
    given(DECIDER, *REVIEWED).when(REOPENED).nothing()


def test_a_pull_request_that_is_reopened_before_the_agent_has_ended_is_answered_in_words() -> None:
    stopping = (*WORKING, StopRequested(stage="executing", reason="closed", pull_request=12))
    refused = DECIDER.decide(story(*stopping), REOPENED)
    assert isinstance(refused, ActionRefused) and refused.code == "task-stopping" and "retry" in refused.reason
    assert not refused.origin
    ended = story(*stopping, Cancelled(reason="closed", pull_request=12))
    assert isinstance(DECIDER.decide(ended, Retry()), Retried)


BROKEN_OFF = StopRequested(stage="executing", reason="ada has closed the pull request.", pull_request=12)


def test_the_round_that_a_closing_has_broken_off_goes_on_when_the_pull_request_is_reopened() -> None:
    again = Retried(stage="executing", pull_request=12)
    given(DECIDER, *WORKING, BROKEN_OFF, CANCELLED).when(REOPENED).then(again)
    now = story(*WORKING, BROKEN_OFF, CANCELLED, again)
    assert now.pull_request is not None and now.pull_request.state is PullState.OPEN
    assert "And the mean." in text_of(now) and now.base_commit == "c1"
    made = RecordRunSucceeded(attempt=2, summary="Right already.", cause=9)
    working = DECIDER.evolve(now, ExecutionRequested(round=3, repo="r", base_commit="c1", title="", text=""))
    done = DECIDER.decide(working, made)
    assert isinstance(done, InReview) and not done.attention
    given(DECIDER, *REVIEWED, WISH, CANCELLED).when(REOPENED).then(again)


def test_a_result_on_its_way_to_a_pull_request_that_is_closed_and_reopened_is_published() -> None:
    made = RunSucceeded(
        attempt=2, repo="octo/app", base_commit="c1", commit="c2", branch="journeyman/x", summary="Both.", bundle=BUNDLE
    )
    again = DECIDER.decide(story(*WORKING, made, CANCELLED), REOPENED)
    assert isinstance(again, PublicationRequested)
    assert (again.result.commit, again.pull_request) == ("c2", 12)


@pytest.mark.parametrize(
    "ending",
    [
        (StopRequested(stage="executing", reason="Enough."), Cancelled(reason="Enough.")),
        (StopRequested(stage="executing", reason="Enough."), BROKEN_OFF),
        (Failed(stage="executing", code="x", message="X."),),
    ],
    ids=["stopped", "stopped and closed at once", "failed"],
)
def test_what_a_person_has_stopped_or_has_failed_needs_a_person_when_the_pull_request_is_reopened(
    ending: tuple[Event, ...],
) -> None:
    closed = (*WORKING, *ending, CANCELLED)
    back = DECIDER.decide(story(*closed), REOPENED)
    assert isinstance(back, InReview)
    assert "`fix`" in back.attention
    now = story(*closed, back)
    assert (now.status, now.watch.attention) == (Status.IN_REVIEW, back.attention)
    further = DECIDER.decide(now, FollowUp(text="", author="ada", directive=Directive.IMPLEMENT))
    assert isinstance(further, FollowedUp)
    assert "And the mean." in text_of(DECIDER.evolve(now, further))


def test_checks_that_pass_do_not_make_up_for_what_was_not_seen_to() -> None:
    closed = (*WORKING, Failed(stage="executing", code="x", message="X."), CANCELLED)
    back = DECIDER.decide(story(*closed), REOPENED)
    assert isinstance(back, InReview)
    green = CheckSeen(key="suite/1", name="ci (all)", conclusion="success")
    now = story(*closed, back, CheckEnded(head="c1", check=green, due=A_DAY, at=A_DAY))
    assert DECIDER.decide(now, LookAtPullRequest(at=A_DAY)) is None
    told = DECIDER.decide(DECIDER.evolve(now, GoingOn(due=A_DAY)), LookAtPullRequest(at=A_DAY))
    assert isinstance(told, PersonNeeded) and told.code == "round-unfinished"


def test_a_merge_that_is_taken_back_is_told_once_and_the_task_stays_completed() -> None:
    reverted = Reverted(pull_request=12, by="bob", commit="r1")
    given(DECIDER, *REVIEWED, COMPLETED).when(TAKEN_BACK).then(reverted)
    given(DECIDER, *REVIEWED, COMPLETED, reverted).when(TAKEN_BACK).nothing()
    given(DECIDER, *REVIEWED).when(TAKEN_BACK).nothing()
    assert story(*REVIEWED, COMPLETED, reverted).status is Status.COMPLETED


@pytest.mark.parametrize("report", [MERGED, CLOSED, REOPENED])
def test_another_pull_request_than_its_own_changes_nothing(report: RecordPullRequest) -> None:
    given(DECIDER, *REVIEWED).when(replace(report, number=13)).nothing()
    given(DECIDER, *PUBLISHING).when(report).nothing()


def test_a_further_wish_makes_another_round_on_top_of_what_is_in_review() -> None:
    further = DECIDER.decide(story(*REVIEWED), FollowUp(text="And the mean.", author="ada"))
    assert isinstance(further, FollowedUp)
    assert further.base_commit == "c1"
    assert (story(*REVIEWED, further).commit, story(*REVIEWED, further).branch) == ("c1", "journeyman/x")


def test_a_round_that_changes_nothing_leads_back_into_the_review() -> None:
    nothing = RecordRunSucceeded(attempt=2, summary="It is right as it is.", cause=9)
    back = replace(IN_REVIEW, attempt=2, summary="It is right as it is.", unchanged=True, cause=9)
    given(DECIDER, *WORKING).when(nothing).then(back)
    assert story(*WORKING, back).published == "c1"


def test_a_merge_stops_an_agent_that_works_on_it_further_and_completes_the_task() -> None:
    stop = StopRequested(
        stage="executing",
        reason="ada has merged the pull request.",
        pull_request=12,
        merge=Merge(commit="m1", by="ada"),
    )
    given(DECIDER, *WORKING).when(MERGED).then(stop)
    stopped = RecordStopped(stage=Stage.EXECUTING, cause=9)
    given(DECIDER, *WORKING, stop).when(stopped).then(replace(COMPLETED, cause=9))
    given(DECIDER, *WORKING, StopRequested(stage="executing")).when(MERGED).then(stop)


def test_a_closed_pull_request_stops_an_agent_that_works_on_it_further() -> None:
    stop = StopRequested(stage="executing", reason="ada has closed the pull request.", pull_request=12)
    given(DECIDER, *WORKING).when(CLOSED).then(stop)
    stopped = RecordStopped(stage=Stage.EXECUTING, cause=9)
    given(DECIDER, *WORKING, stop).when(stopped).then(
        Cancelled(reason="ada has closed the pull request.", pull_request=12, cause=9)
    )


def test_what_goes_on_after_a_merge_begins_at_the_merge() -> None:
    further = DECIDER.decide(story(*REVIEWED, COMPLETED), FollowUp(text="And the mean.", author="ada"))
    assert isinstance(further, FollowedUp)
    assert further.base_commit == "m1"


def test_an_issue_that_the_merge_closes_stops_nothing_in_whichever_order_the_two_are_told() -> None:
    given(DECIDER, *REVIEWED).when(CLOSED_THING).then(CLOSING)
    given(DECIDER, *REVIEWED, CLOSING).when(CLOSED_THING).nothing()
    given(DECIDER, *REVIEWED, CLOSING).when(MERGED).then(COMPLETED)
    late = HeedClosing(at=CLOSING.until)
    given(DECIDER, *REVIEWED, CLOSING, COMPLETED).when(late).nothing()
    given(DECIDER, *REVIEWED, COMPLETED).when(CLOSED_THING).nothing()


def test_an_issue_that_is_closed_otherwise_ends_the_review_after_a_moment() -> None:
    (timer,) = timers(recorded(CLOSING, id="01JX7"))
    assert timer == HeedClosing(id="01JX7", at=A_DAY + CLOSING_GRACE)
    ended = Cancelled(reason="ada has closed the issue.", closed=True)
    given(DECIDER, *REVIEWED, CLOSING).when(HeedClosing(at=CLOSING.until)).then(ended)
    given(DECIDER, *REVIEWED, CLOSING).when(HeedClosing(at=A_DAY + timedelta(days=1))).nothing()
    given(DECIDER, *REVIEWED, CLOSING, ended).when(MERGED).then(COMPLETED)


def test_somebody_who_says_go_on_keeps_the_review_although_the_issue_is_closed() -> None:
    given(DECIDER, *REVIEWED, CLOSING).when(GoOn()).then(GoingOn(due=CLOSING.until))
    given(DECIDER, *REVIEWED, CLOSING, GoingOn()).when(HeedClosing(at=CLOSING.until)).nothing()
    ended = Cancelled(reason="ada has closed the issue.", closed=True)
    given(DECIDER, *REVIEWED, CLOSING, ended).when(GoOn()).then(replace(IN_REVIEW, cause=0))


def test_a_task_that_was_stopped_in_review_is_followed_again_by_a_retry() -> None:
    stopped = Cancelled(reason="Enough.")
    given(DECIDER, *REVIEWED).when(Stop(reason="Enough.")).then(stopped)
    assert story(*REVIEWED, stopped).ended_in == Stage.REVIEW
    given(DECIDER, *REVIEWED, stopped).when(Retry()).then(replace(IN_REVIEW, cause=0))
    anew = DECIDER.decide(story(*REVIEWED, CANCELLED), Retry())
    assert not isinstance(anew, InReview)
    assert story(*REVIEWED, stopped).base_commit == BASE
