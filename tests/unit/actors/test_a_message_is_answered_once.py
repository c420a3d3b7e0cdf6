"""Messages in a conversation are answered one after the other, and each comes to exactly one end."""

from __future__ import annotations

import random

import pytest

from services.brain.actors.session import DECIDER, MOST_WAITING
from shared.contracts.decider import Rejected
from shared.contracts.messages import ArtifactRef, Command, Event
from shared.contracts.session import (
    Action,
    Answer,
    Answered,
    AnswerStarted,
    Archive,
    Archived,
    Ask,
    Asked,
    Claim,
    Claimed,
    Confirm,
    Confirmed,
    Dismiss,
    Dismissed,
    Fail,
    Failed,
    Interrupt,
    Interrupted,
    InterruptRequested,
    Proposal,
    Propose,
    Proposed,
    RecordInterrupted,
    RecordSpend,
    Rename,
    Renamed,
    Say,
    Session,
    SpendRecorded,
    StartAnswer,
    Unarchive,
)
from shared.contracts.usage import ModelUsage
from testing.given import given

ASKED = Asked(message_id="m1", message="What is running?", author="user:ada")
NEXT = Asked(message_id="m2", message="And what waits?", author="user:bob")
STARTED = AnswerStarted(answer=1, message_id="m1")
CLAIMED = Claimed(answer=1, attempt=1, worker="w@here", session="cli-1")
USAGE = (ModelUsage(model="m", input_tokens=3, cost_microusd=5),)
KEPT = ArtifactRef(name="a", sha256="b", size=1)
ANSWERED = Answered(
    answer=1,
    message_id="m1",
    attempt=1,
    text="Nothing.",
    usage=USAGE,
    asked_by="user:ada",
    session="cli-1",
    transcript=KEPT,
)
PROPOSAL = Proposal(proposal_id="p1", action=Action.STOP, task_id="T1", text="It loops.")
PROPOSED = Proposed(answer=1, message_id="m1", proposal=PROPOSAL)


def test_a_message_is_asked_once_however_often_it_is_sent() -> None:
    ask = Ask(message_id="m1", message="What is running?", author="user:ada")
    given(DECIDER).when(ask).then(ASKED)
    given(DECIDER, ASKED).when(ask).nothing()
    given(DECIDER, ASKED, STARTED, CLAIMED, ANSWERED).when(ask).nothing()


def test_an_empty_message_and_one_too_many_are_refused() -> None:
    given(DECIDER).when(Ask(message_id="m", message=" \u200b", author="user:ada")).is_rejected("message-empty")
    waiting = [Asked(message_id=str(n), message="?", author="user:ada") for n in range(MOST_WAITING)]
    given(DECIDER, *waiting).when(Ask(message_id="m", message="?", author="user:ada")).is_rejected("too-many-waiting")


def test_one_message_is_answered_at_a_time_the_oldest_first() -> None:
    given(DECIDER).when(StartAnswer()).nothing()
    given(DECIDER, ASKED, NEXT).when(StartAnswer()).then(STARTED)
    given(DECIDER, ASKED, NEXT, STARTED).when(StartAnswer()).nothing()
    second = AnswerStarted(answer=2, message_id="m2")
    given(DECIDER, ASKED, NEXT, STARTED, CLAIMED, ANSWERED).when(StartAnswer()).then(second)


def test_the_newest_attempt_alone_tells_the_answer() -> None:
    again = Claimed(answer=1, attempt=2, worker="x@there", session="cli-2")
    claim = Claim(answer=1, worker="x@there", session="cli-2")
    given(DECIDER, ASKED, STARTED, CLAIMED).when(claim).then(again)
    late = Answer(attempt=1, text="Nothing.")
    given(DECIDER, ASKED, STARTED, CLAIMED, again).when(late).is_rejected("attempt-stale")
    given(DECIDER, ASKED, STARTED, CLAIMED, again).when(Answer(attempt=2, text="All is well.")).then(
        Answered(answer=1, message_id="m1", attempt=2, text="All is well.", asked_by="user:ada")
    )


def test_an_answer_that_is_there_is_not_claimed_told_or_failed_again() -> None:
    done = given(DECIDER, ASKED, STARTED, CLAIMED, ANSWERED)
    done.when(Answer(attempt=1, text="Something else.")).nothing()
    done.when(Fail(attempt=1, code="agent-error", message="It broke.")).nothing()
    done.when(Claim(answer=1, worker="x@there", session="s")).is_rejected("attempt-stale")
    done.when(Interrupt(message_id="m1")).nothing()


def test_the_next_answer_goes_on_from_the_conversation_of_the_last() -> None:
    state = given(DECIDER, ASKED, STARTED, CLAIMED, ANSWERED).state
    assert (state.resumes, state.transcript) == ("cli-1", KEPT)
    failed = Failed(answer=2, message_id="m2", attempt=2, code="agent-killed", message="Gone.")
    second = (
        NEXT,
        AnswerStarted(answer=2, message_id="m2"),
        Claimed(answer=2, attempt=2, worker="w@here", session="cli-2"),
    )
    after = given(DECIDER, ASKED, STARTED, CLAIMED, ANSWERED, *second, failed).state
    assert (after.resumes, after.transcript) == ("cli-1", KEPT)


def test_a_message_that_waits_is_taken_back_and_the_one_being_answered_goes_on() -> None:
    taken_back = Interrupted(answer=0, message_id="m2", attempt=0)
    both = given(DECIDER, ASKED, NEXT, STARTED, CLAIMED)
    both.when(Interrupt(message_id="m2")).then(taken_back)
    after = given(DECIDER, ASKED, NEXT, STARTED, CLAIMED, taken_back).state
    assert after.answering == ASKED
    assert after.waiting == ()


