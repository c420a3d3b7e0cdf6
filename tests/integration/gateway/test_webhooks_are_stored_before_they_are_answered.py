from __future__ import annotations

import asyncio
import collections
import hashlib
import json
import os
import signal
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest

from shared.contracts.delivery import Accepted
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.nats.objects import Artifacts
from shared.nats.streams import EVENTS
from testing.eventually import eventually
from testing.nats import Nats
from testing.slow_timings import connect_patiently
from tests.integration.gateway.gateway_process import Gateway, issue_opened, sent_until_stored, signed

HOOK = "/webhooks/github"


async def stored(bus: Bus, delivery: str) -> RecordedEvent:
    (event,) = await NatsJournal(bus).load(Actor("delivery", delivery))
    return event


async def events(bus: Bus) -> int:
    return int((await bus.js.stream_info(EVENTS)).state.messages)


async def test_one_delivery_sent_100_times_16_at_a_time_is_one_event(gateway: Gateway, bus: Bus) -> None:
    body = issue_opened()
    headers = signed(body)
    async with gateway.http() as http:
        room = asyncio.Semaphore(16)

        async def send() -> list[httpx.Response]:
            async with room:
                return await sent_until_stored(http, body, headers)

        answers = await asyncio.gather(*[send() for _ in range(100)])
    told = collections.Counter(answer.status_code for *_, answer in answers)
    somebody_came_again = any(again for *again, _ in answers)
    assert told == {202: 1, 200: 99} or (somebody_came_again and told == {200: 100})
    ids = {answer.json()["delivery"] for *_, answer in answers}
    assert len(ids) == 1
    assert await events(bus) == 1
    event = await stored(bus, ids.pop())
    assert event.principal == "github:ada"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "https://", "https://github.com/octo"])
async def test_a_delivery_keeps_a_link_only_when_it_is_one_of_the_web(gateway: Gateway, bus: Bus, url: str) -> None:
    body = issue_opened(html_url=url)
    async with gateway.http() as http:
        *_, answer = await sent_until_stored(http, body, signed(body))
    accepted: Accepted = (await stored(bus, answer.json()["delivery"])).data
    assert accepted.signal.url == (url if url.endswith("octo") else "")
    assert json.loads(bytes(accepted.body))["issue"]["html_url"] == url, "the body stays the evidence that was signed"


async def test_an_accepted_delivery_stands_in_the_log_as_it_came(gateway: Gateway, bus: Bus) -> None:
    body = issue_opened(body="Grüße 👋")
    async with gateway.http() as http:
        *again, answer = await sent_until_stored(http, body, signed(body))
    assert answer.status_code == 202 or again
    accepted: Accepted = (await stored(bus, answer.json()["delivery"])).data
    assert (accepted.webhook, accepted.event, accepted.action, accepted.delivery) == (
        "github",
        "issues",
        "opened",
        "d-1",
    )
    assert bytes(accepted.body) == body
    assert accepted.body_sha256 == hashlib.sha256(body).hexdigest()
    assert accepted.signal.thread == "github:octo/app#7"
    assert accepted.signal.text == "Grüße 👋"


async def test_a_form_encoded_delivery_is_signed_as_a_form_and_stored_as_json(gateway: Gateway, bus: Bus) -> None:
    body = issue_opened()
    form = f"payload={quote_plus(body.decode())}".encode()
    headers = signed(form) | {"Content-Type": "application/x-www-form-urlencoded"}
    async with gateway.http() as http:
        *again, answer = await sent_until_stored(http, form, headers)
    assert answer.status_code == 202 or again
    accepted: Accepted = (await stored(bus, answer.json()["delivery"])).data
    assert bytes(accepted.body) == body
    assert accepted.body_size == len(form)


async def test_a_large_body_goes_to_the_object_store(gateway: Gateway, bus: Bus) -> None:
    body = issue_opened(body="x" * 400_000)
    async with gateway.http() as http:
        *again, answer = await sent_until_stored(http, body, signed(body))
    assert answer.status_code == 202 or again
    accepted: Accepted = (await stored(bus, answer.json()["delivery"])).data
    assert bytes(accepted.body) == b"null"
    assert accepted.artifact is not None
    assert await Artifacts(bus).get(accepted.artifact) == body


def variations() -> list[Any]:
    body = issue_opened()
    good = signed(body)
    comment = b'{"action":"created"}'
    ping = b'{"zen":"Keep it logically awesome.","hook_id":1}'
    bad_json = b'{"action":'
    not_utf8 = b'{"action":"opened","x":"\xff"}'

    def without(name: str) -> dict[str, str]:
        return {key: value for key, value in good.items() if key != name}

    return [
        pytest.param("github", ping, signed(ping, event="ping"), 200, None, id="a ping"),
        pytest.param("github", ping, signed(ping, event="push"), 200, None, id="not for us"),
        pytest.param("unknown", body, good, 404, "webhook-unknown", id="an unknown name"),
        pytest.param("github", body, signed(body, secret="wrong"), 401, "signature-invalid", id="another secret"),
        pytest.param("github", body + b" ", good, 401, "signature-invalid", id="another body"),
        pytest.param("github", body, without("X-Hub-Signature-256"), 401, "signature-invalid", id="no signature"),
        pytest.param(
            "github", body, without("X-Hub-Signature-256") | {"X-Hub-Signature": "sha1=00"}, 401, "signature-invalid",
            id="a SHA-1 signature",
        ),
        pytest.param("github", bad_json, signed(bad_json), 400, "body-unreadable", id="broken JSON"),
        pytest.param("github", not_utf8, signed(not_utf8), 400, "body-unreadable", id="not UTF-8"),
        pytest.param("github", comment, signed(comment, event="issue_comment"), 400, "body-unreadable", id="shape"),
        pytest.param("github", b"", signed(b""), 400, "body-unreadable", id="an empty body"),
        pytest.param("github", body, without("X-GitHub-Event"), 400, "header-missing", id="no event"),
        pytest.param("github", body, without("X-GitHub-Delivery"), 400, "header-missing", id="no delivery id"),
        pytest.param("github", body, good | {"Content-Type": "text/plain"}, 415, "media-type", id="another type"),
        pytest.param("github", body, good | {"Content-Encoding": "gzip"}, 415, "content-encoding", id="compressed"),
        pytest.param("github", body, without("Content-Type"), 415, "media-type", id="no type"),
    ]  # fmt: skip


