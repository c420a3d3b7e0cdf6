"""What a new system can tell of itself: its repositories, its webhook, and that a delivery would arrive."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.delivery import Accepted
from shared.contracts.ids import derived_task_id
from shared.contracts.subjects import Actor
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from testing.nats import Nats
from tests.integration.gateway.gateway_process import SECRET, Gateway

CONFIG = """
[repos."octo/app"]
url = "ssh://somebody@s3cret.invalid/app.git"
base = "main"
setup = []
checks = ["make test"]

[repos."octo/lib"]
path = "lib"
"""


@pytest.fixture
async def gateway(nats_server: Nats, tmp_path: Path) -> AsyncIterator[Gateway]:
    """With two configured repositories."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "journeyman.toml").write_text(CONFIG)
    async with Gateway(nats_server.url, data) as running:
        yield running


async def test_repositories_are_named_without_their_addresses(gateway: Gateway) -> None:
    async with gateway.http() as http:
        answer = await http.get("/api/repos")
    told: dict[str, Any] = answer.json()
    assert told["items"] == [
        {"name": "octo/app", "base": "main", "setup": "none", "checks": "configured", "agent": "executor"},
        {"name": "octo/lib", "base": "", "setup": "detected", "checks": "detected", "agent": "executor"},
    ]
    assert told["config_path"] == str(gateway.data / "journeyman.toml")
    assert told["mention"] == "@agent"
    assert "s3cret" not in answer.text


async def test_a_test_event_is_stored_like_a_delivery_of_github_and_names_its_task(gateway: Gateway, bus: Bus) -> None:
    async with gateway.http() as http:
        answer = await http.post("/api/test-event", json={"repo": "octo/app"})
        webhooks = (await http.get("/api/status")).json()["webhooks"]
    told = answer.json()
    assert (answer.status_code, told["status"], told["reason"]) == (200, 202, "")
    assert SECRET not in answer.text
    (event,) = await NatsJournal(bus).load(Actor("delivery", told["delivery"]))
    assert isinstance(event.data, Accepted)
    signal = event.data.signal
    assert (event.data.webhook, event.data.event, signal.repo) == ("github", "issues", "octo/app")
    assert told["task_id"] == derived_task_id(signal.opened_at_ms, signal.thread)
    assert [each for each in webhooks if each["ready"]] == [{"sender": "github", "ready": True, "secret_file": ""}]


async def test_a_foreign_page_cannot_send_a_test_event(gateway: Gateway) -> None:
    async with gateway.http() as http:
        foreign = await http.post("/api/test-event", json={}, headers={"Origin": "https://evil.example"})
        silent = await http.post("/api/test-event", json={}, headers={"Origin": gateway.url})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "origin-foreign")
    assert (silent.status_code, silent.json()["code"]) == (403, "consent-missing")


async def test_the_file_that_holds_the_secret_is_named_where_the_demo_made_it(
    nats_server: Nats, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "webhook-secret").write_text(f"{SECRET}\n")
    async with Gateway(nats_server.url, data) as running, running.http() as http:
        webhook, *others = (await http.get("/api/status")).json()["webhooks"]
    assert not any(each["ready"] for each in others)
    assert webhook == {"sender": "github", "ready": True, "secret_file": str(data / "webhook-secret")}
