"""The projection: events in, rows out. Pure: the same events give the same rows, however they are cut into batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from services.projector.projection import deliveries, sessions, story, timeline, usage
from services.projector.projection.facts import Fact, unfoldable
from services.projector.projection.rows import DeliveryRow, LineRow, TimelineRow, UnreadRow, UsageRow
from services.projector.projection.story import Story


class Changes(msgspec.Struct, frozen=True):
    """What a batch changes: the new stories of the tasks it touches, and the rows it adds."""

    stories: dict[str, Story]
    timeline: list[TimelineRow]
    unread: list[UnreadRow]
    usage: list[UsageRow]
    deliveries: list[DeliveryRow]
    session_lines: list[LineRow]


def touched(facts: Iterable[Fact]) -> set[str]:
    """The ids of the tasks whose story a batch may change: `project` needs their stories."""
    return {fact.actor_id for fact in facts if fact.data is not None and fact.kind in story.KINDS}


def project(before: Mapping[str, Story], facts: Iterable[Fact]) -> Changes:
    """What a batch, taken in order, makes of the stories as they stand ``before`` it."""
    changes = Changes({}, [], [], [], [], [])
    for fact in facts:
        taken = fact
        if not fact.problem:
            try:
                _fold(before, fact, changes)
            except Exception as error:
                # One event that no fold can take must not stop all the others; it is recorded, counted and shown.
                taken = unfoldable(fact, f"the projection cannot take it: {type(error).__name__}: {error}")
        if taken.problem:
            changes.unread.append(timeline.unread_row(taken))
        changes.timeline.append(timeline.row(taken))
    return changes


def _fold(before: Mapping[str, Story], fact: Fact, changes: Changes) -> None:
    match fact.kind:
        case kind if kind in story.KINDS:
            earlier = changes.stories.get(fact.actor_id) or before.get(fact.actor_id) or Story()
            later = story.fold(earlier, fact)
            spent = usage.rows(later.task, fact)
            changes.stories[fact.actor_id] = later
            changes.usage.extend(spent)
        case "delivery":
            changes.deliveries.extend(deliveries.rows(fact))
        case "session":
            changes.session_lines.extend(sessions.rows(fact))
            changes.usage.extend(usage.rows(None, fact))
        case _:
            pass
