from __future__ import annotations

import pytest
from msgspec.structs import replace

from services.brain.actors.task import DECIDER
from services.brain.actors.wishes import MAX_CHARACTERS
from shared.contracts.evidence import Evidence, Outcome
from shared.contracts.messages import Event
from shared.contracts.task import (
    Answered,
    Approval,
    Approved,
    Cancelled,
    Completed,
    Declined,
    Directive,
    ExecutionRequested,
    Failed,
    FollowedUp,
    FollowUp,
    FollowUpRefused,
    InputGiven,
    Paused,
    PlanningRequested,
    RecordRunSucceeded,
    RequestExecution,
    RequestPlanning,
    RequestTriage,
    Retried,
    RevisionRequested,
    Status,
    StopRequested,
    Submitted,
    TaskEvent,
    TriageRequested,
    Verdict,
)
from testing.given import given
from testing.recorded import A_DAY
from testing.stories import (
    APPROVED_PLAN,
    AWAITING,
    BASE,
    COMPLETED,
    EXECUTING,
    FELL_SHORT,
    PLANNING,
    PUBLISHING,
    RECEIVED,
    SUBMITTED,
    TRIAGED,
    UNPUBLISHED,
    WAITING,
)

WISH = FollowUp(text="And mind the spaces.", author="ada", origin="comment/2")
AT_ONCE = replace(WISH, directive=Directive.IMPLEMENT)
DONE = (*PUBLISHING, replace(COMPLETED, commit="signed"))
NEXT = FollowedUp(
    text="And mind the spaces.",
    author="ada",
    stage="planning",
    base_commit=BASE,
    verdict=Verdict.PLAN,
    origin="comment/2",
)
AFTER_DONE = replace(NEXT, base_commit="signed")
FAILED = Failed(stage="executing", code="x", message="X.")
PAUSED = Paused(stage="executing", code="busy", message="Busy.", until=A_DAY, tries=1)


# ---- while the task goes on -------------------------------------------------------------------------------------


@pytest.mark.parametrize("story", [EXECUTING, WAITING])
def test_an_agent_at_work_is_told(story: tuple[TaskEvent, ...]) -> None:
    given(DECIDER, *story).when(WISH).then(InputGiven(message="And mind the spaces.", origin="comment/2"))


def test_a_plan_that_waits_is_revised() -> None:
    revised = RevisionRequested(version=1, feedback="And mind the spaces.", origin="comment/2")
    given(DECIDER, *AWAITING).when(WISH).then(revised)
    given(DECIDER, *AWAITING, revised).when(WISH).nothing()


def test_a_task_that_waits_for_its_next_step_or_for_better_times_takes_the_wish_into_it() -> None:
    given(DECIDER, *RECEIVED, TRIAGED).when(WISH).then(NEXT)
    given(DECIDER, *EXECUTING, PAUSED).when(WISH).then(NEXT)
    # What was asked for before the wish came is the wish's business now.
    story = (*RECEIVED, TRIAGED, replace(NEXT, stage="executing", verdict=Verdict.IMPLEMENT))
    given(DECIDER, *story).when(RequestPlanning()).nothing()


@pytest.mark.parametrize(
    "story",
    [(SUBMITTED,), RECEIVED, PLANNING, PUBLISHING, (*AWAITING, Approved(plan=APPROVED_PLAN))],
)
def test_what_would_be_lost_on_the_way_is_refused_in_words(story: tuple[TaskEvent, ...]) -> None:
    given(DECIDER, *story).when(WISH).is_rejected("task-wrong-state")


@pytest.mark.parametrize("stage", ["planning", "executing"])
def test_a_task_that_is_being_stopped_takes_no_wish(stage: str) -> None:
    story = PLANNING if stage == "planning" else EXECUTING
    given(DECIDER, *story, StopRequested(stage=stage)).when(WISH).is_rejected("task-stopping")


def test_words_that_came_too_late_for_the_agent_begin_nothing_after_a_stop() -> None:
    missed = replace(WISH, origin="missed/4")
    given(DECIDER, *EXECUTING, Cancelled(reason="Enough.")).when(missed).is_rejected("task-stopped")
    assert isinstance(DECIDER.decide(given(DECIDER, *DONE).state, missed), FollowedUp)