async def test_everything_else_gets_its_own_status_and_leaves_nothing(gateway: Gateway, bus: Bus) -> None:
    async with gateway.http() as http:
        for parameters in variations():
            name, body, headers, status, code = parameters.values
            answer = await http.post(f"/webhooks/{name}", content=body, headers=headers)
            assert answer.status_code == status, (parameters.id, answer.text)
            if code is not None:
                assert answer.headers["content-type"] == "application/problem+json", parameters.id
                problem = answer.json()
                assert (problem["code"], problem["status"]) == (code, status), parameters.id
        answer = await http.get(HOOK)
        assert answer.status_code == 405
        assert "POST" in answer.headers["allow"]
    assert await events(bus) == 0


async def test_a_body_above_25_mb_is_refused_without_being_read(gateway: Gateway) -> None:
    reader, writer = await _raw(gateway, content_length=25_000_001)
    assert (await asyncio.wait_for(reader.readline(), 60)).split()[1] == b"413"
    writer.close()


async def test_a_sender_that_sends_too_much_still_hears_why(gateway: Gateway) -> None:
    body = b"x" * 26_000_000
    async with gateway.http() as http:
        for _ in range(2):
            answer = await http.post(HOOK, content=body, headers=signed(body))
            assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


async def test_a_body_that_does_not_come_is_given_up(gateway: Gateway) -> None:
    reader, writer = await _raw(gateway, content_length=100)
    writer.write(b"{")
    assert (await asyncio.wait_for(reader.readline(), 60)).split()[1] == b"408"
    writer.close()


async def _raw(gateway: Gateway, content_length: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rpartition(":")[2]))
    headers = {**signed(b""), "Host": "x", "Content-Length": str(content_length)}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"POST {HOOK} HTTP/1.1\r\n{lines}\r\n".encode())
    return reader, writer


async def test_without_a_secret_nothing_is_believed_and_the_answer_names_the_setting(
    nats_server: Nats, tmp_path: Path
) -> None:
    async with Gateway(nats_server.url, tmp_path / "data", JOURNEYMAN_GITHUB_WEBHOOK_SECRET="") as gateway:
        body = issue_opened()
        async with gateway.http() as http:
            answer = await http.post(HOOK, content=body, headers=signed(body, secret=""))
    assert (answer.status_code, answer.json()["code"]) == (401, "webhook-not-configured")
    assert "JOURNEYMAN_GITHUB_WEBHOOK_SECRET" in answer.json()["detail"]


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize("trouble", ["gone", "frozen"])
async def test_when_nats_is_away_the_sender_hears_503_within_two_seconds_and_nothing_is_half_accepted(
    gateway: Gateway, nats_server: Nats, trouble: str, size: str
) -> None:
    """A large body is stored in two steps: its parts in ARTIFACTS, then the event that names them."""
    body = issue_opened(body="x" * (400_000 if size == "large" else 10))
    async with gateway.http() as http:
        if trouble == "gone":
            await nats_server.stop()
        else:
            os.kill(nats_server.pid, signal.SIGSTOP)
        try:
            took = []
            for _ in range(3):
                began = time.monotonic()
                answer = await http.post(HOOK, content=body, headers=signed(body))
                took.append(time.monotonic() - began)
                assert answer.status_code == 503
                assert int(answer.headers["retry-after"]) > 0
            # A machine that stands still for seconds makes some of them slower.
            assert min(took) < 2.0
        finally:
            if trouble == "gone":
                await nats_server.start()
            else:
                os.kill(nats_server.pid, signal.SIGCONT)

        # A publish to a frozen server may have arrived after all: then it is a duplicate, and stored.
        *again, answer = await sent_until_stored(http, body, signed(body))
        assert answer.status_code == 202 or (answer.status_code == 200 and (trouble == "frozen" or again))
    bus = await connect_patiently(nats_server.url, name="test")
    assert await events(bus) == 1
    accepted: Accepted = (await stored(bus, answer.json()["delivery"])).data
    kept = bytes(accepted.body) if accepted.artifact is None else await Artifacts(bus).get(accepted.artifact)
    assert kept == body, "whole"
    await bus.close()


async def test_a_full_log_refuses_and_says_so(tmp_path: Path, gateway: Gateway, bus: Bus) -> None:
    info = await bus.js.stream_info(EVENTS)
    config = info.config
    config.max_bytes = 1024
    await bus.js.update_stream(config)
    body = issue_opened(body="x" * 5000)
    async with gateway.http() as http:

        async def refused() -> httpx.Response | None:
            answer = await http.post(HOOK, content=body, headers=signed(body))
            return answer if answer.json().get("code") not in ("nats-away", "log-unavailable") else None

        answer = await eventually(refused)
    assert answer is not None
    assert (answer.status_code, answer.json()["code"]) == (503, "log-full")
    assert await events(bus) == 0
