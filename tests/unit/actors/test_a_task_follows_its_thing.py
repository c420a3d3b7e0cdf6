from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from services.brain.actors.task import DECIDER
from services.brain.actors.wishes import MAX_CHAIN, MAX_ROUNDS_AN_HOUR, text_of
from shared.contracts.messages import Event
from shared.contracts.task import (
    ActionRefused,
    Approval,
    Approve,
    Cancelled,
    Completed,
    Edited,
    ExecutionRequested,
    Failed,
    FollowedUp,
    FollowUp,
    FollowUpRefused,
    GoingOn,
    GoOn,
    InputGiven,
    PlanningRequested,
    RecordClosed,
    RecordEdit,
    RecordReopened,
    Retried,
    Retry,
    SetAutomatic,
    Source,
    Status,
    Stop,
    StopRequested,
    Submitted,
    Triaged,
    TriageRequested,
    Verdict,
)
from testing.given import given
from testing.recorded import A_DAY

SUBMITTED = Submitted(
    title="Fix the sum",
    text="1 + 1 gives 3.",
    request="@agent plan",
    source=Source(kind="github", author="ada"),
    origin="comment/1",
)
TRIAGED = Triaged(
    attempt=1,
    verdict=Verdict.PLAN,
    decided_by="rules",
    reason="",
    title="Fix the sum",
    work_kind="",
    risk="",
    repo="octo/app",
    base_commit="c0",
)
PLANNING = (
    SUBMITTED,
    TriageRequested(attempt=1),
    TRIAGED,
    PlanningRequested(repo="octo/app", base_commit="c0", title="", text=""),
)
EXECUTING = (*PLANNING[:3], ExecutionRequested(round=1, repo="octo/app", base_commit="c0", title="", text=""))
DONE = (*EXECUTING, Completed(summary="Done.", commit="c1"))
CLOSED = RecordClosed(reason="ada has closed the issue.")
ENDED = Cancelled(reason=CLOSED.reason, closed=True)


# ---- the thing is closed


@pytest.mark.parametrize(("story", "stage"), [(PLANNING, "planning"), (EXECUTING, "executing")])
def test_a_closed_thing_stops_the_agent_at_work(story: tuple[Event, ...], stage: str) -> None:
    given(DECIDER, *story).when(CLOSED).then(StopRequested(stage=stage, reason=CLOSED.reason, closed=True))


def test_a_closed_thing_cancels_what_has_not_begun_and_nothing_that_has_ended() -> None:
    given(DECIDER, SUBMITTED).when(CLOSED).then(ENDED)
    given(DECIDER, *DONE).when(CLOSED).nothing()
    given(DECIDER).when(CLOSED).nothing()


def test_a_closed_thing_stops_nothing_that_somebody_wants_to_go_on() -> None:
    given(DECIDER, *EXECUTING).when(GoOn(origin="c/2")).then(GoingOn(origin="c/2"))
    given(DECIDER, *EXECUTING, GoingOn(origin="c/2")).when(CLOSED).nothing()
    given(DECIDER, *EXECUTING, GoingOn(origin="c/2")).when(GoOn()).nothing()


def test_what_a_closed_thing_has_stopped_goes_on_when_somebody_says_so_and_is_not_stopped_again() -> None:
    stopped = (SUBMITTED, ENDED)
    again = Retried(stage="triage", origin="c/2", goes_on=True)
    given(DECIDER, *stopped).when(GoOn(origin="c/2")).then(again)
    given(DECIDER, *stopped, again).when(CLOSED).nothing()


def test_what_a_person_has_stopped_is_retried_and_does_not_go_on_by_itself() -> None:
    given(DECIDER, SUBMITTED, Cancelled(reason="no")).when(GoOn()).is_rejected("task-finished")
    given(DECIDER, *EXECUTING, StopRequested(stage="executing")).when(GoOn()).is_rejected("task-stopping")
    given(DECIDER).when(GoOn()).is_rejected("task-unknown")


def test_the_end_of_an_agent_that_a_closed_thing_has_stopped_can_be_gone_on_from() -> None:
    story = (*EXECUTING, StopRequested(stage="executing", reason="closed", closed=True), Cancelled(reason="closed"))
    given(DECIDER, *story).when(GoOn()).then(Retried(stage="planning", goes_on=True))


def test_what_a_closed_thing_has_stopped_goes_on_when_the_thing_is_reopened_and_nothing_else_does() -> None:
    again = Retried(stage="triage", origin="d-3")
    given(DECIDER, SUBMITTED, ENDED).when(RecordReopened(origin="d-3")).then(again)
    given(DECIDER, SUBMITTED, ENDED, again).when(RecordReopened(origin="d-3")).nothing()
    given(DECIDER, SUBMITTED, Cancelled(reason="no")).when(RecordReopened(origin="d-3")).nothing()
    given(DECIDER, *DONE).when(RecordReopened(origin="d-3")).nothing()
    given(DECIDER, SUBMITTED, ENDED, again).when(CLOSED).then(ENDED)