def test_a_sender_who_waits_for_no_answer_has_the_refusal_recorded_once() -> None:
    event = DECIDER.decide(given(DECIDER, *PUBLISHING).state, replace(WISH, recorded=True))
    assert isinstance(event, FollowUpRefused)
    assert (event.text, event.author, event.code, event.origin) == (
        "And mind the spaces.",
        "ada",
        "task-wrong-state",
        "comment/2",
    )
    assert "wait until the result is published" in event.reason
    refused = given(DECIDER, *PUBLISHING, event)
    assert refused.state.status is Status.PUBLISHING
    refused.when(replace(WISH, recorded=True)).nothing()
    refused.when(replace(WISH, origin="comment/3")).is_rejected("task-wrong-state")


# ---- after its end ---------------------------------------------------------------------------------------------


def test_a_completed_task_gets_another_round_on_top_of_what_is_published() -> None:
    given(DECIDER, *DONE).when(WISH).then(AFTER_DONE)
    again = given(DECIDER, *DONE, AFTER_DONE)
    assert (again.state.status, again.state.approved) == (Status.TRIAGED, None)
    asked = DECIDER.decide(again.state, RequestPlanning())
    assert isinstance(asked, PlanningRequested)
    assert asked.base_commit == "signed"


def test_the_next_round_is_asked_for_what_was_wished_first_and_what_is_wished_further() -> None:
    at_once = replace(AFTER_DONE, stage="executing", verdict=Verdict.IMPLEMENT)
    asked = DECIDER.decide(given(DECIDER, *DONE, at_once).state, RequestExecution())
    assert isinstance(asked, ExecutionRequested)
    assert asked.text == (
        "1 + 1 gives 3.\n\n---\n\nA further wish of ada, on top of what is there by now:\n\nAnd mind the spaces."
    )
    assert (asked.round, asked.base_commit, asked.plan) == (2, "signed", None)


def test_wishes_add_up_in_their_order() -> None:
    second = replace(AFTER_DONE, text="And the tabs.", author="", origin="comment/3")
    failed = Failed(stage="planning", code="x", message="X.")
    story = (*DONE, AFTER_DONE, failed, second)
    asked = DECIDER.decide(given(DECIDER, *story).state, RequestPlanning())
    assert isinstance(asked, PlanningRequested)
    assert asked.text.index("1 + 1") < asked.text.index("spaces") < asked.text.index("tabs")
    assert "A further wish, on top" in asked.text


@pytest.mark.parametrize(
    ("approval", "directive", "stage"),
    [
        (Approval.REQUIRED, Directive.AUTO, "planning"),
        (Approval.REQUIRED, Directive.PLAN, "planning"),
        (Approval.REQUIRED, Directive.IMPLEMENT, "executing"),
        (Approval.AUTO, Directive.AUTO, "executing"),
        (Approval.AUTO, Directive.PLAN, "planning"),
    ],
)
def test_the_approval_policy_of_the_task_holds_for_its_further_wishes(
    approval: Approval, directive: Directive, stage: str
) -> None:
    story = (replace(SUBMITTED, approval=approval), *DONE[1:])
    event = DECIDER.decide(given(DECIDER, *story).state, replace(WISH, directive=directive))
    assert isinstance(event, FollowedUp)
    assert event.stage == stage
    assert event.verdict == (Verdict.PLAN if stage == "planning" else Verdict.IMPLEMENT)


@pytest.mark.parametrize("end", [FAILED, FELL_SHORT, Cancelled()])
def test_a_task_that_ended_without_success_gets_another_round_from_its_base(end: TaskEvent) -> None:
    given(DECIDER, *EXECUTING, end).when(WISH).then(NEXT)
    state = given(DECIDER, *EXECUTING, end, NEXT).state
    assert (state.result, state.start, state.error_code) == (None, None, "")


def test_a_round_after_a_failed_publication_begins_at_the_base_as_nothing_is_published() -> None:
    given(DECIDER, *PUBLISHING, UNPUBLISHED).when(WISH).then(NEXT)
    assert given(DECIDER, *PUBLISHING, UNPUBLISHED, NEXT).state.commit == ""


@pytest.mark.parametrize(
    "end",
    [
        Declined(attempt=1, reason="Spam.", decided_by="model"),
        Answered(attempt=1, answer="42", decided_by="model"),
        Cancelled(),
    ],
)
def test_triage_judges_a_wish_for_a_task_that_nobody_decided_to_work_on(end: TaskEvent) -> None:
    judged = replace(NEXT, stage="triage", base_commit="", directive=Directive.IMPLEMENT, verdict=None)
    given(DECIDER, *RECEIVED, end).when(AT_ONCE).then(judged)
    again = given(DECIDER, *RECEIVED, end, judged)
    assert (again.state.directive, again.state.outcome) == (Directive.IMPLEMENT, None)
    again.when(RequestTriage()).then(TriageRequested(attempt=2))


