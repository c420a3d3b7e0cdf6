from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from services.planner.actors.plan import DECIDER
from shared.contracts.messages import digest_of
from shared.contracts.plan import (
    Claim,
    Claimed,
    Draft,
    DraftingStarted,
    Fail,
    Failed,
    PlanCommand,
    PlanEvent,
    Propose,
    Proposed,
    RecordStopped,
    Revise,
    Stop,
    Stopped,
    StopRequested,
)
from testing.given import given

DRAFT = Draft(repo="octo/app", base_commit="c0", title="t", text="x", cause=4)
STARTED = DraftingStarted(draft=1, repo="octo/app", base_commit="c0", title="t", text="x", cause=4)
CLAIMED = Claimed(draft=1, attempt=1, worker="w1", session="s1")
MARKDOWN = "# Plan 1"
PROPOSED = Proposed(version=1, digest=digest_of(MARKDOWN), base_commit="c0", markdown=MARKDOWN, summary="s", attempt=1)
PROPOSE = Propose(attempt=1, markdown=MARKDOWN, summary="s")
FAILED = Failed(attempt=1, code="x", message="X.")
STOPPING = StopRequested(attempt=1, cause=6)
STOPPED = Stopped(attempt=1)


def test_a_plan_is_drafted_once_however_often_that_is_asked_for() -> None:
    given(DECIDER).when(DRAFT).then(STARTED)
    given(DECIDER, STARTED).when(DRAFT).nothing()
    given(DECIDER, STARTED, CLAIMED, PROPOSED).when(DRAFT).nothing()


def test_a_draft_asked_for_by_hand_is_the_same_or_it_has_to_wait() -> None:
    by_hand = replace(DRAFT, cause=0)
    given(DECIDER, STARTED).when(by_hand).nothing()
    given(DECIDER, STARTED).when(replace(by_hand, text="another")).is_rejected("plan-wrong-state")


@pytest.mark.parametrize("end", [PROPOSED, FAILED, STOPPED])
def test_a_new_request_starts_the_next_draft(end: PlanEvent) -> None:
    given(DECIDER, STARTED, CLAIMED, end).when(replace(DRAFT, cause=9)).then(replace(STARTED, draft=2, cause=9))


def test_a_revision_hands_over_the_plan_before_and_what_was_said_about_it() -> None:
    (
        given(DECIDER, STARTED, CLAIMED, PROPOSED)
        .when(Revise(feedback="Smaller.", cause=7))
        .then(replace(STARTED, draft=2, feedback="Smaller.", previous=MARKDOWN, cause=7))
    )
    given(DECIDER).when(Revise(feedback="Smaller.")).is_rejected("plan-wrong-state")


def test_every_claim_is_a_new_attempt_also_of_a_draft_that_is_being_stopped() -> None:
    again = Claimed(draft=1, attempt=2, worker="w2", session="s2")
    given(DECIDER, STARTED).when(Claim(draft=1, worker="w1", session="s1")).then(CLAIMED)
    given(DECIDER, STARTED, CLAIMED).when(Claim(draft=1, worker="w2", session="s2")).then(again)
    given(DECIDER, STARTED, CLAIMED, STOPPING).when(Claim(draft=1, worker="w2", session="s2")).then(again)


@pytest.mark.parametrize("story", [(STARTED, CLAIMED, PROPOSED), (STARTED, Stopped(attempt=0)), ()])
def test_a_draft_that_is_over_cannot_be_claimed(story: tuple[PlanEvent, ...]) -> None:
    given(DECIDER, *story).when(Claim(draft=1, worker="w", session="s")).is_rejected("attempt-stale")


def test_an_older_draft_cannot_be_claimed() -> None:
    second = replace(STARTED, draft=2, cause=9)
    (
        given(DECIDER, STARTED, CLAIMED, PROPOSED, second)
        .when(Claim(draft=1, worker="w", session="s"))
        .is_rejected("attempt-stale")
    )


def test_a_proposal_is_the_next_version_with_the_digest_of_its_text() -> None:
    given(DECIDER, STARTED, CLAIMED).when(PROPOSE).then(PROPOSED)
    given(DECIDER, STARTED, CLAIMED, PROPOSED).when(PROPOSE).nothing()
    second = (replace(STARTED, draft=2, cause=9), Claimed(draft=2, attempt=2, worker="w", session="s"))
    (
        given(DECIDER, STARTED, CLAIMED, PROPOSED, *second)
        .when(replace(PROPOSE, attempt=2))
        .then(replace(PROPOSED, version=2, attempt=2))
    )


@pytest.mark.parametrize("report", [PROPOSE, Fail(attempt=1, code="x", message="X."), RecordStopped(attempt=1)])
def test_an_attempt_that_was_taken_over_is_told_to_end(report: PlanCommand) -> None:
    taken_over = Claimed(draft=1, attempt=2, worker="w2", session="s2")
    given(DECIDER, STARTED, CLAIMED, taken_over).when(report).is_rejected("attempt-stale")
    given(DECIDER, STARTED).when(report).is_rejected("attempt-stale")
    (
        given(DECIDER, STARTED, CLAIMED, PROPOSED, replace(STARTED, draft=2, cause=9))
        .when(report)
        .is_rejected("attempt-stale")
    )


def test_a_drafting_that_nobody_claimed_is_stopped_at_once() -> None:
    given(DECIDER, STARTED).when(Stop(cause=6)).then(Stopped(attempt=0, cause=6))


def test_an_agent_at_work_is_asked_to_stop_and_reports_when_it_is_gone() -> None:
    given(DECIDER, STARTED, CLAIMED).when(Stop(cause=6)).then(STOPPING)
    given(DECIDER, STARTED, CLAIMED, STOPPING).when(Stop()).nothing()
    given(DECIDER, STARTED, CLAIMED, STOPPING).when(PROPOSE).is_rejected("plan-stopping")
    given(DECIDER, STARTED, CLAIMED, STOPPING).when(Fail(attempt=1, code="x", message="X.")).then(FAILED)
    given(DECIDER, STARTED, CLAIMED, STOPPING).when(RecordStopped(attempt=1)).then(STOPPED)


def test_an_end_told_twice_counts_once_and_another_end_is_refused() -> None:
    given(DECIDER, STARTED, CLAIMED, FAILED).when(Fail(attempt=1, code="x", message="X.")).nothing()
    given(DECIDER, STARTED, CLAIMED, STOPPED).when(RecordStopped(attempt=1)).nothing()
    given(DECIDER, STARTED, CLAIMED, FAILED).when(PROPOSE).is_rejected("plan-wrong-state")


def test_there_is_nothing_to_stop_where_nothing_is_drafted() -> None:
    given(DECIDER).when(Stop()).nothing()
    given(DECIDER, STARTED, CLAIMED, PROPOSED).when(Stop(cause=8)).nothing()


def test_a_stop_of_the_draft_before_does_not_stop_the_next_one() -> None:
    second = replace(STARTED, draft=2, cause=9)
    given(DECIDER, STARTED, CLAIMED, STOPPING, STOPPED, second).when(Stop(cause=6)).nothing()


def test_a_failure_says_whether_it_may_pass_and_when() -> None:
    lifted = datetime(2026, 3, 4, 12, tzinfo=UTC)
    report = Fail(attempt=1, code="x", message="X.", retryable=True, retry_at=lifted)
    given(DECIDER, STARTED, CLAIMED).when(report).then(replace(FAILED, retryable=True, retry_at=lifted))
