"""When EVENTS has no room left, a sender is told to come again, and nothing that was accepted is lost."""

from __future__ import annotations

import hmac
import uuid
from pathlib import Path

import httpx
import msgspec

from shared.contracts.subjects import Actor
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.nats.streams import EVENTS, MEBI
from testing.api_client import issue
from testing.eventually import eventually
from testing.nats import Nats
from testing.single_service import SingleService

SECRET = "a secret of this test"


def bodies(deliveries: list[str]) -> dict[str, bytes]:
    """What each delivery says: the same when it comes again, as a sender's second try does."""
    issues = (issue("Mend the sum", "It is wrong. " * 50, number=number)[0] for number in range(len(deliveries)))
    return {id: msgspec.json.encode(payload) for id, payload in zip(deliveries, issues, strict=True)}


async def deliver(http: httpx.AsyncClient, body: bytes, delivery: str) -> httpx.Response:
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": "sha256=" + hmac.digest(SECRET.encode(), body, "sha256").hex(),
    }

    async def answered() -> httpx.Response | None:
        """The log's own word; a machine that stands still has the gateway say something else first."""
        answer = await http.post("/webhooks/github", content=body, headers=headers)
        return answer if answer.is_success or answer.json()["code"] == "log-full" else None

    answer = await eventually(answered)
    assert answer is not None
    return answer


async def resize(bus: Bus, room: int) -> None:
    """Let EVENTS grow by this many bytes."""
    info = await bus.js.stream_info(EVENTS)
    info.config.max_bytes = info.state.bytes + room
    await bus.js.update_stream(info.config)


async def test_a_webhook_is_answered_with_503_until_there_is_room_again(
    nats_server: Nats, bus: Bus, tmp_path: Path
) -> None:
    await resize(bus, 8_000)
    deliveries = [str(uuid.uuid4()) for _ in range(40)]
    said = bodies(deliveries)
    with SingleService("gateway", tmp_path / "gateway", nats_server.url, github_webhook_secret=SECRET) as gateway:
        async with httpx.AsyncClient(base_url=gateway.facts["http"], timeout=60, trust_env=False) as http:
            answers = {id: await deliver(http, body, id) for id, body in said.items()}
            accepted = [id for id, answer in answers.items() if answer.is_success]
            refused = [id for id, answer in answers.items() if answer.status_code == 503]
            assert accepted + refused == deliveries
            assert accepted
            assert refused
            for id in refused:
                assert int(answers[id].headers["retry-after"]) > 0
                assert answers[id].json()["code"] == "log-full"
                assert "EVENTS" in answers[id].json()["detail"]

            await resize(bus, MEBI)
            again = {id: (await deliver(http, body, id)).status_code for id, body in said.items()}
            assert {again[id] for id in accepted} == {200}
            assert {again[id] for id in refused} <= {202, 200}
        assert gateway.alive
    journal = NatsJournal(bus)
    for id in deliveries:
        named = [answers[id].json().get("delivery")] if id in accepted else []
        for delivery in filter(None, named):
            assert [event.name for event in await journal.load(Actor("delivery", delivery))] == ["accepted"]
    assert await journal.last_position() == len(deliveries)
