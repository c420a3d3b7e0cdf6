"""A sender that we are to ask every minute and cannot: people see it where they look, and not only in a log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from services.gateway.api.doors import _door
from services.gateway.inbound.missed_events import FAILURES, Happening, Looks, MissedEvents
from services.gateway.outbound.displays import CannotShow, NotNow
from shared.ops.config import Config
from testing.eventually import eventually
from testing.missed import Kept


class _Source:
    """It fails so often in that way, and then no more."""

    late_s = 0.0

    def __init__(self, error: Exception, times: int) -> None:
        self.error, self.left, self.asked = error, times, 0

    async def now(self) -> float:
        self.asked += 1
        if self.left:
            self.left -= 1
            raise self.error
        return 1.0

    async def happened(self, since: float, until: float) -> AsyncIterator[Happening]:
        return
        yield

    async def close(self) -> None:
        pass


async def problem_after(source: _Source, looks: int) -> str:
    missed = MissedEvents(
        "jira",
        source,
        sender=cast(Any, None),
        acceptance=cast(Any, None),
        positions=Kept(),
        config=Config,
        every_s=0.001,
    )
    all_of_them = Looks()
    all_of_them.add("jira", missed)
    running = asyncio.create_task(missed.run())
    await eventually(lambda: source.asked >= looks)
    missed.drain()
    await running
    return all_of_them.problem("jira")


async def test_what_a_sender_refuses_is_told_at_once_and_until_it_does_not() -> None:
    refused = CannotShow("refused-by-sender", "GET /search: Jira answered 400 (The value 'GONE' does not exist).")
    told = await problem_after(_Source(refused, 1_000_000), 1)
    assert "'GONE' does not exist" in told and "`journeyman doctor`" in told
    assert await problem_after(_Source(refused, 1), 3) == ""


@pytest.mark.parametrize(("times", "is_told"), [(1, False), (1_000_000, True)])
async def test_a_sender_that_is_away_is_told_of_when_it_stays_away(times: int, is_told: bool) -> None:
    assert bool(await problem_after(_Source(NotNow("nobody answers"), times), FAILURES + 1)) is is_told


def test_its_door_is_not_well_then() -> None:
    door = _door("jira", "Jira", None, None, problem="", missed="It is not asked.")
    assert (door.health, door.problem) == ("not-asked", "It is not asked.")
    without = _door("jira", "Jira", None, None, problem="It has no secret.", missed="It is not asked.")
    assert (without.health, without.problem) == ("not-set-up", "It has no secret. It is not asked.")
    assert Looks().problem("github") == ""
