"""The checker of timers, on stories that no system may tell."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.contracts.task import ApprovalExpired, Paused, PlanReady, Resumed, TaskEvent
from testing.checker import problems_of_waits
from testing.recorded import A_DAY, recorded

LATER = A_DAY + timedelta(seconds=1)
PAUSED = Paused(stage="planning", code="agent-overloaded", message="Busy.", until=A_DAY, tries=1)
PAUSED_FOR_LONGER = Paused(stage="planning", code="agent-overloaded", message="Busy.", until=LATER, tries=1)
RESUMED = Resumed(stage="planning")
READY = PlanReady(version=1, digest="d" * 64, base_commit="c", expires_at=A_DAY)
READY_FOR_EVER = PlanReady(version=1, digest="d" * 64, base_commit="c")
EXPIRED = ApprovalExpired(version=1)


def problems(*events: TaskEvent) -> list[str]:
    """Of a story whose events all happened at the same moment, `A_DAY`."""
    return problems_of_waits([recorded(event, sequence=n, position=n) for n, event in enumerate(events, start=1)])


def test_what_came_once_and_in_time_is_no_problem() -> None:
    assert problems(PAUSED, RESUMED, READY, EXPIRED) == []


@pytest.mark.parametrize(
    ("told", "events"),
    [
        ("was followed by None", (PAUSED,)),
        ("was followed by paused", (READY, PAUSED, RESUMED)),
        ("before", (PAUSED_FOR_LONGER, RESUMED)),
        ("1 waits have 2 ends", (PAUSED, RESUMED, RESUMED)),
        ("1 waits have 2 ends", (PAUSED, RESUMED, EXPIRED)),
        ("it waited for nothing", (READY_FOR_EVER,)),
    ],
)
def test_a_lost_an_early_and_a_doubled_timer_are_seen(told: str, events: tuple[TaskEvent, ...]) -> None:
    assert any(told in problem for problem in problems(*events))
