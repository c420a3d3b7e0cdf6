from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from services.brain.actors.stages import standing_of
from services.brain.actors.task import DECIDER
from services.brain.actors.wishes import MAX_CHAIN, MAX_ROUNDS_AN_HOUR
from shared.contracts.evidence import Outcome
from shared.contracts.messages import Event
from shared.contracts.review import Finding, ReviewTarget, Severity
from shared.contracts.rules import actions
from shared.contracts.task import (
    Cancelled,
    Completed,
    Failed,
    FollowedUp,
    FollowUp,
    FollowUpRefused,
    RecordFailure,
    RecordReviewShown,
    RecordReviewWritten,
    RecordSpend,
    RecordTriage,
    RequestExecution,
    RequestPlanning,
    RequestReview,
    Retried,
    Retry,
    ReviewRequested,
    ReviewWritten,
    Source,
    SpendRecorded,
    Stage,
    Status,
    Stop,
    Submit,
    Submitted,
    Triaged,
    TriageRequested,
    Verdict,
)
from shared.contracts.usage import ModelUsage
from testing.given import given
from testing.recorded import A_DAY as AT

TARGET = ReviewTarget(number=7, head="a" * 40, base="main", base_commit="b" * 40)
NEWER = replace(TARGET, head="d" * 40)
SOURCE = Source(kind="github", reference="github:1#7")
SUBMITTED = Submitted(
    title="Shares", text="Gives the shares.", source=SOURCE, repo="octo/app", review=TARGET, origin="github:comment/1"
)
TRIAGED = Triaged(
    attempt=1,
    verdict=Verdict.REVIEW,
    decided_by="rules",
    reason="Asked for.",
    title="Shares",
    work_kind="",
    risk="",
    repo="octo/app",
    base_commit="",
)
REQUESTED = ReviewRequested(attempt=2, repo="octo/app", review=TARGET)
SPENT = (ModelUsage(model="m", input_tokens=5, cost_microusd=70),)
FINDING = Finding(severity=Severity.HIGH, text="Wrong.", path="a.py", line=3, in_diff=True)
REPORT = RecordReviewWritten(attempt=2, summary="Adds shares.", findings=(FINDING,), usage=SPENT, place="n1")
WRITTEN = ReviewWritten(
    attempt=2,
    repo="octo/app",
    thread="github:1#7",
    review=TARGET,
    summary="Adds shares.",
    findings=(FINDING,),
    usage=SPENT,
    place="n1",
)
DONE = Completed(summary="Adds shares.", url="u", outcome=Outcome.REVIEWED, cause=9)
TRIAGE = (SUBMITTED, TriageRequested(attempt=1), TRIAGED)
REVIEWING = (*TRIAGE, REQUESTED)
SHOWING = (*REVIEWING, WRITTEN)
REVIEWED = (*SHOWING, DONE)


AGAIN = FollowedUp(text="", author="ada", stage=Stage.REVIEWING, base_commit="", verdict=Verdict.REVIEW, review=TARGET)


def asks(**said: object) -> FollowUp:
    wish: dict[str, object] = {"text": "", "author": "ada", "origin": "github:comment/2", "recorded": True}
    return FollowUp(**{**wish, "review": TARGET, **said})  # type: ignore[arg-type]


def test_a_review_is_triaged_by_its_nature_and_nothing_is_planned_or_executed() -> None:
    submit = Submit(
        title="Shares",
        text="Gives the shares.",
        source=SOURCE,
        repo="octo/app",
        review=TARGET,
        origin="github:comment/1",
    )
    given(DECIDER).when(submit).then(SUBMITTED)
    triaged = RecordTriage(
        attempt=1, verdict=Verdict.REVIEW, decided_by="rules", reason="Asked for.", repo="octo/app", title="Shares"
    )
    given(DECIDER, *TRIAGE[:2]).when(triaged).then(TRIAGED)
    given(DECIDER, *TRIAGE).when(RequestReview()).then(REQUESTED)
    for step in (RequestPlanning(), RequestExecution()):
        given(DECIDER, *TRIAGE).when(step).nothing()


def test_what_is_written_is_shown_and_then_the_task_is_done() -> None:
    given(DECIDER, *REVIEWING).when(REPORT).then(WRITTEN)
    given(DECIDER, *SHOWING).when(RecordReviewShown(attempt=2, url="u", cause=9)).then(DONE)
    state = given(DECIDER, *REVIEWED).state
    assert (state.status, state.outcome, state.commit, state.branch) == (Status.COMPLETED, Outcome.REVIEWED, "", "")
    assert state.accounts, "what was spent is known"


def test_a_review_that_is_told_twice_is_written_once_and_one_that_was_overtaken_is_refused() -> None:
    given(DECIDER, *SHOWING).when(REPORT).nothing()
    given(DECIDER, *REVIEWED).when(RecordReviewShown(attempt=2, url="u", cause=9)).nothing()
    again = (
        *REVIEWED,
        FollowedUp(text="", author="ada", stage=Stage.REVIEWING, base_commit="", verdict=Verdict.REVIEW),
    )
    given(DECIDER, *again, replace(REQUESTED, attempt=3)).when(REPORT).is_rejected("attempt-stale")


