from __future__ import annotations

import asyncio

import httpx
import pytest

from shared.ops.health import BusyPort, Health, HealthServer


async def test_a_ready_service_answers_and_a_problem_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.ops.health.STALE_S", 600.0)
    problems: dict[str, str] = {}
    server = HealthServer(Health("brain", lambda: problems), "127.0.0.1", 0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=60, trust_env=False) as client:
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/health/ready")).status_code == 200
        problems["nats"] = "not connected"
        answer = await client.get("/health/ready")
        assert answer.status_code == 503 and answer.json()["problems"] == {"nats": "not connected"}
        assert "python_info" in (await client.get("/metrics")).text
        assert (await client.get("/elsewhere")).status_code == 404
        for path, status in {"/health/live": 200, "/health/ready": 503, "/metrics": 200, "/elsewhere": 404}.items():
            head = await client.head(path)
            assert (head.status_code, head.content) == (status, b""), path
            assert int(head.headers["content-length"]) > 0
    server.close()


async def test_a_blocked_event_loop_is_not_live(monkeypatch: pytest.MonkeyPatch) -> None:
    health = Health("brain", dict)
    beating = asyncio.create_task(health.beat())
    await asyncio.sleep(0)
    assert health.live()[0] == 200
    beating.cancel()
    monkeypatch.setattr("shared.ops.health.STALE_S", 0.0)
    assert health.live()[0] == 503


def test_a_taken_port_is_named_with_its_setting() -> None:
    server = HealthServer(Health("brain", dict), "127.0.0.1", 0)
    with pytest.raises(BusyPort, match="JOURNEYMAN_HEALTH_PORT"):
        HealthServer(Health("planner", dict), "127.0.0.1", server.port)
    server.close()
