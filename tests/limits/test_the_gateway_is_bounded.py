from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from services.gateway.live.session import Close, Outbox
from shared.nats.bus import Bus
from shared.ops.limits import Limits
from testing.eventually import eventually
from testing.nats import Nats
from tests.integration.gateway.gateway_process import Gateway, Heard, issue_opened, sent_until_stored, signed

HOOK = "/webhooks/github"
IN_TIME_OR_NOT = {202, 408, 503}
"""A machine that stood still for ten seconds makes a slow sender too slow; for two, the log."""


@contextlib.asynccontextmanager
async def gateway(nats: Nats, folder: Path, **bounds: int) -> AsyncIterator[Gateway]:
    """A gateway with bounds of its own."""
    settings = {f"JOURNEYMAN_{name.upper()}": str(value) for name, value in bounds.items()}
    async with Gateway(nats.url, folder / "data", **settings) as running:
        yield running


def delivery(size: int, id: str) -> tuple[bytes, dict[str, str]]:
    """A signed webhook of exactly so many bytes."""
    bare = len(issue_opened(body=""))
    body = issue_opened(body="x" * (size - bare))
    assert len(body) == size
    return body, signed(body, id)


class SlowSender:
    """Announces a delivery, sends all of it but the last byte, and that one when told to."""

    def __init__(self, at: Gateway, size: int, id: str) -> None:
        host, _, port = at.url.removeprefix("http://").partition(":")
        self._address = (host, int(port))
        self._body, self._headers = delivery(size, id)

    async def begin(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(*self._address)
        lines = [f"{name}: {value}" for name, value in self._headers.items()]
        head = ["POST /webhooks/github HTTP/1.1", "Host: localhost", f"Content-Length: {len(self._body)}", *lines]
        self._writer.write("\r\n".join([*head, "", ""]).encode() + self._body[:-1])
        await self._writer.drain()

    async def end(self) -> int:
        """The status of the answer."""
        self._writer.write(self._body[-1:])
        await self._writer.drain()
        return await self.status()

    async def status(self) -> int:
        line = await asyncio.wait_for(self._reader.readline(), 60)
        self._writer.close()
        return int(line.split()[1])


async def test_a_request_of_the_bound_is_read_and_one_byte_more_is_refused(nats_server: Nats, tmp_path: Path) -> None:
    async with gateway(nats_server, tmp_path, max_request_bytes=2048, max_webhook_bytes=4096) as at, at.http() as http:
        for more, status in ((0, 400), (1, 413)):
            body = b'{"nothing":"%b"}' % (b"x" * (2048 - 14 + more))
            answer = await http.post("/api/tasks", content=body, headers={"Content-Type": "application/json"})
            assert (answer.status_code, len(body)) == (status, 2048 + more)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "too-large"
        for more, status in ((0, 202), (1, 413)):
            body, headers = delivery(4096 + more, f"d-{more}")
            *again, answer = await sent_until_stored(http, body, headers)
            assert answer.status_code == status or again
        assert answer.headers["content-type"] == "application/problem+json"
        assert "4,096" in answer.json()["detail"]


async def test_webhooks_hold_so_many_bytes_at_once_and_the_next_is_told_to_come_again(
    nats_server: Nats, tmp_path: Path
) -> None:
    async with (
        gateway(nats_server, tmp_path, max_webhook_bytes=4096, max_webhook_held_bytes=6000) as at,
        at.http() as http,
    ):
        slow = SlowSender(at, 3001, "slow")
        await slow.begin()
        body, headers = delivery(3500, "too-much")

        async def refused() -> bool:
            answer = await http.post(HOOK, content=body, headers=headers)
            if answer.status_code != 503 or answer.json()["code"] != "too-much-at-once":
                return False  # the slow one's bytes are not all here yet
            return int(answer.headers["retry-after"]) > 0

        await eventually(refused)
        fits, headers_of_it = delivery(3000, "fits")
        assert (await sent_until_stored(http, fits, headers_of_it))[-1].is_success
        assert await slow.end() in IN_TIME_OR_NOT
        assert (await sent_until_stored(http, body, headers))[-1].is_success


async def test_so_many_requests_are_in_hand_and_the_next_is_told_to_come_again(
    nats_server: Nats, tmp_path: Path
) -> None:
    async with gateway(nats_server, tmp_path, max_requests=2) as at, at.http() as http:
        slow = [SlowSender(at, 2000, f"slow-{number}") for number in range(2)]
        await slow[0].begin()
        assert (await http.get("/schema/openapi.json")).status_code == 200, "one more fits"
        await slow[1].begin()

        async def refused() -> bool:
            answer = await http.get("/schema/openapi.json")
            if answer.status_code != 503:
                return False  # the second one is not here yet
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["code"] == "too-busy"
            return int(answer.headers["retry-after"]) > 0

        await eventually(refused)
        assert (await http.get("/health/live")).status_code == 200
        assert {await each.end() for each in slow} <= IN_TIME_OR_NOT
        assert (await http.get("/schema/openapi.json")).status_code == 200


async def test_one_socket_more_than_may_be_is_told_to_come_again(nats_server: Nats, tmp_path: Path) -> None:
    async with gateway(nats_server, tmp_path, max_sockets=2) as at, at.socket() as first, at.socket() as second:
        for socket in (first, second):
            heard = Heard(socket)
            await heard.say(type="ping")
            await heard.until("pong")
        async with at.socket() as third:
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(third.recv(), 60)
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 1013
        await first.close()

        async def again() -> bool:
            async with at.socket() as fourth:
                heard = Heard(fourth)
                await heard.say(type="ping")
                with contextlib.suppress(ConnectionClosed):
                    return bool(await heard.until("pong"))
                return False

        assert await eventually(again)


async def test_a_socket_has_so_many_topics_and_messages_of_such_a_size_and_number(
    nats_server: Nats, tmp_path: Path
) -> None:
    bounds = {"max_socket_topics": 3, "max_socket_frame_bytes": 1024, "max_socket_messages": 10}
    async with gateway(nats_server, tmp_path, **bounds) as at:
        async with at.socket() as socket:
            heard = Heard(socket)
            await heard.say(type="subscribe", topics=["task:A", "task:B", "output:C"])
            await heard.until("subscribed")
            await heard.say(type="subscribe", topics=["task:D"])
            assert (await heard.until("error"))["code"] == "topics"
            await heard.say(type="subscribe", topics=["task:A"])
            await heard.until("subscribed")
        async with at.socket() as socket:
            ping = json.dumps({"type": "ping"})
            await socket.send(ping + " " * (1024 - len(ping)))
            assert json.loads(await asyncio.wait_for(socket.recv(), 60))["type"] == "pong"
            await socket.send(ping + " " * (1025 - len(ping)))
            assert await _closed(socket) == 1009
        async with at.socket() as socket:
            heard = Heard(socket)
            for _ in range(10):
                await heard.say(type="ping")
                await heard.until("pong")
            with contextlib.suppress(ConnectionClosed):
                for _ in range(500):
                    await heard.say(type="ping")
            assert await _closed(socket) == 1008


async def _closed(socket: object) -> int:
    """The code that the socket is closed with."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            await asyncio.wait_for(socket.recv(), 60)  # type: ignore[attr-defined]  # a client connection
    assert closed.value.rcvd is not None
    return int(closed.value.rcvd.code)


@pytest.mark.parametrize(
    ("bounds", "frame", "fit"),
    [({"max_socket_waiting": 10}, "x", 10), ({"max_socket_waiting_bytes": 65_536}, "x" * 8192, 8)],
)
async def test_so_much_waits_for_a_slow_socket_and_one_more_message_ends_it(
    bounds: dict[str, int], frame: str, fit: int
) -> None:
    sent: list[str] = []

    async def send(frame: str) -> None:
        sent.append(frame)

    enough, too_much = Outbox(send, Limits(**bounds)), Outbox(send, Limits(**bounds))
    for number in range(fit + 1):
        too_much.put(frame)
        if number < fit:
            enough.put(frame)
    sending = asyncio.create_task(enough.run())
    await eventually(lambda: len(sent) == fit)
    sending.cancel()
    with pytest.raises(Close) as closed:
        await too_much.run()
    assert closed.value.code == 1013


async def test_a_page_of_a_transcript_has_so_many_bytes_and_says_where_the_next_one_begins(
    nats_server: Nats, bus: Bus, tmp_path: Path
) -> None:
    lines = [json.dumps({"type": "text", "number": number}).ljust(16_384).encode() for number in range(9)]
    for line in lines:
        await bus.js.publish("out.run.T1", line)
    async with gateway(nats_server, tmp_path, max_transcript_bytes=65_536) as at, at.http() as http:
        numbers, after, pages = [], 0, 0
        while after is not None:
            page = (await http.get("/api/tasks/T1/transcript", params={"after": after})).json()
            assert len(page["items"]) <= 4
            numbers += [item["line"]["number"] for item in page["items"]]
            after, pages = page["next_after"], pages + 1
    assert (numbers, pages) == (list(range(9)), 3)
