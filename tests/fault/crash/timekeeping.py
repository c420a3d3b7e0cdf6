"""The brain is killed at each of its crash points around timers, while two tasks wait for a moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from shared.event_store.envelope import utc_now
from shared.nats.streams import TIMERS
from testing.checker import problems_of_log, problems_of_waits, story_of
from testing.crash_points import Point
from testing.eventually import eventually
from testing.service_group import ServiceGroup
from testing.waiting_tasks import paused, planned
from tests.fault.crash.verdict import Deaths, Verdict

ACK_WAIT_S: Final = 1.5
"""Shorter than in earnest, because every death waits for it."""
SOON: Final = timedelta(seconds=8)
"""After the first deaths, so that timers come due that were set again after one."""
WITHIN_S: Final = 150.0
"""For a machine that does much else at the same time; alone it takes 15 s."""


async def timekeeping(points: Sequence[Point], folder: Path) -> Verdict:
    """A plan that nobody approves, and a planning that has failed for now: both tasks go on by themselves, in time."""
    deaths = Deaths(points, folder)
    problems: list[str] = []
    async with ServiceGroup(folder, ack_wait_s=ACK_WAIT_S) as group:
        # Before there is a brain: what it would decide by itself must not come in between.
        failed = await paused(group, utc_now() + SOON)
        unapproved, _ = await planned(group)
        hours = SOON / timedelta(hours=1)
        brain = group.add("brain", JOURNEYMAN_APPROVAL_TIMEOUT_HOURS=f"{hours:.6f}", **deaths.environment)
        await brain.start(keep=True)

        async def over() -> bool:
            brain.check()
            names = {each.name for id in (failed, unapproved) for each in await story_of(group.bus, id)}
            return names >= {"resumed", "approval-expired"} and deaths.over and not await _timers_left(group)

        try:
            await eventually(over, within=WITHIN_S, every=0.25)
        except AssertionError as error:
            problems.append(f"not in time: {error}; {await _timers_left(group)} timers are left")
        await brain.stop()
        for id in (failed, unapproved):
            problems += [f"{id}: {problem}" for problem in problems_of_waits(await story_of(group.bus, id))]
        problems += await problems_of_log(group.bus)
    return Verdict(died_at=deaths.happened, problems=problems)


async def _timers_left(group: ServiceGroup) -> int:
    return int((await group.bus.js.stream_info(TIMERS)).state.messages)