def test_who_asks_again_gets_another_review_of_the_pull_request_as_it_is_then() -> None:
    def another(target: ReviewTarget, text: str = "") -> FollowedUp:
        return FollowedUp(
            text=text,
            author="ada",
            stage=Stage.REVIEWING,
            base_commit="",
            verdict=Verdict.REVIEW,
            origin="github:comment/2",
            review=target,
        )

    given(DECIDER, *REVIEWED).when(asks()).then(another(TARGET))
    given(DECIDER, *REVIEWED).when(asks(review=NEWER)).then(another(NEWER))
    # In the dashboard somebody says more about the commit that was reviewed.
    given(DECIDER, *REVIEWED).when(asks(review=None, text="And its tests?")).then(another(TARGET, "And its tests?"))
    newest = given(DECIDER, *REVIEWED, another(NEWER)).when(RequestReview())
    newest.then(ReviewRequested(attempt=3, repo="octo/app", review=NEWER))


@pytest.mark.parametrize("story", [TRIAGE, REVIEWING, SHOWING])
def test_whoever_asks_for_what_is_under_way_changes_nothing(story: tuple[Event, ...]) -> None:
    given(DECIDER, *story).when(asks()).nothing()


def test_another_commit_is_not_reviewed_before_the_review_that_is_under_way_is_there() -> None:
    wish = asks(review=NEWER)
    refused = DECIDER.decide(given(DECIDER, *REVIEWING).state, wish)
    assert isinstance(refused, FollowUpRefused) and refused.code == "review-under-way"
    assert TARGET.head[:12] in refused.reason


def test_programs_and_haste_have_the_bounds_of_every_other_work() -> None:
    by_program = [
        FollowedUp(
            text="x", author="bot", stage=Stage.REVIEWING, base_commit="", verdict=Verdict.REVIEW, by_program=True
        )
    ] * MAX_CHAIN
    refused = DECIDER.decide(given(DECIDER, *REVIEWED, *by_program, DONE).state, asks(by_program=True, at=AT))
    assert isinstance(refused, FollowUpRefused) and refused.code == "chain-too-long"
    fast = [replace(AGAIN, at=AT)] * MAX_ROUNDS_AN_HOUR
    soon = asks(at=AT + timedelta(minutes=5))
    refused = DECIDER.decide(given(DECIDER, *REVIEWED, *fast, DONE).state, soon)
    assert isinstance(refused, FollowUpRefused) and refused.code == "rounds-too-fast"


def test_a_stop_ends_it_at_once_and_what_was_spent_until_then_is_still_booked() -> None:
    given(DECIDER, *REVIEWING).when(Stop(reason="Enough.")).then(Cancelled(reason="Enough."))
    stopped = given(DECIDER, *REVIEWING, Cancelled(reason="Enough."))
    stopped.when(REPORT).nothing()
    stopped.when(RecordSpend(attempt=2, place="n1", usage=SPENT)).then(
        SpendRecorded(attempt=2, place="n1", usage=SPENT)
    )
    stopped.when(Retry()).then(Retried(stage=Stage.REVIEWING))


@pytest.mark.parametrize(
    ("story", "failure"),
    [
        (REVIEWING, RecordFailure(stage=Stage.REVIEWING, code="x", message="No.", attempt=2)),
        (SHOWING, RecordFailure(stage=Stage.PUBLISHING, code="x", message="No.", attempt=2, cause=9)),
    ],
)
def test_a_review_that_comes_to_nothing_can_be_asked_for_again(
    story: tuple[Event, ...], failure: RecordFailure
) -> None:
    failed = Failed(stage=failure.stage, code="x", message="No.", cause=failure.cause)
    given(DECIDER, *story).when(failure).then(failed)
    given(DECIDER, *story).when(replace(failure, attempt=1)).nothing()
    review = 2 if failure.stage is Stage.PUBLISHING else 0
    given(DECIDER, *story, failed).when(Retry()).then(Retried(stage=Stage.REVIEWING, review=review))


def test_a_review_that_is_there_and_could_not_be_shown_is_shown_by_a_retry_and_paid_for_once() -> None:
    refused = Failed(stage=Stage.PUBLISHING, code="forge-refused", message="No.", cause=9)
    again = Retried(stage=Stage.REVIEWING, review=2)
    retried = given(DECIDER, *SHOWING, refused, again)
    assert retried.state.status is Status.PUBLISHING
    retried.when(RequestReview()).nothing()
    retried.when(RecordReviewShown(attempt=2, url="u", cause=12)).then(replace(DONE, cause=12))
    once_more = RecordFailure(stage=Stage.PUBLISHING, code="forge-refused", message="No.", attempt=2, cause=12)
    retried.when(once_more).then(replace(refused, cause=12))
    given(DECIDER, *SHOWING, refused).when(Retry(afresh=True)).then(Retried(stage=Stage.REVIEWING))
    stopped = given(DECIDER, *SHOWING, Cancelled(reason="Wait."))
    stopped.when(Retry()).then(again)
    effect = actions(standing_of(given(DECIDER, *SHOWING, refused).state))["retry"].effect
    assert effect == "Shows the review that is there; no agent works again."


def test_a_task_that_reviews_nothing_takes_no_wish_for_a_review() -> None:
    work = replace(SUBMITTED, review=None)
    refused = DECIDER.decide(given(DECIDER, work, TriageRequested(attempt=1)).state, asks())
    assert isinstance(refused, FollowUpRefused) and refused.code == "review-elsewhere"
