"""Five tasks at once run five agents at once, and one of them can be stopped for good without the others noticing."""

from __future__ import annotations

import asyncio
import time

import pytest

from testing.api_client import ApiClient
from testing.eventually import eventually
from testing.system import System

pytestmark = pytest.mark.xdist_group("system")

GONE_S = 5.0
STALL_S = 15.0
"""How long a machine that others use may stand still, in the middle of that."""


async def test_five_agents_work_at_once_and_one_is_stopped_with_all_it_started(
    api_client: ApiClient, system: System
) -> None:
    # Each agent stays in its work until it is told otherwise: nothing here depends on how fast the machine is.
    asking = [
        await api_client.submit(f"Take note {number}\n\ndemo: ask May I?", directive="implement") for number in range(4)
    ]
    breeding = await api_client.submit(
        "Start helpers\n\ndemo: leave-child\ndemo: spawn-children", title="Helpers", directive="implement"
    )
    everyone = [*asking, breeding]
    await asyncio.gather(*(api_client.until(id, "run.question-asked") for id in asking))
    await api_client.until(breeding, "run.started")
    # The two left behind, the detached one and two more, beside the CLI, its wrapper and the shell.
    await eventually(lambda: len(system.agents(breeding)) >= 7, within=60)
    assert all(system.agents(id) for id in everyone)
    starts = [(await api_client.until(id, "run.started")).position for id in everyone]
    assert len(starts) == 5, "five have begun, and by their agents above none has ended"

    asked = time.monotonic()
    await api_client.say(breeding, "stop", reason="enough")
    await eventually(lambda: not system.agents(breeding))
    took = time.monotonic() - asked
    assert took <= GONE_S + STALL_S
    await api_client.until(breeding, "run.stopped")
    cancelled = await api_client.until(breeding, "task.cancelled")
    assert (await api_client.task(breeding, seq=cancelled.position))["status"] == "cancelled"
    assert all(system.agents(id) for id in asking)

    for id in asking:
        await api_client.say(id, "input", message="Yes")
    for id in asking:
        task = await api_client.completed(id)
        assert task["commit"]
    assert not any(system.agents(id) for id in everyone)
