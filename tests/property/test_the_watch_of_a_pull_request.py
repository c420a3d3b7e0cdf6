"""In whatever order heads, checks, reviews, rounds and time come: once for a fingerprint, to an end, never silent."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from services.brain.actors.rounds import failing, of_checks, of_conflict
from services.brain.actors.task import DECIDER
from services.brain.actors.wishes import MAX_CHAIN
from shared.contracts.messages import Event
from shared.contracts.pull_request import CheckSeen, ReviewNote
from shared.contracts.task import (
    Failed,
    FollowedUp,
    LookAtPullRequest,
    RecordCheck,
    RecordHead,
    RecordPublished,
    RecordReview,
    RecordRunSucceeded,
    RequestExecution,
    SetAutomatic,
    Status,
    Task,
    TaskCommand,
)
from testing.recorded import A_DAY
from testing.stories import BUNDLE
from tests.unit.actors.test_a_result_is_reviewed_in_a_pull_request import REVIEWED, story

STEPS = st.lists(st.integers(0, 2**32 - 1), min_size=30, max_size=90)


class Watched:
    """One pull request, told on step by step; its clock goes on, and what is due is looked at then."""

    def __init__(self, *, people: bool) -> None:
        self.now: Task = story(*REVIEWED)
        self.people = people
        self.clock = A_DAY
        self.rounds: list[FollowedUp] = []
        self.commits = 1

    def tell(self, command: TaskCommand) -> Event | None:
        event = DECIDER.decide(self.now, command)
        if event is not None:
            self.now = DECIDER.evolve(self.now, event)
        if isinstance(event, FollowedUp):
            self.rounds.append(event)
        return event

    def step(self, dice: Random) -> None:
        soon = self.clock + timedelta(seconds=dice.choice((10, 30, 120)))
        watch = self.now.watch
        head = dice.choice((watch.head, watch.head, watch.head, *watch.heads[-2:]))
        match dice.randrange(10):
            case 0:
                name = dice.choice((f"pushed-{dice.randrange(9)}", watch.head))
                conflict = dice.random() < 0.5
                self.tell(RecordHead(number=12, head=name, conflict=conflict, at=self.clock, due=soon))
            case 1 | 2 | 3:
                end = dice.choice(("failure", "failure", "success", "cancelled"))
                check = CheckSeen(key=f"check/{dice.randrange(99)}", name=dice.choice("ab"), conclusion=end)
                self.tell(RecordCheck(head=head, check=check, at=self.clock, due=soon))
            case 4 | 5:
                key = f"n{dice.randrange(30)}"
                verdict = dice.choice(("", "", "commented", "approved", "dismissed"))
                note = ReviewNote(
                    key=key, review=str(dice.randrange(3)), author="bob", text="No.", by_program=not self.people
                )
                self.tell(RecordReview(number=12, note=note, verdict=verdict, origin=key, at=self.clock, due=soon))
            case 6 if dice.random() < 0.2:
                self.tell(SetAutomatic(on=dice.random() < 0.6, at=self.clock))
            case 7:
                self.work(dice)
            case _:
                self.clock += timedelta(seconds=dice.choice((5, 60, 600)))
                self.look()

    def work(self, dice: Random) -> None:
        """Whatever round there is goes to its end: with a result, with nothing changed, or badly."""
        self.tell(RequestExecution())
        if self.now.status is not Status.EXECUTING:
            return
        attempt = self.now.attempt + 1
        due = self.clock + timedelta(seconds=30)
        match dice.randrange(5):
            case 0:
                self.tell(RecordRunSucceeded(attempt=attempt, due=due))
            case 1:
                self.now = DECIDER.evolve(self.now, Failed(stage="executing", code="x", message="X."))
            case _:
                self.commits += 1
                commit = f"c{self.commits}"
                self.tell(RecordRunSucceeded(attempt=attempt, commit=commit, branch="b", bundle=BUNDLE))
                self.tell(
                    RecordPublished(commit=commit, branch="b", attempt=attempt, publication=1, pull_request=12, due=due)
                )

    def look(self) -> Event | None:
        due = self.now.watch.due
        return self.tell(LookAtPullRequest(at=due)) if due is not None and due <= self.clock else None

    def until_it_rests(self) -> None:
        """Time passes, rounds are worked on without changing a thing, and nobody else says anything."""
        for _ in range(20):
            self.clock += timedelta(hours=2)
            self.tell(RequestExecution())
            if self.now.status is Status.EXECUTING:
                self.tell(RecordRunSucceeded(attempt=self.now.attempt + 1, due=self.clock))
            if self.look() is None and self.now.status in (Status.IN_REVIEW, Status.FAILED):
                return
        raise AssertionError("the watch never comes to rest")


def watched(steps: list[int], *, people: bool) -> Watched:
    world = Watched(people=people)
    for step in steps:
        world.step(Random(step))
    return world


@settings(deadline=None)
@given(STEPS, st.booleans())
def test_no_fingerprint_makes_two_rounds(steps: list[int], people: bool) -> None:
    world = watched(steps, people=people)
    world.until_it_rests()
    answers = [each for made in world.rounds for each in made.answers]
    assert all(made.answers for made in world.rounds)
    assert len(answers) == len(set(answers))


@settings(deadline=None)
@given(STEPS)
def test_no_more_than_three_rounds_come_of_programs_alone(steps: list[int]) -> None:
    world = watched(steps, people=False)
    world.until_it_rests()
    assert len(world.rounds) <= MAX_CHAIN


@settings(deadline=None)
@given(STEPS, st.booleans())
def test_what_is_wrong_at_rest_has_had_its_round_or_a_person_is_told(steps: list[int], people: bool) -> None:
    world = watched(steps, people=people)
    world.until_it_rests()
    watch = world.now.watch
    open_ended = watch.notes or (watch.conflict and of_conflict(watch)) or (failing(watch) and of_checks(watch))
    if open_ended:
        assert watch.attention or world.now.status is Status.FAILED, watch


@settings(deadline=None)
@given(STEPS, st.booleans())
def test_every_round_begins_at_the_head_that_is_followed(steps: list[int], people: bool) -> None:
    world = Watched(people=people)
    for step in steps:
        head, before = world.now.watch.head, len(world.rounds)
        world.step(Random(step))
        for made in world.rounds[before:]:
            assert made.base_commit == head
