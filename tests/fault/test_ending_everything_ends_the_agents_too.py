"""Ctrl-C on `journeyman up`: nothing runs on unwatched, and starting again goes on from where it was."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from shared.claude.process.reaper import marked
from testing.api_client import WITHIN, ApiClient
from testing.demo_model import CountingModel
from testing.system import System

pytestmark = [pytest.mark.campaign("full"), pytest.mark.xdist_group("fault"), pytest.mark.timeout(400)]


async def test_no_agent_outlives_up_and_the_next_up_finishes_the_task(tmp_path: Path, model: CountingModel) -> None:
    data = tmp_path / "data"
    start = partial(System.start, data, DEMO_MODEL="1", ANTHROPIC_BASE_URL=model.url)
    first = start()
    async with ApiClient.at(first) as api_client:
        id = await api_client.submit("Take a note\n\ndemo executor: turns 40", directive="implement")
        await api_client.until(id, "run.checkpointed")
        assert marked(f"run-{id}") != []
    assert first.stop() == []
    assert marked(f"run-{id}") == [], "an agent without its service would go on spending"

    second = start()
    try:
        async with ApiClient.at(second) as api_client:
            task = await api_client.completed(id, within=2 * WITHIN)
            assert task["branch"] != ""
            assert (await api_client.audit()).damage is None
    finally:
        assert second.stop() == []