def test_a_task_that_changed_nothing_keeps_what_was_published_before_as_its_base() -> None:
    nothing = Completed(summary="", outcome=Outcome.NOTHING_TO_CHANGE)
    at_once = replace(AFTER_DONE, stage="executing", verdict=Verdict.IMPLEMENT)
    story = (*DONE, at_once, replace(EXECUTING[-1], round=2), nothing)
    event = DECIDER.decide(given(DECIDER, *story).state, replace(WISH, origin="comment/3"))
    assert isinstance(event, FollowedUp)
    assert event.base_commit == "signed"
    done = given(DECIDER, *DONE).state
    now = given(DECIDER, *story).state
    assert (now.commit, now.branch) == (done.commit, done.branch) != ("", "")


def test_a_further_round_that_changes_nothing_leaves_what_was_published_as_well_proven_as_it_was() -> None:
    red = (*PUBLISHING, replace(COMPLETED, commit="signed", evidence=Evidence.FAILING))
    at_once = replace(AFTER_DONE, stage="executing", verdict=Verdict.IMPLEMENT)
    further = given(DECIDER, *red, at_once, replace(EXECUTING[-1], round=2))
    done = further.state
    nothing = RecordRunSucceeded(attempt=done.attempt + 1, summary="All is there.", cause=10**6)
    event = DECIDER.decide(done, nothing)
    assert isinstance(event, Completed)
    assert (event.evidence, event.outcome) == (Evidence.FAILING, Outcome.NOTHING_TO_CHANGE)


def test_a_retry_of_a_further_round_goes_on_from_what_the_wish_decided() -> None:
    story = (*DONE, AFTER_DONE, Failed(stage="planning", code="x", message="X."), Retried(stage="planning"))
    asked = DECIDER.decide(given(DECIDER, *story).state, RequestPlanning())
    assert isinstance(asked, PlanningRequested)
    assert "And mind the spaces." in asked.text


# ---- told twice, and said wrongly -------------------------------------------------------------------------------


def test_the_message_that_opened_the_task_is_no_further_wish() -> None:
    opened = replace(SUBMITTED, origin="comment/2")
    assert isinstance(opened, Submitted)
    given(DECIDER, opened).when(WISH).nothing()


def test_a_task_that_nobody_submitted_takes_no_wish() -> None:
    given(DECIDER).when(WISH).is_rejected("task-unknown")
    given(DECIDER).when(replace(WISH, recorded=True)).nothing()


def test_a_message_that_was_heard_is_not_heard_again_whatever_came_in_between() -> None:
    other = replace(WISH, text="And the tabs.", origin="comment/3")
    story = (*EXECUTING, InputGiven(message="m", origin="comment/2"), InputGiven(message="n", origin="comment/3"))
    given(DECIDER, *story).when(WISH).nothing()
    given(DECIDER, *story).when(other).nothing()
    given(DECIDER, *DONE, AFTER_DONE).when(WISH).nothing()


def test_a_wish_without_an_origin_is_taken_each_time() -> None:
    said = replace(WISH, origin="")
    given(DECIDER, *EXECUTING, InputGiven(message=said.text)).when(said).then(InputGiven(message=said.text))


@pytest.mark.parametrize("blank", ["", " \n", "\u200b"])
@pytest.mark.parametrize("story", [EXECUTING, WAITING, AWAITING, DONE, (*EXECUTING, FAILED)])
def test_a_wish_that_says_nothing_is_refused(story: tuple[Event, ...], blank: str) -> None:
    given(DECIDER, *story).when(replace(WISH, text=blank)).is_rejected("text-empty")


@pytest.mark.parametrize("story", [EXECUTING, AWAITING, DONE])
def test_a_directive_alone_says_nothing_further_to_what_is_done_or_under_way(story: tuple[Event, ...]) -> None:
    given(DECIDER, *story).when(replace(AT_ONCE, text="")).is_rejected("text-empty")


def test_a_directive_alone_says_enough_where_what_was_asked_for_was_not_done() -> None:
    declined = Declined(attempt=1, reason="Spam.", decided_by="model")
    event = DECIDER.decide(given(DECIDER, *RECEIVED, declined).state, replace(AT_ONCE, text=""))
    assert isinstance(event, FollowedUp)
    assert given(DECIDER, *RECEIVED, declined, event).state.wishes == ()


def test_wishes_that_would_not_fit_into_one_event_are_refused() -> None:
    given(DECIDER, *DONE).when(replace(WISH, text="x" * MAX_CHARACTERS)).is_rejected("text-too-long")
