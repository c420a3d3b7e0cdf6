"""Without a key and without the demo everything starts, says plainly what is missing, and nothing fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from testing.api_client import ApiClient
from testing.eventually import eventually
from testing.system import System

pytestmark = pytest.mark.xdist_group("demo")


@pytest.fixture(scope="module")
def keyless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system without a model."""
    system = System.start(tmp_path_factory.mktemp("keyless"))
    try:
        yield system
    finally:
        left = system.stop()
    assert left == []


async def test_a_task_waits_for_the_key_and_the_status_says_how_to_set_it(keyless: System) -> None:
    assert "Agents cannot run: there is no model key." in " ".join((keyless.data / "up.log").read_text().split())
    async with ApiClient.at(keyless) as api_client:
        status = (await api_client.http.get("/api/status")).json()
        assert not status["agents_ready"]
        assert "ANTHROPIC_API_KEY" in status["agents_problem"]

        waiting = await api_client.submit("Mend the sum\n\nIt is wrong.")
        asked = await api_client.until(waiting, "task.triage-requested")
        planned = await api_client.submit("Mend the sum\n\nIt is wrong.", directive="plan")
        drafting = await api_client.until(planned, "plan.drafting-started")

        async def taken() -> bool:
            """Both activities hold their work."""
            queues = (await api_client.http.get("/api/status")).json()["queues"]
            busy = {each["service"] for each in queues if each["in_progress"]}
            return {"brain-triage", "planner-draft"} <= busy

        await eventually(taken, every=0.2)
        assert (await api_client.task(waiting, seq=asked.position))["status"] == "received"
        assert (await api_client.task(planned, seq=drafting.position))["status"] == "planning"
        assert not keyless.agents(waiting)
        await api_client.say(waiting, "stop")
        await api_client.until(waiting, "task.cancelled")


async def test_a_waiting_task_survives_the_loss_of_its_planner(keyless: System) -> None:
    # The drain hands the waiting work over: nobody has failed, and nobody is parked.
    async with ApiClient.at(keyless) as api_client:
        id = await api_client.submit("Mend the sum\n\nIt is wrong.", directive="plan")
        await api_client.until(id, "plan.drafting-started")
        await keyless.hit("planner")
        parked = await api_client.bus.js.stream_info("PARKED")
        assert parked.state.messages == 0
        assert [event.name for event in await api_client.story(id)][-1] == "drafting-started"
