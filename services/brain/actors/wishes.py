"""A further wish for a task that exists is never swallowed: somebody's agent hears it, it makes another plan or another
round of work, or it is refused in words."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from services.brain.actors import reviews
from services.brain.actors.pull_requests import has_open_pull_request
from services.brain.actors.rounds import Round, round_of
from services.brain.actors.stages import ACTS, standing_of
from services.brain.actors.triage import skips_planning, stricter
from shared.contracts.decider import Rejected
from shared.contracts.rules import NEEDS_PERSON, TAKES_ANOTHER_ROUND, TAKES_INPUT, Action, refusal
from shared.contracts.task import (
    Directive,
    FollowedUp,
    FollowUp,
    FollowUpRefused,
    InputGiven,
    RevisionRequested,
    Stage,
    Status,
    Task,
    Verdict,
    whole_text,
)
from shared.ops.visible import is_blank

MAX_CHARACTERS: Final = 150_000
"""Most characters of a task's text with all its wishes: what asks for the work must fit into one event."""

MISSED: Final = "missed/"
"""What the origin of words begins with that an agent at work was to hear, and whose work was over before."""

MAX_CHAIN: Final = 3
"""Most rounds in a row that programs may ask for: then a person says whether it goes on."""
MAX_ROUNDS_AN_HOUR: Final = 6
"""Most rounds that messages may make of one task within an hour: what answers us at once may be a program, too."""

SAME_WORDS: Final = timedelta(minutes=5)
"""So long the words of the newest wish, said once more in a message, are the same wish and no further one."""

_SAID_AGAIN: Final = frozenset({Status.FAILED, Status.CANCELLED, Status.DECLINED})
"""Where a directive alone says enough: what was asked for was not done."""


def follow_up(task: Task, wish: FollowUp) -> InputGiven | RevisionRequested | FollowedUp | FollowUpRefused | None:
    """What becomes of a wish; None for a task that its message opened, or that has heard it before.

    None, too, where there is no task and nobody waits for an answer: the message could not open one.

    Raises `Rejected` where the wish is refused and that is not to be recorded.
    """
    if (task.status is Status.NEW and wish.recorded) or (wish.origin and wish.origin in task.origins):
        return None
    if reviews.is_double(task, wish):
        return None
    if (no := refused(task, wish)) is None:
        return _taken(task, wish)
    if not wish.recorded:
        raise no
    return FollowUpRefused(text=wish.text, author=wish.author, code=no.code, reason=no.sentence, origin=wish.origin)


def text_of(task: Task) -> str:
    """The task's text with its further wishes, oldest first: what triage, planner and executor are asked for."""
    parts = [whole_text(task.text, task.request, task.source.author)]
    for wish in task.wishes:
        author = f" of {wish.author}" if wish.author else ""
        parts.append(f"---\n\nA further wish{author}, on top of what is there by now:\n\n{wish.text}")
    return "\n\n".join(parts)


def refused(task: Task, wish: FollowUp) -> Rejected | None:
    """Why the wish is not taken, or None."""
    if wish.review is not None and (no := reviews.refused(task, wish)):
        return no
    if found := refusal(Action.FOLLOW_UP, standing_of(task)):
        return Rejected(found.code, found.sentence)
    if task.status is Status.CANCELLED and wish.origin.startswith(MISSED):
        return Rejected("task-stopped", "The task was stopped after this was said: say it again, and it goes on.")
    open_wish = task.status in _SAID_AGAIN or task.unfinished or _heard(task) is not None
    says_enough = wish.review is not None or (wish.directive is not Directive.AUTO and open_wish)
    if is_blank(wish.text) and not says_enough:
        return Rejected("text-empty", _NOTHING_SAID if task.status not in NEEDS_PERSON else _NOTHING_DECIDED)
    if len(text_of(task)) + len(wish.text) > MAX_CHARACTERS:
        return Rejected(
            "text-too-long",
            f"The task's text with its wishes would be longer than {MAX_CHARACTERS} characters: submit a new task.",
        )
    if wish.recorded and task.status in TAKES_INPUT and wish.text == task.told:
        return Rejected("said-before", "The agent has been told these very words: say what is different.")
    if wish.recorded and _has_just_been_done(task, wish):
        return Rejected("said-before", "A round about these very words has just been made: say what is different.")
    return _too_many_rounds(task, wish) if task.status in TAKES_ANOTHER_ROUND else None


