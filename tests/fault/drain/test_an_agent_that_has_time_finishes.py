"""Where an agent ends with its machine, as in a container, its service lets it finish before it leaves."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from shared.claude.demo.conversation import Role
from shared.contracts.task import Directive
from testing.checker import problems_of_costs, problems_of_story, story_of
from testing.eventually import eventually
from testing.service_group import ServiceGroup
from tests.fault.crash.campaign import submit
from tests.fault.drain.held_model import HeldModel

pytestmark = [pytest.mark.xdist_group("drain"), pytest.mark.timeout(300)]


async def test_an_executor_that_leaves_with_time_to_spare_hands_nothing_over_that_it_has_begun(tmp_path: Path) -> None:
    group = ServiceGroup(tmp_path)
    group.model = model = HeldModel(Role.EXECUTOR)
    async with group:
        leaves = group.add("executor", name="leaves", data=tmp_path / "leaves", JOURNEYMAN_DRAIN_SECONDS="600")
        await asyncio.gather(leaves.start(), group.start("brain", "gateway"))
        begun = await submit(group, "Take a note\n\ndemo executor: turns 3", Directive.IMPLEMENT)
        await eventually(lambda: model.holds_all, within=120)

        leaves.send(signal.SIGTERM)
        stays = group.add("executor", name="stays", data=tmp_path / "stays")
        await stays.start()
        model.release()
        await group.until(begun, "task.completed", within=120)
        after = await submit(group, "Take another note", Directive.IMPLEMENT)
        await group.until(after, "task.completed", within=120)
        await eventually(lambda: leaves.code is not None, within=60)

        assert leaves.code == 0
        assert model.asked_again == []
        for id, member in ((begun, leaves), (after, stays)):
            story = await story_of(group.bus, id)
            (claim,) = [each.data for each in story if (each.kind, each.name) == ("run", "claimed")]
            assert claim.worker.endswith("@" + (member.data / "place").read_text())
            assert problems_of_story(story, group.repository) + problems_of_costs(story, model) == []
