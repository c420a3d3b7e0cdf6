"""Each service is killed between any two of its effects; every accepted task is completed once all the same."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import pytest

from testing.campaign_size import CampaignSize
from testing.crash_points import Point, crash_points
from tests.fault.crash.answering import answering
from tests.fault.crash.campaign import campaign
from tests.fault.crash.clearing import clearing
from tests.fault.crash.commands import commands
from tests.fault.crash.mending import mending
from tests.fault.crash.on_github import on_github
from tests.fault.crash.reviewing import reviewing
from tests.fault.crash.takeover import takeover
from tests.fault.crash.timekeeping import timekeeping
from tests.fault.crash.verdict import Verdict

POINTS: Final = crash_points()
THINKERS: Final = "thinking"
WORKER: Final = "work"
EDGES: Final = "edges"
TIMEKEEPER: Final = "timers"
CLEARERS: Final = "clearing"
MENDER: Final = "repairs"
SUCCESSOR: Final = "takeover"
PUBLIC: Final = "on GitHub"
REVIEWER: Final = "reviews"
ANSWERER: Final = "answers"
COMMAND: Final = "the command"
LED: Final[dict[str, Callable[[Sequence[Point], Path], Awaitable[Verdict]]]] = {
    THINKERS: campaign,
    WORKER: campaign,
    EDGES: campaign,
    TIMEKEEPER: timekeeping,
    CLEARERS: clearing,
    MENDER: mending,
    SUCCESSOR: takeover,
    PUBLIC: on_github,
    REVIEWER: reviewing,
    ANSWERER: answering,
    COMMAND: commands,
}
"""What is led to kill at the points of a group; starting a system for each point would take most of the time."""
BY_SERVICE: Final = {
    "brain": THINKERS,
    "planner": THINKERS,
    "executor": WORKER,
    "gateway": EDGES,
    "projector": EDGES,
    "cli": COMMAND,
}
BY_FAMILY: Final = {
    "timekeeper": TIMEKEEPER,
    "timer": TIMEKEEPER,
    "dead-letters": CLEARERS,
    "orphans": CLEARERS,
    "damage": MENDER,
    "takeover": SUCCESSOR,
    "retire": SUCCESSOR,
    "delivery": PUBLIC,
    "display": PUBLIC,
    "pull-request": PUBLIC,
    "review": REVIEWER,
    "answering": ANSWERER,
}
"""What tasks on their way to a branch do not come by."""


def group_of(point: Point) -> str:
    """Who kills at a point; raises KeyError for one of a service that nobody kills."""
    return BY_FAMILY.get(point.family) or BY_SERVICE[point.service]


@pytest.fixture(scope="module")
def verdict_on(tmp_path_factory: pytest.TempPathFactory, campaign_size: CampaignSize) -> Callable[[str], Verdict]:
    """What came of the campaigns of a group; all tests of the group share them."""

    @functools.cache
    def lead(group: str) -> Verdict:
        async def led() -> Verdict:
            points = [point for point in POINTS if group_of(point) == group]
            return await LED[group](points, tmp_path_factory.mktemp("campaign"))

        return together([asyncio.run(led()) for _ in range(campaign_size.pick(small=1, full=3))])

    return lead


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """One verdict on several campaigns: all their problems, and where a process has died in each of them."""
    return Verdict(
        died_at=frozenset.intersection(*(each.died_at for each in verdicts)),
        problems=[problem for each in verdicts for problem in each.problems],
    )


@pytest.mark.campaign
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "point",
    [pytest.param(each, marks=pytest.mark.xdist_group(group_of(each)), id=str(each)) for each in POINTS],
)
def test_after_a_death_at_this_point_nothing_is_lost_and_nothing_comes_twice(
    point: Point, verdict_on: Callable[[str], Verdict]
) -> None:
    verdict = verdict_on(group_of(point))
    assert verdict.problems == []
    assert str(point) in verdict.died_at, "nothing comes by this crash point: bring something that does"
