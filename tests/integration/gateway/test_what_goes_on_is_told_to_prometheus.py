"""`/metrics`: how long requests and webhooks take, what waits and for how long, and how full everything is."""

from __future__ import annotations

import re

import httpx
import pytest

from shared.contracts import task
from shared.contracts.ids import new_task_id
from shared.nats.bus import Bus
from shared.nats.streams import COMMANDS, EVENTS
from testing.eventually import eventually
from testing.nats import Nats
from tests.integration.gateway.gateway_process import Gateway, ServiceProcess, happen


def value(metrics: str, name: str, **labels: str) -> float | None:
    """The value of one series: all of its labels that matter are given."""
    for found, given, number in re.findall(r"^(\w+)(?:\{(.*)\})? (\S+)$", metrics, re.M):
        if found == name and labels.items() <= dict(re.findall(r'(\w+)="([^"]*)"', given)).items():
            return float(number)
    return None


async def told(gateway: Gateway) -> str:
    async with gateway.http() as http:
        return (await http.get("/metrics")).text


async def test_head_answers_as_get_does_without_a_body(gateway: Gateway) -> None:
    async with gateway.http() as http:
        for path in ("/health/live", "/health/ready", "/metrics", "/api/status"):
            head, get = await http.head(path), await http.get(path)
            assert (head.status_code, head.content) == (get.status_code, b""), path
            assert head.headers["content-type"] == get.headers["content-type"]


async def test_requests_are_told_by_route_and_never_by_a_text_of_a_stranger(gateway: Gateway) -> None:
    async with gateway.http() as http:
        await http.get("/api/tasks/SECRETID/diff")
        await http.get("/api/nowhere/SECRETID")
        await http.request("BREW", "/api/tasks")
        await http.post("/webhooks/github", content=b"{}", headers={"content-type": "application/json"})
        await http.post("/webhooks/SECRETID", content=b"{}", headers={"content-type": "application/json"})
    metrics = await told(gateway)
    count = "journeyman_http_request_seconds_count"
    assert value(metrics, count, route="/api/tasks/{id}/diff", method="GET", status="404") == 1
    assert value(metrics, count, route="/webhooks/{name}", method="POST", status="401") == 1
    assert value(metrics, "journeyman_webhook_seconds_count", sender="github") == 1
    assert value(metrics, "journeyman_webhook_seconds_count", sender="unknown") == 1
    assert value(metrics, "journeyman_build_info", service="gateway") == 1
    assert value(metrics, "journeyman_activity_slots", activity="gateway-publish") == 3
    assert "SECRETID" not in metrics and "BREW" not in metrics


async def test_what_waits_is_told_with_its_age_also_by_the_api(gateway: Gateway, bus: Bus, nats_server: Nats) -> None:
    metrics = await told(gateway)
    assert value(metrics, "journeyman_parked_messages") == 0
    assert value(metrics, "journeyman_queue_waiting", queue="gateway-reactor") == 0
    async with ServiceProcess("brain", nats_server.url, gateway.data.with_name("brain")) as brain:
        await eventually(lambda: brain.ready.exists())
    # The brain has left: what comes for it now waits.
    await happen(bus, new_task_id(), task.TriageRequested(attempt=1))
    await bus.publish(f"cmd.task.{new_task_id()}.stop", b"{}", {})

    async def waits() -> bool:
        metrics = await told(gateway)
        return all(
            value(metrics, "journeyman_queue_waiting", queue=queue) == 1
            and (value(metrics, "journeyman_queue_oldest_seconds", queue=queue) or 0) > 0
            for queue in ("brain", "brain-triage")
        )

    await eventually(waits)
    async with gateway.http() as http:
        status = (await http.get("/api/status")).json()
    assert {each["service"]: each["pending"] for each in status["queues"]}["brain-triage"] == 1
    assert {each["service"]: each["oldest_ms"] > 0 for each in status["queues"]}["brain"]


async def test_how_full_everything_is_is_told(gateway: Gateway, bus: Bus) -> None:
    (gateway.data / "mirrors").mkdir()
    (gateway.data / "mirrors" / "pack").write_bytes(b"x" * 100_000)
    await happen(bus, new_task_id(), task.TriageRequested(attempt=1))
    metrics = await told(gateway)
    info = await bus.js.stream_info(EVENTS)
    assert value(metrics, "journeyman_stream_bytes", stream=EVENTS) == info.state.bytes > 0
    assert value(metrics, "journeyman_stream_max_bytes", stream=EVENTS) == info.config.max_bytes
    assert (value(metrics, "journeyman_disk_bytes", kind="mirrors") or 0) >= 100_000
    assert (value(metrics, "journeyman_disk_free_bytes") or 0) > 0
    async with gateway.http() as http:
        status = (await http.get("/api/status")).json()
    assert {each["name"] for each in status["streams"]} >= {EVENTS, COMMANDS, "OUTPUT", "OBJ_ARTIFACTS"}
    assert {each["kind"] for each in status["disk"]} >= {"mirrors"}
    assert status["disk_free_bytes"] > 0


@pytest.mark.parametrize("path", ["/api/status", "/metrics"])
async def test_without_nats_it_is_told_at_once_what_is_known(gateway: Gateway, nats_server: Nats, path: str) -> None:
    await told(gateway)
    await nats_server.kill()

    async def ready() -> bool:
        async with gateway.http() as http:
            return (await http.get("/health/ready")).status_code == 503

    await eventually(ready)
    async with gateway.http() as http:
        answer = await http.get(path, timeout=httpx.Timeout(4.0))
    assert answer.status_code == 200