def test_an_answer_is_broken_off_by_its_worker_and_keeps_what_was_said() -> None:
    stopping = InterruptRequested(answer=1, message_id="m1")
    given(DECIDER, ASKED, STARTED, CLAIMED).when(Interrupt(message_id="m1")).then(stopping)
    heard = given(DECIDER, ASKED, STARTED, CLAIMED, stopping)
    heard.when(Interrupt(message_id="m1")).nothing()
    heard.when(Answer(attempt=1, text="Nothing.")).is_rejected("answer-stopping")
    heard.when(RecordInterrupted(attempt=1, text="Noth", usage=USAGE)).then(
        Interrupted(answer=1, message_id="m1", attempt=1, text="Noth", usage=USAGE, asked_by="user:ada")
    )


def test_an_answer_without_a_worker_is_broken_off_at_once() -> None:
    given(DECIDER, ASKED, STARTED).when(Interrupt(message_id="m1")).then(
        Interrupted(answer=1, message_id="m1", attempt=0)
    )
    given(DECIDER, ASKED).when(Interrupt(message_id="nobody")).is_rejected("message-unknown")


def test_what_is_proposed_happens_once_and_only_when_a_person_confirms_it() -> None:
    given(DECIDER, ASKED, STARTED, CLAIMED).when(Propose(attempt=1, proposal=PROPOSAL)).then(PROPOSED)
    open_ = given(DECIDER, ASKED, STARTED, CLAIMED, PROPOSED)
    open_.when(Propose(attempt=1, proposal=PROPOSAL)).nothing()
    open_.when(Confirm(proposal_id="p1")).then(Confirmed(proposal=PROPOSAL))
    open_.when(Dismiss(proposal_id="p1")).then(Dismissed(proposal_id="p1"))
    open_.when(Confirm(proposal_id="p2")).is_rejected("proposal-unknown")
    for decided in (Confirmed(proposal=PROPOSAL), Dismissed(proposal_id="p1")):
        after = given(DECIDER, ASKED, STARTED, CLAIMED, PROPOSED, ANSWERED, decided)
        after.when(Confirm(proposal_id="p1")).nothing()
        after.when(Dismiss(proposal_id="p1")).nothing()
    after_the_answer = given(DECIDER, ASKED, STARTED, CLAIMED, ANSWERED)
    after_the_answer.when(Propose(attempt=1, proposal=PROPOSAL)).is_rejected("answer-over")


def test_there_is_no_way_to_propose_an_approval() -> None:
    assert set(Action) == {"submit", "stop", "retry", "message"}


def test_a_conversation_is_named_and_put_away() -> None:
    given(DECIDER, ASKED).when(Rename(title="  The   week ")).then(Renamed(title="The week"))
    given(DECIDER, ASKED, Renamed(title="The week")).when(Rename(title="The week")).nothing()
    given(DECIDER, ASKED).when(Rename(title="x" * 121)).is_rejected("title-too-long")
    given(DECIDER, ASKED).when(Archive()).then(Archived())
    given(DECIDER, ASKED, Archived()).when(Archive()).nothing()
    given(DECIDER, ASKED).when(Unarchive()).nothing()


def test_what_an_answer_cost_elsewhere_is_booked_once() -> None:
    spent = RecordSpend(answer=1, place="there", usage=USAGE)
    booked = SpendRecorded(answer=1, place="there", usage=USAGE, asked_by="user:ada")
    given(DECIDER, ASKED, STARTED, CLAIMED).when(spent).then(booked)
    given(DECIDER, ASKED, STARTED, CLAIMED, booked).when(spent).nothing()
    here = RecordSpend(answer=1, place="here", usage=USAGE)
    given(DECIDER, ASKED, STARTED, CLAIMED, ANSWERED).when(here).nothing()


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_in_whatever_order_each_message_has_at_most_one_end(seed: int) -> None:
    chance = random.Random(seed)
    state, events = Session(), list[Event]()
    for _ in range(200):
        event = _decided(state, _command(chance, state))
        if event is not None:
            events.append(event)
            state = DECIDER.evolve(state, event)
    asked = [event.message_id for event in events if isinstance(event, Asked)]
    ends = [event.message_id for event in events if isinstance(event, Answered | Failed | Interrupted)]
    assert len(asked) == len(set(asked))
    assert len(ends) == len(set(ends))
    assert set(ends) <= set(asked)
    still = {each.message_id for each in (*state.waiting, *([state.answering] if state.answering else []))}
    assert still == set(asked) - set(ends)


def _decided(state: Session, command: Command) -> Event | None:
    try:
        return DECIDER.decide(state, command)
    except Rejected:
        return None


def _command(chance: random.Random, state: Session) -> Command:
    id = f"m{chance.randrange(12)}"
    attempt = max(0, state.attempt - chance.choice((0, 0, 0, 1)))
    return chance.choice(
        (
            Ask(message_id=id, message="Well?", author="user:ada"),
            Say(message="Do it", author="user:ada", task_id=id),
            StartAnswer(),
            Claim(answer=state.answer, worker="w@here", session="s"),
            Answer(attempt=attempt, text="So."),
            Fail(attempt=attempt, code="c", message="No."),
            Interrupt(message_id=id),
            RecordInterrupted(attempt=attempt),
            Propose(attempt=attempt, proposal=PROPOSAL),
            Confirm(proposal_id="p1"),
        )
    )
