from __future__ import annotations

import json
from typing import Any

import pytest

from services.gateway.security.origin_guard import OriginGuard
from services.gateway.security.response_headers import ResponseHeaders


async def inner(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"through"})


async def ask(
    path: str = "/api/tasks", method: str = "POST", *, kind: str = "http", public_url: str = "", **headers: str
) -> list[Any]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    given = {"host": "127.0.0.1:8080"} | {name.replace("_", "-"): value for name, value in headers.items()}
    raw = [(name.encode(), value.encode()) for name, value in given.items()]
    scope: Any = {"type": kind, "method": method, "path": path, "headers": raw}
    guarded = ResponseHeaders(OriginGuard(inner, public_url=public_url))
    await guarded(scope, None, send)  # type: ignore[arg-type]  # nothing is received
    return sent


async def code(*args: Any, **headers: Any) -> str:
    sent = await ask(*args, **headers)
    if sent[0]["type"] == "websocket.close":
        return str(sent[0]["reason"])
    return "through" if sent[1]["body"] == b"through" else str(json.loads(sent[1]["body"])["code"])


async def test_a_script_without_a_browser_may_change_things() -> None:
    assert await code() == "through"


async def test_the_dashboards_own_page_may_change_things_when_it_says_so() -> None:
    origin = "http://127.0.0.1:8080"
    assert await code(origin=origin) == "consent-missing"
    assert await code(origin=origin, x_journeyman="1") == "through"
    assert await code(origin=origin, x_journeyman="1", sec_fetch_site="same-origin") == "through"


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "http://127.0.0.1:8080.evil.example", "x"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_a_page_of_another_origin_may_not(origin: str, method: str) -> None:
    assert await code(method=method, origin=origin, x_journeyman="1") == "origin-foreign"


@pytest.mark.parametrize("site", ["cross-site", "same-site", "other"])
async def test_a_request_that_a_browser_calls_foreign_changes_nothing(site: str) -> None:
    assert await code(sec_fetch_site=site) == "origin-foreign"


async def test_a_socket_of_another_origin_is_refused_before_the_handshake() -> None:
    assert await code("/ws", kind="websocket", origin="http://evil.example") == "origin-foreign"
    assert await code("/ws", kind="websocket", origin="http://127.0.0.1:8080") == "through"
    assert await code("/ws", kind="websocket") == "through"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:8080", "10.0.0.7:8080", "gateway:8080", "a.localhost"],
)
async def test_an_address_or_a_plain_name_is_ours(host: str) -> None:
    assert await code(host=host) == "through"


@pytest.mark.parametrize("host", ["", "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "[::1", "a b"])
async def test_a_name_that_somebody_else_may_have_led_here_is_not(host: str) -> None:
    assert await code(host=host, method="GET") == "host-unknown"


async def test_the_public_address_is_ours_too() -> None:
    there = {"public_url": "https://agents.example.com", "host": "agents.example.com"}
    assert await code(**there, origin="https://agents.example.com", x_journeyman="1") == "through"
    assert await code(**there, origin="https://other.example.com", x_journeyman="1") == "origin-foreign"


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/github",
        "/webhooks/my-own_1/",
        "/webhooks/jira/a-secret-of-16-letters",
        "/health/live",
        "/health/ready",
        "/metrics",
    ],
)
async def test_what_machines_call_may_come_under_any_name(path: str) -> None:
    assert await code(path, host="tunnel.example", origin="http://evil.example") == "through"


NEARLY_EXEMPT = [
    "/webhooks",
    "/webhooks/",
    "/webhooks/a/b",
    "/webhooks/..",
    "/webhooks/a/../b",
    "/webhooks/a/a-secret-of-16-letters/c",
    "/webhooks/a\n",
    "//webhooks/a",
]
NEARLY_EXEMPT += ["/health", "/health/x", "/health/live/", "//metrics", "/metrics/", "/metricsx"]


@pytest.mark.parametrize("path", [*NEARLY_EXEMPT, "/", "/tasks", "/schema", "/asyncapi.json", "/nothing/here", ""])
async def test_every_other_path_is_guarded(path: str) -> None:
    assert await code(path, "GET", host="rebind.example") == "host-unknown"
    assert await code(path, "GET", origin="http://evil.example") == "origin-foreign"
    assert await code(path, "GET", sec_fetch_site="cross-site", sec_fetch_mode="no-cors") == "origin-foreign"


@pytest.mark.parametrize("path", ["/", "/tasks/01JX", "/api/tasks", "/schema"])
async def test_a_link_on_a_foreign_page_may_be_followed(path: str) -> None:
    link = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert await code(path, "GET", **link) == "through"
    assert await code(path, "GET", **link, host="rebind.example") == "host-unknown"
    assert await code(path, "POST", **link) == "origin-foreign", "a form on a foreign page"
    assert await code(path, "GET", **link | {"sec_fetch_dest": "iframe"}) == "origin-foreign"
    assert await code(path, "GET", **link, kind="websocket") == "origin-foreign"


@pytest.mark.parametrize("name", ["host", "origin", "sec-fetch-site"])
@pytest.mark.parametrize("order", [1, -1])
async def test_a_header_that_comes_twice_is_not_believed(name: str, order: int) -> None:
    good = {"host": "localhost:80", "origin": "http://localhost:80", "sec-fetch-site": "same-origin"}
    headers = [(key.encode(), value.encode()) for key, value in good.items()]
    headers += [(name.encode(), b"http://evil.example"), (b"x-journeyman", b"1")]
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {"type": "http", "method": "POST", "path": "/api/tasks", "headers": headers[::order]}
    await OriginGuard(inner)(scope, None, send)  # type: ignore[arg-type]  # nothing is received
    assert sent[0]["status"] in (403, 421)


async def test_every_answer_tells_browsers_to_keep_to_our_own_things() -> None:
    for sent in (await ask("/", "GET"), await ask(origin="null")):
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
