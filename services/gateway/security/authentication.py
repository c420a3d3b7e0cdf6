"""Authentication: before a route is looked up, a request has somebody whom it is from, or is refused.

It stands behind the origin guard and denies by default, as that one does. Let through unseen are what proves itself
otherwise, the address where one logs in, and the pages of the dashboard, which are the same for everybody and hold
nothing. What somebody may do is asked when the route is known (`authorisation`).
"""

from __future__ import annotations

import re
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qs

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from services.gateway.problems import Problem, problem_of, refuse
from services.gateway.security.door import ANYBODY, Door
from services.gateway.security.identity import STATE, Identity, unauthenticated
from services.gateway.security.origin_guard import EXEMPT
from services.gateway.web import OWN

LOGIN: Final = "/api/login"
"""Where a link becomes a session: the only address of the API that asks nobody who they are."""
_PAGE: Final = re.compile(
    rf"/(?:(?!(?:{'|'.join(map(re.escape, sorted(OWN)))})(?:/|\Z))[A-Za-z0-9_-][A-Za-z0-9._/-]*)?"
)
"""The paths that the dashboard's files answer. What is spelled in another way needs somebody."""
_KEY_MALFORMED: Final = Problem(
    401,
    "webhook-address-malformed",
    "This is no webhook's address: it is /webhooks/<name>, for a sender that cannot sign /webhooks/<name>/<secret>. "
    "A secret in it has 16 to 200 letters, digits, - and _: give both sides such a one.",
)


class Authentication:
    """An ASGI application around another one, which finds an `Identity` in the request's state."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        if scope["type"] not in (ScopeType.HTTP, ScopeType.WEBSOCKET):
            await self._app(scope, receive, send)
            return
        try:
            identity = None if EXEMPT.fullmatch(scope["path"]) else await self._identity(scope)
        except Exception as error:
            await refuse(problem_of(error), scope, send)
            return
        if identity is None and not _needs_nobody(scope):
            await refuse(_KEY_MALFORMED if scope["path"].startswith("/webhooks/") else unauthenticated(), scope, send)
            return
        scope.setdefault("state", {})[STATE] = identity
        await self._app(scope, receive, send)

    async def _identity(self, scope: Scope) -> Identity | None:
        if self._door.is_open:
            return ANYBODY
        address = address_of(scope)
        bearers = [
            value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization" and value.strip()
        ]
        if len(bearers) > 1:
            raise Problem(400, "authorization-twice", "The request has more than one Authorization: send one.")
        if bearers and bearers[0][:7].lower() == "bearer ":
            return await self._door.by_bearer(bearers[0][7:].strip(), address)
        if scope["type"] == ScopeType.WEBSOCKET:
            # No cookie: a page of another site could bring it along.
            tickets = parse_qs(scope["query_string"].decode("latin-1")).get("ticket", [])
            return await self._door.by_ticket(tickets[0], address) if len(tickets) == 1 else None
        key = session_key(scope)
        return await self._door.by_cookie(key, address) if key else None


def _needs_nobody(scope: Scope) -> bool:
    if scope["type"] != ScopeType.HTTP:
        return False
    path = scope["path"]
    if EXEMPT.fullmatch(path):
        return True
    if scope["method"] == "POST":
        return bool(path == LOGIN)
    return scope["method"] in ("GET", "HEAD") and _PAGE.fullmatch(path) is not None


def address_of(scope: Scope) -> str:
    """Where a request comes from, empty for what has no address."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def is_secure(scope: Scope) -> bool:
    """Whether the browser speaks TLS."""
    return scope.get("scheme") in ("https", "wss")


def cookie_name(scope: Scope) -> str:
    """What the cookie is called. Browsers do not tell ports apart, so without TLS its name does."""
    if is_secure(scope):
        return "__Host-journeyman"
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    port = host.rpartition(":")[2]
    return f"journeyman-{port if port.isdigit() else 80}"


def session_key(scope: Scope) -> str:
    """The key to the session in the request's cookies, or empty."""
    name = cookie_name(scope)
    for header, value in scope["headers"]:
        if header == b"cookie":
            try:
                cookies = SimpleCookie(value.decode("latin-1"))
            except CookieError:
                continue
            if name in cookies:
                return cookies[name].value
    return ""


def set_cookie(scope: Scope, key: str, *, max_age: int) -> str:
    """The header's value that gives a browser its key, or with an age of 0 takes it away."""
    secure = "; Secure" if is_secure(scope) else ""
    return f"{cookie_name(scope)}={key}; Path=/; HttpOnly; SameSite=Strict; Max-Age={max_age}{secure}"
