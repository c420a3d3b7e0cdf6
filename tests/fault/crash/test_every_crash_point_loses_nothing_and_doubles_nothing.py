"""Each service is killed between any two of its effects; every accepted task is completed once all the same."""

from __future__ import annotations

import asyncio
import functools

import pytest

from tests.fault.crash.campaign import Verdict, campaign
from tests.support.crash_points import Point, crash_points

POINTS = crash_points()


@pytest.fixture(scope="module")
def verdict_of(tmp_path_factory: pytest.TempPathFactory) -> object:
    @functools.cache
    def look(service: str) -> Verdict:
        points = [point for point in POINTS if point.service == service]
        return asyncio.run(campaign(service, points, tmp_path_factory.mktemp(service)))

    return look


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "point",
    [pytest.param(point, marks=pytest.mark.xdist_group(f"crash-{point.service}"), id=str(point)) for point in POINTS],
)
def test_after_dying_at_this_point_every_task_is_completed_once(point: Point, verdict_of) -> None:
    verdict = verdict_of(point.service)
    assert verdict.problems == []
    assert str(point) in verdict.died_at, "no test reaches this crash point"
