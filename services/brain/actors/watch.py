"""The watch over a task's open pull request: what is heard of it is gathered until it is due, then acted on once.

All of it is about one head, and begins anew with another one. What fails makes one round for each head, what people
say in reviews is taken up together, and success counts only after a while without other news. After so many rounds
without a person one is needed, and is told why.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from services.brain.actors.pull_requests import UNFINISHED, has_open_pull_request
from services.brain.actors.rounds import MAX_NOTES, Round, failing, of_base, of_checks, of_conflict, round_of, unclear
from services.brain.actors.watch_fold import AUTOMATIC_OFF
from services.brain.actors.wishes import MAX_CHAIN, another_round, refused
from shared.contracts.decider import Rejected
from shared.contracts.pull_request import PASSING, Watch
from shared.contracts.rules import NONE_HERE, TAKES_INPUT, UNKNOWN
from shared.contracts.task import (
    ActionRefused,
    AutomaticSet,
    CatchUpRequested,
    CheckEnded,
    ChecksPassed,
    Directive,
    Edited,
    FollowedUp,
    FollowUp,
    FollowUpRefused,
    HeadSeen,
    InputGiven,
    LookAtPullRequest,
    PersonNeeded,
    RecordBase,
    RecordCheck,
    RecordHead,
    RecordReview,
    Reviewed,
    SetAutomatic,
    Status,
    Task,
)
from shared.ops.visible import is_blank

MAX_CHECKS: Final = 60
"""Checks of one head that are known by name."""
MAX_FACTS: Final = 300
"""So much is heard of one head; then a person is needed."""
LONGEST_WAIT: Final = timedelta(minutes=10)
"""News wait no longer than this for further news."""

Fact = RecordHead | RecordCheck | RecordReview


def head_seen(task: Task, report: RecordHead) -> HeadSeen | PersonNeeded | None:
    """Another head than the one that is followed, or a conflict of it."""
    watch = task.watch
    if not _is_followed(task, report.number) or not report.head:
        return None
    is_ours = task.status is Status.PUBLISHING and report.head == task.commit
    moved = report.head != watch.head and report.head not in watch.heads and not is_ours
    conflict = report.conflict and (moved or (report.head == watch.head and not watch.conflict))
    # Its webhook may have told of the head before we could.
    ours = bool(report.base) and (moved or (report.head == watch.head and report.base != watch.base))
    if not moved and not conflict and not ours:
        return None
    if not moved and not ours and watch.facts >= MAX_FACTS:
        return _too_much(watch)
    due = _gathered(watch, report) if conflict else None
    return HeadSeen(
        head=report.head,
        by=report.by,
        moved=moved,
        conflict=conflict,
        base=report.base if ours else "",
        due=due,
        at=report.at,
    )


def base_moved(task: Task, report: RecordBase) -> CatchUpRequested | PersonNeeded | None:
    """The base has moved: once for each pair of commits, while nothing else is under way. What was approved stays."""
    watch, pull = task.watch, task.pull_request
    rests = task.status is Status.IN_REVIEW and task.closing_until is None and watch.automatic
    if not rests or pull is None or not has_open_pull_request(task) or report.head != watch.head:
        return None
    if report.problem:
        return _needed(watch, report.code, report.problem, (report.head,))
    waits = watch.due is not None and watch.due > report.at
    if (
        waits
        or watch.conflict
        or report.base == task.base_commit
        or of_base(report.head, report.base) in watch.answered
    ):
        return None
    return CatchUpRequested(
        repo=task.repo,
        branch=pull.branch,
        pull_request=pull.number,
        head=report.head,
        base=report.base,
        how=report.how,
    )


def check_ended(task: Task, report: RecordCheck) -> CheckEnded | PersonNeeded | None:
    """Another end of a check than the one that is known; None for those of other commits."""
    watch, check = task.watch, report.check
    is_next = task.status is Status.PUBLISHING and report.head == task.commit
    if not is_next and (report.head != watch.head or not has_open_pull_request(task)):
        return None
    known = watch.checks.get(check.name) if report.head == watch.head else None
    if known is not None and (known.key, known.conclusion) == (check.key, check.conclusion):
        return None
    if known is None and check.conclusion in PASSING and check.key.startswith("check/"):
        return None  # what all of them come to says their suite
    if known is None and len(watch.checks) >= MAX_CHECKS:
        return None
    if watch.facts >= MAX_FACTS:
        return _too_much(watch)
    return CheckEnded(head=report.head, check=check, due=_gathered(watch, report), at=report.at)


def reviewed(
    task: Task, report: RecordReview
) -> Reviewed | FollowUpRefused | InputGiven | Edited | PersonNeeded | None:
    """What somebody has said in a review, once; where nobody would take it up, that is said."""
    watch, note = task.watch, report.note
    known = next((each for each in watch.notes if each.key == note.key), None)
    if task.pull_request is None or task.pull_request.number != report.number or report.origin in task.origins:
        return None
    if report.verdict == "dismissed":
        counts = any(_is_withdrawn(each.key, each.review, report) for each in watch.notes)
        return Reviewed(note=note, verdict=report.verdict, at=report.at) if counts else None
    if report.edited:
        # Senders promise no order: older words have been replaced already.
        is_newer = known is None or not 0 < note.as_of_ms < known.as_of_ms
        return _edited(task, report) if is_newer and (known is None or known.text != note.text) else None
    if note.key in watch.heard:
        return None
    if not _takes_reviews(task):
        return _not_taken(report, "task-not-in-review", _NOT_IN_REVIEW) if _asks(report) else None
    if len(watch.notes) >= MAX_NOTES and _asks(report):
        return _not_taken(report, "too-many-comments", _TOO_MANY)
    if watch.facts >= MAX_FACTS:
        return _too_much(watch)
    return Reviewed(
        note=note, verdict=report.verdict, origin=report.origin, due=_review_due(watch, report), at=report.at
    )


def set_automatic(task: Task, command: SetAutomatic) -> AutomaticSet | ActionRefused | None:
    """Whether rounds are made by themselves. Raises `Rejected` where there is no pull request of the task."""
    refusal = UNKNOWN if task.status is Status.NEW else None
    if refusal is None and has_open_pull_request(task):
        if command.on == task.watch.automatic:
            return None
        return AutomaticSet(on=command.on, origin=command.origin, due=command.at if command.on else None)
    code, sentence = (refusal.code, refusal.sentence) if refusal else ("pull-request-missing", _NO_PULL_REQUEST)
    if not command.recorded:
        raise Rejected(code, sentence)
    reason = NONE_HERE if refusal else sentence
    return ActionRefused(action="set-automatic", code=code, reason=reason, origin=command.origin)


def looked_at(task: Task, command: LookAtPullRequest) -> FollowedUp | PersonNeeded | ChecksPassed | None:
    """What is done about all that was heard, now that it is due."""
    watch = task.watch
    is_awaited = watch.due is not None and command.at == watch.due
    if not is_awaited or not has_open_pull_request(task) or task.closing_until is not None:
        return None
    match task.status:
        case Status.IN_REVIEW:
            pass
        case Status.FAILED if any(not note.by_program for note in watch.notes):
            pass
        case _:
            return None
    made = round_of(task)
    return _round(task, made, command) if made is not None else _without_a_round(task, watch)


def _round(task: Task, made: Round, command: LookAtPullRequest) -> FollowedUp | PersonNeeded | None:
    wish = FollowUp(
        text=made.text,
        author=made.author,
        directive=Directive.IMPLEMENT,
        by_program=made.by_program,
        at=command.at,
        approval=command.approval,
    )
    if (no := refused(task, wish)) is None:
        return replace(another_round(task, wish), answers=made.answers)
    reason = _USED_UP if no.code == "chain-too-long" else no.sentence
    return _needed(task.watch, no.code, reason, made.answers)


def _without_a_round(task: Task, watch: Watch) -> PersonNeeded | ChecksPassed | None:
    """Nothing is left to be done without a person, or all is well."""
    failed, open_ended = failing(watch), unclear(watch)
    held_back = not watch.automatic and (failed or watch.conflict or watch.notes)
    if held_back:
        about = (*(note.key for note in watch.notes), of_checks(watch), of_conflict(watch))
        return _needed(watch, AUTOMATIC_OFF, _OFF, about)
    if failed:
        return _needed(watch, "checks-fail", _STILL_FAILS, (of_checks(watch),))
    if watch.conflict:
        return _needed(watch, "conflict", _STILL_CONFLICTS, (of_conflict(watch),))
    if open_ended:
        names = ", ".join(check.name for check in open_ended[:3])
        said = f"Checks have ended without saying anything of the work ({names}): run them again, or look at them."
        return _needed(watch, "checks-unclear", said, tuple(check.key for check in open_ended))
    if task.unfinished and not watch.attention:
        return _needed(watch, "round-unfinished", UNFINISHED, (watch.head,))
    passed = watch.checks and not watch.passed and not task.unfinished
    return ChecksPassed(head=watch.head) if passed else None


def _needed(watch: Watch, code: str, reason: str, about: tuple[str, ...]) -> PersonNeeded | None:
    """A person is needed, which is said once about the same, and once more where a round has begun since."""
    marked = tuple(f"{code}/{each}" for each in about)
    if watch.attention and set(marked) <= set(watch.told):
        return None
    return PersonNeeded(code=code, reason=reason, about=marked)


def _too_much(watch: Watch) -> PersonNeeded | None:
    return _needed(watch, "too-much-news", _TOO_MUCH_NEWS, (watch.head,))


def _gathered(watch: Watch, report: Fact) -> datetime:
    """When the news are acted on: after the quiet that they and those before them want, but not too late."""
    if watch.due is None or watch.due <= report.at:
        return report.due
    return min(max(watch.due, report.due), (watch.since or report.at) + LONGEST_WAIT)


def _review_due(watch: Watch, report: RecordReview) -> datetime | None:
    """A review that is written to its end waits for nothing but its own comments, and these for nothing else."""
    if not _asks(report):
        return watch.due
    if report.verdict or report.note.mentioned:
        return report.due
    if report.note.review in watch.submitted and watch.due is not None and watch.due > report.at:
        return watch.due
    return _gathered(watch, report)


def _asks(report: RecordReview) -> bool:
    """Whether it asks for anything: an approval does not, and neither does a review that has only its comments."""
    return report.verdict == "changes_requested" or not (report.verdict == "approved" or is_blank(report.note.text))


def _is_withdrawn(key: str, review: str, report: RecordReview) -> bool:
    return key == report.note.key or bool(report.note.review and review == report.note.review)


def _is_followed(task: Task, number: int) -> bool:
    return has_open_pull_request(task) and task.pull_request is not None and task.pull_request.number == number


def _takes_reviews(task: Task) -> bool:
    """Whether a round may come: at its end a task was left alone by somebody, unless its last round has failed."""
    is_over = task.status in (Status.CANCELLED, Status.COMPLETED, Status.DECLINED) or task.stopping
    return has_open_pull_request(task) and not is_over


def _edited(task: Task, report: RecordReview) -> Reviewed | InputGiven | Edited | None:
    """Other words: they replace those that wait, are told to an agent at work, and else are shown."""
    note, origin = report.note, report.origin
    if any(each.key == note.key for each in task.watch.notes):
        return Reviewed(note=note, origin=origin, due=_gathered(task.watch, report), at=report.at)
    if note.key not in task.watch.heard:
        return None
    if task.status in TAKES_INPUT and not task.stopping:
        message = f"{note.author} has edited what was said in the review. It reads now:\n\n{note.text}"
        return InputGiven(message=message, origin=origin)
    return Edited(text=note.text, part=note.key, origin=origin, author=note.author, counts=False)


def _not_taken(report: RecordReview, code: str, reason: str) -> FollowUpRefused:
    return FollowUpRefused(
        text=report.note.text, author=report.note.author, code=code, reason=reason, origin=report.origin
    )


_NOT_IN_REVIEW: Final = (
    "The task is not in review any more, so what reviews say makes no round by itself: say `fix`, and what is to be "
    "done."
)
_TOO_MANY: Final = f"{MAX_NOTES} comments wait for a round already: wait for it, or say this one again after it."
_NO_PULL_REQUEST: Final = "The task has no open pull request on which rounds could be made."
_USED_UP: Final = (
    f"{MAX_CHAIN} rounds in a row were made without a person, and it is not well yet: say what is to be done, or "
    "`go on`."
)
_OFF: Final = "Automatic rounds are off, and something waits: say `fix`, or `auto on`."
_STILL_FAILS: Final = "Checks fail at this head, and the round about them is over: say what is to be done, or mend it."
_STILL_CONFLICTS: Final = "The branch conflicts with its base, and the round about that is over: merge or rebase it."
_TOO_MUCH_NEWS: Final = f"{MAX_FACTS} things were heard of this head: no more are, until there is another one."
