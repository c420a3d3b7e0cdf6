"""What every request passes first: whose page sent it, by which name we were reached, how browsers may use answers.

There is no login yet, so a browser on this machine is the only thing between a foreign web page and the agents.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.problems import MEDIA_TYPE, Problem

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; "
    "require-trusted-types-for 'script'"
)
HEADERS: Final = (
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
)
CONSENT: Final = b"x-journeyman"
"""A page of another origin can send this header only after asking us, and we never say yes."""

_HOST: Final = re.compile(r"(?:\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[a-z0-9_.-]+))(?::\d{1,5})?\Z")
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES: Final = frozenset({b"", b"same-origin", b"none"})


class Fence:
    """An ASGI application around another one. ``public_url`` is the dashboard's address for people, or empty."""

    def __init__(self, app: ASGIApp, *, public_url: str = "") -> None:
        self._app = app
        self._public_host = public_url.rpartition("://")[2].partition("/")[0].lower()
        self._public_name = _name_of(self._public_host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on and add the headers."""
        path = scope["path"]
        # A webhook proves itself by its signature; no browser sends it, and it may come under any name.
        if path.startswith("/webhooks/"):
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS]
            await send(message)

        if path == "/ws" or path.startswith("/api/"):
            problem = self._problem(scope)
            if problem is not None:
                await refuse(problem, scope, send_with_headers)
                return
        await self._app(scope, receive, send_with_headers)

    def _problem(self, scope: Scope) -> Problem | None:
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if not self._is_ours(host):
            return Problem(
                421,
                "host-unknown",
                f"This gateway is not known as {host[:100]!r}: set JOURNEYMAN_PUBLIC_URL to the address people use.",
            )
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        if origin and _host_of(origin) not in {host, self._public_host} - {""}:
            return Problem(403, "origin-foreign", "Only the dashboard's own pages may use this address.")
        if scope["type"] == ScopeType.WEBSOCKET or scope["method"] in _READING:
            return None
        if headers.get(b"sec-fetch-site", b"") not in _OWN_SITES:
            return Problem(403, "origin-foreign", "Only the dashboard's own pages may use this address.")
        if origin and CONSENT not in headers:
            return Problem(403, "consent-missing", "A page's request that changes something carries `X-Journeyman: 1`.")
        return None

    def _is_ours(self, host: str) -> bool:
        """Whether nobody else's name server can have led a browser here (DNS rebinding).

        An address and a name without a dot need no name server that a stranger owns; any other name must be configured.
        """
        name = _name_of(host)
        if not name or name == self._public_name:
            return bool(name)
        if "." not in name and ":" not in name:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name.endswith(".localhost")
        return True


def _host_of(origin: str) -> str:
    """``host:port`` of an Origin header; empty for ``null`` and for anything else that is no page's origin."""
    scheme, _, host = origin.partition("://")
    return host if scheme in ("http", "https") else ""


def _name_of(host: str) -> str:
    """The name or address in ``host:port``, without brackets; empty when it is none."""
    match = _HOST.match(host)
    return (match.group("address") or match.group("name")) if match else ""


async def refuse(problem: Problem, scope: Scope, send: Send) -> None:
    """Answer with a problem, and close the connection."""
    if scope["type"] == ScopeType.WEBSOCKET:
        # Before the handshake: the browser sees 403.
        await send({"type": "websocket.close", "code": 1008, "reason": problem.code})
        return
    body = problem.body(scope["path"])
    await send(
        {
            "type": "http.response.start",
            "status": problem.status,
            "headers": [
                (b"content-type", MEDIA_TYPE.encode()),
                (b"content-length", str(len(body)).encode()),
                (b"connection", b"close"),
                *((name.lower().encode(), value.encode()) for name, value in problem.headers.items()),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
