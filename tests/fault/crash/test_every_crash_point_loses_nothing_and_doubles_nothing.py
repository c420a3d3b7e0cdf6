"""Each service is killed between any two of its effects; every accepted task is completed once all the same."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Final

import pytest

from tests.fault.crash.campaign import Verdict, campaign
from tests.support.crash_points import Point, crash_points

POINTS: Final = crash_points()
TOGETHER: Final = {
    "brain": "those who think",
    "planner": "those who think",
    "executor": "the one who works",
    "gateway": "those at the edges",
    "projector": "those at the edges",
}
"""Services that die in the same campaign: starting a whole system for each would take most of the time."""


@pytest.fixture(scope="module")
def verdict_on(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Verdict]:
    """What came of a campaign, which is led once."""

    @functools.cache
    def lead(group: str) -> Verdict:
        points = [point for point in POINTS if TOGETHER[point.service] == group]
        return asyncio.run(campaign(points, tmp_path_factory.mktemp("campaign")))

    return lead


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "point",
    [pytest.param(each, marks=pytest.mark.xdist_group(TOGETHER[each.service]), id=str(each)) for each in POINTS],
)
def test_after_a_death_at_this_point_every_task_is_completed_once(
    point: Point, verdict_on: Callable[[str], Verdict]
) -> None:
    verdict = verdict_on(TOGETHER[point.service])
    assert verdict.problems == []
    assert str(point) in verdict.died_at, "no task comes by this crash point: bring one that does"
