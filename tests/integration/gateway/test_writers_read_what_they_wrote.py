from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from shared.contracts import task
from shared.nats.bus import Bus
from testing.eventually import eventually
from testing.nats import Nats
from tests.integration.gateway.gateway_process import ServiceProcess, happen

OPENED = 200
AT_ONCE_S = 6.0
"""Less than the 8 s after which a question to a projector that stands still is given up."""

SILENT_S = 5.0
"""More than the 2 s that an id of the log is waited for, and less than those 8 s."""


@pytest.fixture
async def projector(nats_server: Nats, tmp_path: Path) -> AsyncIterator[ServiceProcess]:
    async with ServiceProcess("projector", nats_server.url, tmp_path / "projector") as running:
        yield running
        running.process.send_signal(signal.SIGCONT)


def submitted() -> task.Submitted:
    return task.Submitted(title="t", text="x", source=task.Source(kind="api"))


async def resume_after(process: ServiceProcess, seconds: float) -> None:
    """The fault itself: how long it stands still."""
    await asyncio.sleep(seconds)
    process.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("path", ["/api/tasks/{}", "/api/tasks/{}/timeline"])
async def test_a_task_is_found_right_after_it_was_opened_however_slow_the_projector_is(
    http: httpx.AsyncClient, projector: ServiceProcess, bus: Bus, path: str
) -> None:
    statuses: list[int] = []

    async def open_and_read(number: int) -> None:
        id = f"T{number}"
        await happen(bus, id, submitted())
        address = path.format(id)

        async def found() -> bool:
            answer = await http.get(address)
            statuses.append(answer.status_code)
            assert answer.status_code == 200 or "retry-after" in answer.headers, answer.text
            if answer.status_code == 200:
                assert answer.json().get("items") != []
            return answer.status_code == 200

        await eventually(found)

    for start in range(0, OPENED, 50):
        projector.process.send_signal(signal.SIGSTOP)
        await asyncio.gather(
            resume_after(projector, 1.0), *(open_and_read(number) for number in range(start, start + 50))
        )
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) == OPENED


async def test_a_conversation_is_found_right_after_its_first_message(
    brain: ServiceProcess, http: httpx.AsyncClient, projector: ServiceProcess
) -> None:
    projector.process.send_signal(signal.SIGSTOP)
    said = (await http.post("/api/chat", json={"message": "Mend this"})).json()
    assert said["seq"] > 0

    async def found() -> httpx.Response | None:
        answer = await http.get(f"/api/sessions/{said['session_id']}")
        assert answer.status_code in (200, 503), answer.text
        return answer if answer.status_code == 200 else None

    answer, _ = await asyncio.gather(eventually(found), resume_after(projector, 0.5))
    assert answer.json()["session"]["lines"][0]["text"] == "Mend this"


@pytest.mark.parametrize("path", ["/api/tasks/{}", "/api/tasks/{}/timeline", "/api/sessions/{}"])
async def test_an_id_that_nobody_wrote_is_404_at_once_while_the_projector_stands_still(
    http: httpx.AsyncClient, projector: ServiceProcess, path: str
) -> None:
    projector.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    answer = await http.get(path.format("T404"))
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert time.monotonic() - began < AT_ONCE_S


@pytest.mark.parametrize("path", ["/api/tasks/T1", "/api/tasks/T1/timeline"])
async def test_a_task_of_the_log_is_503_in_time_while_the_projector_stands_still(
    http: httpx.AsyncClient, projector: ServiceProcess, bus: Bus, path: str
) -> None:
    projector.process.send_signal(signal.SIGSTOP)
    await happen(bus, "T1", submitted())
    began = time.monotonic()
    answer = await http.get(path)
    took = time.monotonic() - began
    assert took < SILENT_S
    assert (answer.status_code, answer.json()["code"]) == (503, "not-caught-up")
    assert "retry-after" in answer.headers


async def test_without_a_projector_an_id_of_the_log_is_503_and_another_one_404(
    http: httpx.AsyncClient, bus: Bus
) -> None:
    await happen(bus, "T1", submitted())
    answer = await http.get("/api/tasks/T1")
    assert (answer.status_code, answer.json()["code"]) == (503, "projector-away")
    assert "retry-after" in answer.headers
    answer = await http.get("/api/tasks/T404")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