def _has_just_been_done(task: Task, wish: FollowUp) -> bool:
    """A storm of one and the same message is one wish, also where it goes on longer than the round about it."""
    last = task.wishes[-1] if task.wishes else None
    if last is None or last.at is None or wish.at is None or is_blank(wish.text):
        return False
    is_same = last.text == wish.text or last.text.startswith(f"{wish.text}\n\n")
    is_done = task.status in TAKES_ANOTHER_ROUND - _SAID_AGAIN and not task.unfinished
    return is_same and is_done and wish.at - last.at < SAME_WORDS


def _too_many_rounds(task: Task, wish: FollowUp) -> Rejected | None:
    """Where two programs answer each other, somebody must be the first to stop."""
    if wish.by_program and task.chain >= MAX_CHAIN:
        return Rejected(
            "chain-too-long",
            f"Programs have asked for {MAX_CHAIN} rounds in a row: a person must say that it goes on.",
        )
    if wish.at is None or len(task.wishes) < MAX_ROUNDS_AN_HOUR:
        return None
    earlier = task.wishes[-MAX_ROUNDS_AN_HOUR].at
    if earlier is None or wish.at - earlier > timedelta(hours=1):
        return None
    return Rejected(
        "rounds-too-fast",
        f"{MAX_ROUNDS_AN_HOUR} rounds within an hour are enough: say it again later, or at once in the dashboard.",
    )


_NOTHING_SAID: Final = "There is nothing to do in this: say what is further to be done."
_NOTHING_DECIDED: Final = (
    "There is nothing in this that the task waits for: say what is to be different, or answer what it asks."
)


def _taken(task: Task, wish: FollowUp) -> InputGiven | RevisionRequested | FollowedUp:
    match task.status:
        case status if status in TAKES_INPUT:
            return InputGiven(message=wish.text, origin=wish.origin)
        case Status.AWAITING_APPROVAL:
            return RevisionRequested(version=task.plan_version, feedback=wish.text, origin=wish.origin)
        case _:
            return _with_what_was_heard(task, wish)


def _heard(task: Task) -> Round | None:
    """What waits at the task's open pull request for somebody who asks for a round."""
    return round_of(task, asked=True) if has_open_pull_request(task) else None


def _with_what_was_heard(task: Task, wish: FollowUp) -> FollowedUp:
    """Who asks for a round means also what was said in reviews, and what fails, as far as it fits in."""
    heard = _heard(task)
    whole = f"{wish.text}\n\n{heard.text}".strip() if heard else wish.text
    if heard is None or len(text_of(task)) + len(whole) > MAX_CHARACTERS:
        return another_round(task, wish)
    return replace(another_round(task, replace(wish, text=whole)), answers=heard.answers)


def another_round(task: Task, wish: FollowUp) -> FollowedUp:
    """The next round, on the branch that is there; triage judges first where it never said that we act."""
    if task.review is not None:
        return reviews.another(task, wish)
    verdict, stage = None, Stage.TRIAGE
    if task.verdict in ACTS:
        skips = skips_planning(wish.directive, stricter(task.approval, wish.approval), Verdict.IMPLEMENT)
        verdict, stage = (Verdict.IMPLEMENT, Stage.EXECUTING) if skips else (Verdict.PLAN, Stage.PLANNING)
    return FollowedUp(
        text=wish.text,
        author=wish.author,
        stage=stage,
        base_commit=_base(task),
        directive=wish.directive,
        verdict=verdict,
        origin=wish.origin,
        by_program=wish.by_program,
        at=wish.at,
    )


def _base(task: Task) -> str:
    """What the next round goes on from: the head of its open pull request, its merge, or what is published."""
    if has_open_pull_request(task) and task.watch.head:
        return task.watch.head
    merge = task.pull_request.merge if task.pull_request else None
    return (merge.commit if merge else "") or task.published or task.base_commit
