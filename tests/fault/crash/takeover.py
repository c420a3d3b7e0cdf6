"""An executor is killed while it takes over the work of another one, which had taken it over from this one before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from shared.contracts import task
from testing.checker import problems_of_costs, problems_of_log, problems_of_story, story_of
from testing.crash_points import Point
from testing.eventually import eventually
from testing.service_group import ServiceGroup
from tests.fault.crash.campaign import submit
from tests.fault.crash.verdict import Deaths, Verdict

ACK_WAIT_S: Final = 2.0
"""Shorter than in earnest, because every death waits for it."""
WITHIN_S: Final = 120.0
LOST_AT: Final = "executor.run.talked"
"""Its agent has ended by itself, and its last checkpoint is in the log."""


async def takeover(points: Sequence[Point], folder: Path) -> Verdict:
    """The work goes on from the last checkpoint, once; what the lost machines still have goes when they are back."""
    deaths = Deaths(points, folder)
    problems: list[str] = []
    async with ServiceGroup(folder, ack_wait_s=ACK_WAIT_S, checks=[]) as group:
        await group.start("brain", "gateway")
        id = await submit(group, "One file\n\ndemo executor: write only.txt one", task.Directive.IMPLEMENT)
        for name in ("second", "first"):
            lost = group.add("executor", name=name, data=folder / name, CRASH_AT=LOST_AT)
            await lost.start()
            await lost.gone(within=WITHIN_S)
        second = group.add("executor", name="second", data=folder / "second", **deaths.environment)
        await second.start(keep=True)
        await group.until(id, "task.completed", within=WITHIN_S)
        second.check()
        await group.add("executor", name="first", data=folder / "first").start()
        try:
            await eventually(lambda: deaths.over, within=40.0)
            await eventually(lambda: not group.left_over() and not group.refs_left(), within=60.0)
        except AssertionError as error:
            problems.append(f"{error}; left over: {group.left_over()}, {group.refs_left()}")
        story = await story_of(group.bus, id)
        problems += problems_of_story(story, group.repository) + problems_of_costs(story, group.model)
        problems += await problems_of_log(group.bus)
    return Verdict(died_at=deaths.happened, problems=problems)