def test_a_thing_that_is_reopened_before_the_agent_has_ended_is_answered_in_words() -> None:
    stopping = (*EXECUTING, StopRequested(stage="executing", reason="closed", closed=True))
    refused = DECIDER.decide(given(DECIDER, *stopping).state, RecordReopened(origin="d-3"))
    assert isinstance(refused, ActionRefused) and refused.code == "task-stopping" and "go on" in refused.reason
    by_hand = (*EXECUTING, StopRequested(stage="executing", reason="no"))
    given(DECIDER, *by_hand).when(RecordReopened(origin="d-3")).nothing()


# ---- its words are edited

REQUEST_EDITED = RecordEdit(text="@agent plan it well", part="comment/1")


def test_edits_count_until_planning_begins() -> None:
    edit = RecordEdit(text="1 + 1 gives 4.", title="Mend the sum", origin="d-2", author="ada", trusted=True)
    edited = Edited(text="1 + 1 gives 4.", title="Mend the sum", origin="d-2", author="ada")
    given(DECIDER, SUBMITTED).when(edit).then(edited)
    now = given(DECIDER, SUBMITTED, edited).state
    assert (now.title, now.text, now.edited) == ("Mend the sum", "1 + 1 gives 4.", False)
    assert text_of(now).endswith("ada asks for this:\n\n@agent plan")
    given(DECIDER, SUBMITTED, edited).when(edit).nothing()


def test_the_edit_of_the_comment_that_opened_the_task_changes_what_is_asked_for_and_not_the_things_text() -> None:
    edited = Edited(text="@agent plan it well", part="comment/1")
    given(DECIDER, SUBMITTED).when(replace(REQUEST_EDITED, trusted=True)).then(edited)
    now = given(DECIDER, SUBMITTED, edited).state
    assert (now.text, now.request) == ("1 + 1 gives 3.", "@agent plan it well")


def test_a_stranger_puts_no_other_words_in_the_place_of_those_that_somebody_trusted_has_asked_for() -> None:
    edit = RecordEdit(text="1 + 1 gives 4.", author="eve")
    shown = Edited(text="1 + 1 gives 4.", author="eve", counts=False)
    given(DECIDER, SUBMITTED).when(edit).then(shown)
    by_itself = replace(SUBMITTED, request="", origin="")
    given(DECIDER, by_itself).when(edit).then(replace(shown, counts=True))
    given(DECIDER, replace(by_itself, approval=Approval.AUTO)).when(edit).then(shown)


@pytest.mark.parametrize("story", [PLANNING, DONE])
def test_an_edit_after_planning_has_begun_is_shown_and_changes_nothing(story: tuple[Event, ...]) -> None:
    edit = RecordEdit(text="1 + 1 gives 4.", trusted=True)
    shown = Edited(text="1 + 1 gives 4.", counts=False)
    given(DECIDER, *story).when(edit).then(shown)
    now = given(DECIDER, *story, shown).state
    assert (now.text, now.edited) == ("1 + 1 gives 3.", True)


def test_the_agent_at_work_hears_of_an_edit_only_when_its_sender_is_trusted() -> None:
    edit = RecordEdit(text="1 + 1 gives 4.", origin="d-2", author="ada", trusted=True)
    told = "ada has changed the text that you work on since the work began. It reads now:\n\n1 + 1 gives 4."
    given(DECIDER, *EXECUTING).when(edit).then(InputGiven(message=told, origin="d-2"))
    shown = Edited(text="1 + 1 gives 4.", origin="d-2", author="ada", counts=False)
    given(DECIDER, *EXECUTING).when(replace(edit, trusted=False)).then(shown)


@pytest.mark.parametrize("part", ["", "comment/1"])
@pytest.mark.parametrize("begins", [SUBMITTED, replace(SUBMITTED, as_of_ms=2_000)])
def test_older_words_that_come_late_never_take_the_place_of_newer_ones(part: str, begins: Submitted) -> None:
    newer = Edited(text="the newest", part=part, origin="d-3", as_of_ms=4_000)
    late = RecordEdit(text="older", part=part, origin="d-2", trusted=True, as_of_ms=3_000)
    given(DECIDER, begins, newer).when(late).nothing()
    for as_of_ms in (0, 4_000, 5_000):
        now = replace(late, as_of_ms=as_of_ms)
        given(DECIDER, begins, newer).when(now).then(Edited(text="older", part=part, origin="d-2", as_of_ms=as_of_ms))
    other = "" if part else "comment/1"
    assert DECIDER.decide(given(DECIDER, begins, newer).state, replace(late, part=other)) is not None


def test_words_from_before_the_task_was_opened_are_older_too() -> None:
    begins = replace(SUBMITTED, origin="", request="", as_of_ms=2_000)
    late = RecordEdit(text="older", trusted=True, as_of_ms=1_000)
    given(DECIDER, begins).when(late).nothing()


