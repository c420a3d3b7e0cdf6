"""The fold of what is seen of a pull request."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from services.brain.actors.rounds import of_base
from shared.contracts.pull_request import Watch
from shared.contracts.task import (
    AutomaticSet,
    CatchUpRequested,
    CheckEnded,
    ChecksPassed,
    FollowedUp,
    HeadSeen,
    InReview,
    PersonNeeded,
    Reviewed,
)
from shared.ops.visible import is_blank

REMEMBERED: Final = 200
"""How many of the newest heads, things said and fingerprints are known again."""

AUTOMATIC_OFF: Final = "automatic-off"
"""The code of a need for a person who has rounds made by hand."""

WatchEvent = HeadSeen | CatchUpRequested | CheckEnded | Reviewed | AutomaticSet | PersonNeeded | ChecksPassed


def watched(watch: Watch, event: WatchEvent) -> Watch:
    """What is known after one more fact."""
    match event:
        case HeadSeen():
            at_head = at(watch, event.head)
            seen = replace(
                at_head,
                base=event.base or at_head.base,
                conflict=at_head.conflict or event.conflict,
                facts=at_head.facts + 1,
            )
            return _waiting(seen, event) if event.conflict else seen
        case CatchUpRequested(head=head, base=base):
            return replace(watch, answered=_newest(watch.answered, of_base(head, base)))
        case CheckEnded(head=head, check=check):
            at_head = at(watch, head)
            checks = {**at_head.checks, check.name: check}
            return _waiting(replace(at_head, checks=checks, passed=False, facts=at_head.facts + 1), event)
        case Reviewed():
            return _reviewed(watch, event)
        case AutomaticSet(on=on, due=due):
            # Who switches it off once more is told once more what waits.
            told = tuple(each for each in watch.told if not each.startswith(f"{AUTOMATIC_OFF}/"))
            return replace(watch, automatic=on, due=due or watch.due, attention="", told=told)
        case PersonNeeded(reason=reason, about=about):
            return replace(watch, attention=reason, told=_newest(watch.told, *about), since=None)
        case ChecksPassed():
            return replace(watch, passed=True, attention="", since=None)


def at(watch: Watch, head: str) -> Watch:
    """The same about another head: what was said in reviews stays, all else was about the one before."""
    if head == watch.head:
        return watch
    heads = _newest(watch.heads, watch.head) if watch.head else watch.heads
    return replace(
        watch, head=head, base="", heads=heads, checks={}, conflict=False, passed=False, facts=0, attention=""
    )


def published(watch: Watch, event: InReview, *, anew: bool) -> Watch:
    """What is followed from the review on; ``anew`` is another pull request."""
    if anew:
        watch = Watch(checks=watch.checks if watch.head == event.commit else {}, head=event.commit)
    # After a round that changed nothing the head is still what others have pushed.
    followed = watch if event.unchanged or event.by or event.origin else at(watch, event.commit)
    return replace(followed, due=event.due, since=None, attention=event.attention)


def answered(watch: Watch, event: FollowedUp) -> Watch:
    """A round is made of it."""
    notes = tuple(note for note in watch.notes if note.key not in event.answers)
    kept = _newest(watch.answered, *event.answers)
    return replace(watch, notes=notes, answered=kept, attention="", due=None, since=None)


def _reviewed(watch: Watch, event: Reviewed) -> Watch:
    note, verdict = event.note, event.verdict
    if verdict == "dismissed":
        left = tuple(
            each for each in watch.notes if each.key != note.key and not (note.review and each.review == note.review)
        )
        return replace(watch, notes=left)
    others = tuple(each for each in watch.notes if each.key != note.key)
    if verdict == "approved":
        others = tuple(each for each in others if each.review != note.review or each.mentioned)
    asks = not is_blank(note.text) and (verdict != "approved" or note.mentioned)
    approved = verdict != "approved" and f"approved/{note.review}" in watch.submitted
    notes = (*others, note) if asks and not (approved and not note.mentioned) else others
    marks = (note.review, f"approved/{note.review}") if verdict == "approved" else (note.review,)
    heard = replace(
        watch,
        notes=notes,
        heard=_newest(watch.heard, note.key),
        submitted=_newest(watch.submitted, *marks) if verdict and note.review else watch.submitted,
        facts=watch.facts + 1,
    )
    return _waiting(heard, event) if asks or verdict == "changes_requested" else heard


def _waiting(watch: Watch, event: HeadSeen | CheckEnded | Reviewed) -> Watch:
    is_new = watch.since is None or watch.due is None or (event.at is not None and watch.due <= event.at)
    return replace(watch, due=event.due or watch.due, since=event.at if is_new else watch.since)


def _newest(known: tuple[str, ...], *more: str) -> tuple[str, ...]:
    return (*(each for each in known if each not in more), *more)[-REMEMBERED:]
