from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.contracts import session, task
from shared.contracts.subjects import Actor
from shared.nats.bus import Bus
from shared.nats.direct import get_batch
from shared.nats.idempotency import Claim, IdempotencyKeys, KeyReused
from shared.nats.journal import NatsJournal
from shared.nats.streams import EVENTS, IDEMPOTENCY
from shared.runtime.client import Client
from testing.eventually import eventually
from testing.nats import Nats
from tests.integration.gateway.gateway_process import Gateway, ServiceProcess

BODY = {"text": "Mend the parser", "repo": "demo"}
KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
AT_ONCE = 50
DAY_S = 24 * 3600


async def post(http: httpx.AsyncClient, key: str | None = KEY, **changes: Any) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await http.post("/api/tasks", json=BODY | changes, headers=headers)


async def opened_tasks(bus: Bus) -> list[str]:
    """The ids of all tasks in the log."""
    batch = await get_batch(bus, EVENTS, "evt.task.*.submitted", start=1, limit=1000)
    return [message.subject.split(".")[2] for message in batch.messages]


async def test_fifty_requests_with_one_key_at_two_gateways_at_once_open_one_task(
    nats_server: Nats, tmp_path: Path, gateway: Gateway, brain: ServiceProcess, bus: Bus
) -> None:
    async with (
        Gateway(nats_server.url, tmp_path / "other") as other,
        gateway.http() as here,
        other.http() as there,
    ):
        answers = await asyncio.gather(*(post((here, there)[number % 2]) for number in range(AT_ONCE)))
        again = await post(there)
    assert {answer.status_code for answer in [*answers, again]} == {201}
    assert len({answer.json()["id"] for answer in [*answers, again]}) == 1
    (first, *_) = await NatsJournal(bus).load(Actor("task", again.json()["id"]))
    assert {answer.json()["seq"] for answer in [*answers, again]} == {first.position}
    assert again.json()["event"]["type"] == "task.submitted"
    assert await opened_tasks(bus) == [again.json()["id"]]


async def test_a_gateway_killed_between_the_key_and_the_task_opens_that_task_at_the_retry(
    nats_server: Nats, tmp_path: Path, brain: ServiceProcess, bus: Bus
) -> None:
    mark = tmp_path / "died-at"
    crashing = {"CRASH_AT": "gateway.idempotency.claimed", "CRASH_MARK": str(mark)}
    async with Gateway(nats_server.url, tmp_path / "data", **crashing) as gateway:
        async with gateway.http() as http:
            with pytest.raises(httpx.TransportError):
                await post(http)
        await gateway.process.wait()
        assert mark.read_text().split() == ["gateway.idempotency.claimed"]
        (key,) = await (await bus.js.key_value(IDEMPOTENCY)).keys()
        stored = await (await bus.js.key_value(IDEMPOTENCY)).get(key)
        assert await opened_tasks(bus) == []
        await gateway.again()
        async with gateway.http() as http:
            answer = await post(http)
    assert answer.status_code == 201
    assert f'"task_id":"{answer.json()["id"]}"'.encode() in (stored.value or b"")
    assert await opened_tasks(bus) == [answer.json()["id"]]


async def test_a_key_that_came_with_another_body_is_refused_and_without_a_key_nothing_changes(
    gateway: Gateway, brain: ServiceProcess, bus: Bus
) -> None:
    async with gateway.http() as http:
        first = await post(http)
        other = await post(http, text="Mend the printer")
        assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
        malformed = await post(http, key="a b")
        assert (malformed.status_code, malformed.json()["code"]) == (400, "idempotency-key-malformed")
        free = [await post(http, key=None) for _ in range(2)]
        document = (await http.get("/schema/openapi.json")).json()
    assert sorted(await opened_tasks(bus)) == sorted(answer.json()["id"] for answer in [first, *free])
    operation = document["paths"]["/api/tasks"]["post"]
    assert [each["in"] for each in operation["parameters"] if each["name"] == "Idempotency-Key"] == ["header"]
    assert "422" in operation["responses"]


async def test_while_the_brain_is_away_a_retry_has_the_same_task_and_it_is_opened_once(
    nats_server: Nats, tmp_path: Path, gateway: Gateway, bus: Bus
) -> None:
    async with gateway.http() as http:
        answers = await asyncio.gather(post(http), post(http))
        assert {answer.status_code for answer in answers} == {201}
        (id,) = {answer.json()["id"] for answer in answers}
        async with ServiceProcess("brain", nats_server.url, tmp_path / "brain"):
            await eventually(lambda: opened_tasks(bus))
            again = await post(http)
            assert (again.json()["id"], again.json()["seq"] > 0) == (id, True)
    assert await opened_tasks(bus) == [id]


async def test_a_key_belongs_to_one_principal_for_a_day_and_no_subject_shows_it(bus: Bus) -> None:
    keys = IdempotencyKeys(bus)
    mine, yours = Claim(task_id="T1", request="a"), Claim(task_id="T2", request="b")
    assert await keys.claim("user:ada", "key.*.>", mine) == mine
    assert await keys.claim("user:bob", "key.*.>", yours) == yours
    assert await keys.claim("user:ada", "key.*.>", Claim(task_id="T3", request="a")) == mine
    with pytest.raises(KeyReused):
        await keys.claim("user:ada", "key.*.>", yours)
    bucket = await bus.js.key_value(IDEMPOTENCY)
    assert all(len(name) == 64 and name.isalnum() for name in await bucket.keys())
    config = (await bus.js.stream_info(f"KV_{IDEMPOTENCY}")).config
    assert config.max_age == DAY_S


async def test_opening_an_actor_again_answers_with_its_first_event(brain: ServiceProcess, bus: Bus) -> None:
    client = Client(bus, source="test")
    command = task.Submit(title="t", text="x", source=task.Source(kind="api"))
    answers = [await client.open(Actor("task", "T1"), command, principal="user:ada") for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0].position > 0


async def test_a_message_with_a_key_is_said_once_in_one_session(
    gateway: Gateway, brain: ServiceProcess, bus: Bus
) -> None:
    headers = {"Idempotency-Key": KEY}
    async with gateway.http() as http:
        answers = await asyncio.gather(
            *(http.post("/api/chat", json={"message": "Mend this"}, headers=headers) for _ in range(10))
        )
        again = await http.post("/api/chat", json={"message": "Mend this"}, headers=headers)
        other = await http.post("/api/chat", json={"message": "And mend that"}, headers=headers)
        opened = await post(http)
        said = again.json()
        await eventually(lambda: NatsJournal(bus).load(Actor("task", said["task_id"])))
    assert {answer.status_code for answer in [*answers, again]} == {202}
    assert {(answer.json()["task_id"], answer.json()["session_id"]) for answer in answers} == {
        (said["task_id"], said["session_id"])
    }
    first, *more = await NatsJournal(bus).load(Actor("session", said["session_id"]))
    assert said["seq"] == first.position
    assert not [event for event in more if isinstance(event.data, session.Said)]
    for refused in (other, opened):
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency-key-reused")
    assert await opened_tasks(bus) == [said["task_id"]]
