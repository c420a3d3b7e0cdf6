from __future__ import annotations

from typing import Any

import pytest

from services.gateway.security.trusted_proxies import TrustedProxies
from shared.ops.addresses import networks_of


async def seen(client: str, *headers: tuple[str, str], type: str = "http") -> tuple[str, str]:
    """Who asks, and how, as the application finds it."""
    found: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        found.update(scope)

    scope: Any = {
        "type": type,
        "client": (client, 1234),
        "scheme": "http" if type == "http" else "ws",
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    nothing: Any = None
    await TrustedProxies(app, networks_of("10.0.0.0/8, 127.0.0.1"))(scope, nothing, nothing)
    return found["client"][0], found["scheme"]


FOR = "x-forwarded-for"
TLS = ("x-forwarded-proto", "https")


@pytest.mark.parametrize(
    ("headers", "asker"),
    [
        ([(FOR, "203.0.113.7")], "203.0.113.7"),
        ([(FOR, "1.1.1.1, 203.0.113.7, 10.0.0.9")], "203.0.113.7"),
        ([(FOR, "1.1.1.1"), (FOR, "203.0.113.7")], "203.0.113.7"),
        ([(FOR, "10.0.0.8")], "10.0.0.8"),
        ([], "10.0.0.1"),
    ],
)
async def test_the_asker_is_the_last_whom_no_proxy_of_ours_is(headers: list[tuple[str, str]], asker: str) -> None:
    assert await seen("10.0.0.1", *headers, TLS) == (asker, "https")


async def test_a_stranger_says_nothing_of_others() -> None:
    assert await seen("203.0.113.9", (FOR, "10.0.0.1"), TLS) == ("203.0.113.9", "http")


async def test_a_socket_comes_by_tls_too_and_the_last_proxy_says_so() -> None:
    assert (await seen("127.0.0.1", TLS, type="websocket"))[1] == "wss"
    assert (await seen("127.0.0.1", ("x-forwarded-proto", "https, http")))[1] == "http"
