"""Ctrl-C on `journeyman up`: nothing runs on unwatched, and starting again goes on from where it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.claude.process.reaper import marked
from testing.api_client import WITHIN, Visitor
from testing.demo_model import CountingModel
from testing.system import System

pytestmark = [pytest.mark.campaign, pytest.mark.xdist_group("fault"), pytest.mark.timeout(400)]


async def test_no_agent_outlives_up_and_the_next_up_finishes_the_task(tmp_path: Path, model: CountingModel) -> None:
    data = tmp_path / "data"
    settings = {"DEMO_MODEL": "1", "ANTHROPIC_BASE_URL": model.url}
    first = System.start(data, **settings)
    async with Visitor.at(first) as visitor:
        id = await visitor.submit("Take a note\n\ndemo executor: turns 40", directive="implement")
        await visitor.until(id, "run.checkpointed")
        assert marked(f"run-{id}") != []
    assert first.stop() == []
    assert marked(f"run-{id}") == [], "an agent without its service would go on spending"

    second = System.start(data, **settings)
    try:
        async with Visitor.at(second) as visitor:
            task = await visitor.completed(id, within=2 * WITHIN)
            assert task["branch"] != ""
            assert (await visitor.audit()).damage is None
    finally:
        assert second.stop() == []