def test_an_agent_at_work_does_not_hear_older_words_after_newer_ones() -> None:
    newer = RecordEdit(text="the newest", origin="d-3", trusted=True, as_of_ms=4_000)
    heard = DECIDER.decide(given(DECIDER, *EXECUTING).state, newer)
    assert isinstance(heard, InputGiven) and heard.as_of_ms == 4_000
    given(DECIDER, *EXECUTING, heard).when(replace(newer, text="older", origin="d-2", as_of_ms=3_000)).nothing()


def test_an_edit_of_nothing_that_a_task_was_made_of_is_none() -> None:
    given(DECIDER, SUBMITTED).when(RecordEdit(text=SUBMITTED.text)).nothing()
    given(DECIDER, SUBMITTED).when(RecordEdit(text="@agent stop now", part="comment/5")).nothing()
    given(DECIDER).when(RecordEdit(text="anything")).nothing()


# ---- what a message says is refused as an event, and heard once


def test_a_refusal_of_a_message_is_a_fact_that_can_be_told() -> None:
    for command, action, code in (
        (Stop(recorded=True, origin="c/2"), "stop", "task-unknown"),
        (Approve(version=1, digest="d", recorded=True, origin="c/2"), "approve", "task-unknown"),
        (GoOn(recorded=True, origin="c/2"), "go-on", "task-unknown"),
        (Retry(recorded=True, origin="c/2"), "retry", "task-unknown"),
        (SetAutomatic(on=False, recorded=True, origin="c/2"), "set-automatic", "task-unknown"),
    ):
        event = DECIDER.decide(DECIDER.initial, command)
        assert isinstance(event, ActionRefused)
        assert (event.action, event.code, event.origin) == (action, code, "c/2")
        assert event.reason == (
            "No task is under way here, so that changes nothing: say `plan`, `implement` or `ask` to begin one."
        ), "who writes there has no list of tasks"
        assert given(DECIDER, event).state.status is Status.NEW
        given(DECIDER, event).when(command).nothing()
    given(DECIDER).when(Stop()).is_rejected("task-unknown")


def test_a_message_that_was_heard_changes_nothing_when_it_comes_again() -> None:
    stop = Stop(origin="c/2", recorded=True)
    stopped = Cancelled(origin="c/2")
    given(DECIDER, SUBMITTED).when(stop).then(stopped)
    retried = Retried(stage="triage", origin="c/3")
    given(DECIDER, SUBMITTED, stopped).when(Retry(origin="c/3")).then(retried)
    given(DECIDER, SUBMITTED, stopped, retried).when(stop).nothing()
    given(DECIDER, SUBMITTED, stopped, retried, stopped).when(Retry(origin="c/3")).nothing()


# ---- chains of programs, and storms


def wish(number: int, *, minutes: float = 0, by_program: bool = False) -> FollowUp:
    at = A_DAY + timedelta(minutes=minutes)
    return FollowUp(text=f"more {number}", origin=f"c/{number}", recorded=True, by_program=by_program, at=at)


def rounds(count: int, *, by_program: bool = False) -> tuple[Event, ...]:
    story: tuple[Event, ...] = DONE
    for number in range(count):
        event = DECIDER.decide(given(DECIDER, *story).state, wish(number, by_program=by_program))
        assert isinstance(event, FollowedUp)
        story = (*story, event, DONE[-1])
    return story


def code_of(story: tuple[Event, ...], command: FollowUp) -> str:
    event = DECIDER.decide(given(DECIDER, *story).state, command)
    return event.code if isinstance(event, FollowUpRefused) else ""


def test_a_chain_of_programs_is_cut_and_a_person_sets_it_back() -> None:
    chain = rounds(MAX_CHAIN, by_program=True)
    assert code_of(chain, wish(9, by_program=True)) == "chain-too-long"
    assert code_of(chain, wish(9)) == ""
    persons = DECIDER.decide(given(DECIDER, *chain).state, wish(9))
    assert isinstance(persons, FollowedUp)
    assert code_of((*chain, persons, DONE[-1]), wish(10, by_program=True)) == ""


def test_rounds_that_messages_make_have_a_rate() -> None:
    story = rounds(MAX_ROUNDS_AN_HOUR)
    assert code_of(story, wish(9, minutes=59)) == "rounds-too-fast"
    assert code_of(story, wish(9, minutes=61)) == ""
    assert code_of(story, replace(wish(9), at=None)) == "", "the dashboard is a person's"


def test_the_same_words_again_are_not_told_to_the_agent_again() -> None:
    told = (*EXECUTING, InputGiven(message="more 1", origin="c/0"))
    assert code_of(told, wish(1)) == "said-before"
    assert code_of((*told, InputGiven(message="other", origin="c/8")), wish(1)) == ""


def test_the_same_words_just_after_their_round_are_the_same_wish_and_later_ones_are_another() -> None:
    done = rounds(2)
    again = replace(wish(1, minutes=4), origin="c/99")
    assert code_of(done, again) == "said-before"
    assert code_of(done, replace(again, at=A_DAY + timedelta(minutes=6))) == ""
    assert code_of(done, wish(7, minutes=4)) == ""
    failed = Failed(stage="executing", code="checks-failed", message="No.")
    assert code_of((*done[:-1], failed), again) == "", "what was not done may be asked for once more"
