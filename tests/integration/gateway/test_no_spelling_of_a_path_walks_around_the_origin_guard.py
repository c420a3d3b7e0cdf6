from __future__ import annotations

import asyncio
import itertools
import re
from dataclasses import fields
from typing import Any, cast
from urllib.parse import unquote

import pytest

from services.gateway.app import Parts, create_app, create_routes, openapi
from services.gateway.security.door import Door
from services.gateway.security.origin_guard import EXEMPT
from shared.nats.bus import Bus
from shared.nats.pulse import Pulse
from shared.nats.streams import COMMANDS, EVENTS
from shared.ops.settings import load_settings
from testing.people import House
from tests.integration.gateway.gateway_process import Gateway

pytestmark = pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning")

FOREIGN = {
    "rebound": {"Host": "rebind.evil.example"},
    "page": {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"},
    "own host, no origin": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    "sandboxed frame": {"Origin": "null"},
    "other port": {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"},
}
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE")


def parts(door: Door | None = None) -> Parts:
    """Nothing behind the routes: a request that reaches a handler fails there. Everybody is let in, or by this door."""
    door = door or House(is_open=True).door
    nothing: dict[str, Any] = {field.name: None for field in fields(Parts)}
    return Parts(**nothing | {"settings": load_settings({}), "door": door, "pulse": Pulse(cast(Bus, None))})


ROUTES = sorted({re.sub(r"\{[^}]+\}", "x", route.path) for route in create_routes(parts()).routes} | {"/no/such/route"})
GUARDED = [path for path in ROUTES if not EXEMPT.fullmatch(path)]


def spellings(path: str) -> set[str]:
    """The path as written in a request line, in all the ways that a server may take for the same one."""
    first, last = path[:2], path.rpartition("/")[2]
    return {
        path,
        "/" + path,
        "//" + path,
        path + "/",
        path + "//",
        path.replace("/", "//"),
        "/." + path,
        "/x/.." + path,
        path + "/.",
        "/%2f" + path,
        path[0] + path[1:].replace("/", "%2f"),
        path + "%2F",
        path.upper(),
        f"{first[0]}%{ord(first[1]):02x}{path[2:]}" if len(path) > 1 else path,
        f"{path};x",
        f"/webhooks/..{path}",
        f"/webhooks/..%2f{last}",
        f"/metrics/..{path}",
        f"/health/live{path}",
    }


SPELLED = sorted({each for path in GUARDED for each in spellings(path) if not EXEMPT.fullmatch(unquote(each))})


def test_only_what_machines_call_is_exempt() -> None:
    exempt = sorted(path for path in ROUTES if EXEMPT.fullmatch(path))
    assert exempt == ["/health/live", "/health/ready", "/metrics", "/webhooks/x"]
    assert {"/api/tasks", "/api/tasks/x/approve", "/ws", "/", "/schema", "/asyncapi.json"} <= set(GUARDED)
    assert len(SPELLED) > 300


@pytest.mark.parametrize("foreign", FOREIGN)
async def test_every_route_refuses_what_a_foreign_page_sends_however_its_path_is_spelled(foreign: str) -> None:
    app = create_app(parts())
    headers = {"Host": "127.0.0.1:8080"} | FOREIGN[foreign]
    for raw, method in itertools.product(SPELLED, (*METHODS, "WEBSOCKET")):
        answer = await _asked(app, unquote(raw), method, headers)
        assert answer in (403, 421, "refused"), (raw, method)


async def test_the_document_says_what_a_route_refuses_before_it_is_reached() -> None:
    app = create_app(parts())
    for path, operations in openapi()["paths"].items():
        for method, operation in operations.items():
            at, said = re.sub(r"\{[^}]+\}", "x", path), set(operation["responses"])
            for foreign in ("page", "rebound"):
                headers = {"Host": "127.0.0.1:8080"} | FOREIGN[foreign]
                if EXEMPT.fullmatch(at):
                    assert not {"403", "421"} & said, (method, path)
                else:
                    assert str(await _asked(app, at, method.upper(), headers)) in said, (method, path)
            assert at == "/metrics" or "503" in said, (method, path)


async def test_the_dashboards_own_requests_reach_the_routes_in_these_spellings() -> None:
    """Without this the walk above would prove nothing."""
    own = {"Host": "127.0.0.1:8080", "Origin": "http://127.0.0.1:8080", "X-Journeyman": "1"}
    app = create_app(parts())
    for path in ("/schema/openapi.json", "//schema/openapi.json", "/schema//openapi.json/"):
        assert await _asked(app, path, "GET", own) == 200


async def _asked(app: Any, path: str, method: str, headers: dict[str, str]) -> Any:
    """The status, or ``refused`` for a WebSocket that was closed before its handshake."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"} if method == "WEBSOCKET" else {"type": "http.request", "body": b"{}"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "websocket" if method == "WEBSOCKET" else "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "http_version": "1.1",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "state": {},
        "server": ("127.0.0.1", 8080),
        "client": ("127.0.0.1", 9),
    }
    if method != "WEBSOCKET":
        scope["method"] = method
    await app(scope, receive, send)
    return "refused" if sent[0]["type"] == "websocket.close" else sent[0].get("status", sent[0]["type"])


async def test_a_running_gateway_does_nothing_that_a_foreign_page_asks_for(gateway: Gateway, bus: Bus) -> None:
    address = gateway.url.removeprefix("http://")
    many = asyncio.Semaphore(8)

    async def refused(raw: str, method: str, foreign: str) -> None:
        async with many:
            status = await _status(address, raw, method, {"Host": address} | FOREIGN[foreign])
            # 400: the server itself finds that this is no path.
            assert status in (400, 403, 421), (raw, method, foreign, status)

    await asyncio.gather(
        *(refused(*each) for each in itertools.product(SPELLED, ("GET", "POST", "WEBSOCKET"), ("rebound", "page")))
    )
    for stream in (EVENTS, COMMANDS):
        assert (await bus.js.stream_info(stream)).state.last_seq == 0

    own = {"Host": address, "Origin": gateway.url, "Sec-Fetch-Site": "same-origin"}
    assert await _status(address, "//schema//openapi.json/", "GET", own) == 200
    assert await _status(address, "/ws", "WEBSOCKET", own) == 101
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert await _status(address, "/tasks", "GET", {"Host": address} | link) == 200


async def _status(address: str, raw: str, method: str, headers: dict[str, str]) -> int:
    """Send a request as it is written here: no client puts the path in order."""
    host, _, port = address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = [f"{name}: {value}" for name, value in headers.items()]
    body = b""
    if method == "WEBSOCKET":
        lines += ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
        lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    elif method == "POST":
        body = b'{"text":"opened by a foreign page"}'
        lines += ["Content-Type: text/plain", f"Content-Length: {len(body)}"]
    verb = "GET" if method == "WEBSOCKET" else method
    writer.write("\r\n".join([f"{verb} {raw} HTTP/1.1", *lines, "", ""]).encode() + body)
    try:
        line = await asyncio.wait_for(reader.readline(), 60)
    finally:
        writer.close()
    return int(line.split()[1])
