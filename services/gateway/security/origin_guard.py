"""The origin guard: it refuses every request that a foreign web page may have caused.

A browser brings its cookie along with what a foreign page sends, and where the login is off the origin guard is all
that stands between such a page and the agents. It stands before the router and denies by default: the router takes
`//api/tasks` and `/ws/` for `/api/tasks` and `/ws`, so a list of guarded paths could be walked around. A path that is
spelled in a way nobody thought of is guarded, and so is a path that no route matches.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from services.gateway.problems import Problem, refuse

CONSENT: Final = b"x-journeyman"
"""A page of another origin can send this header only after asking us, and we never say yes."""

EXEMPT: Final = re.compile(r"/webhooks/[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]{16,200})?/?|/health/(?:live|ready)|/metrics")
"""The only paths that the guard lets through unseen. The whole path has to match, in exactly this spelling.

A webhook proves itself by its signature, or by the secret in its address, and may come under any name. Probes and
Prometheus use names that nobody configures here; these routes change nothing and tell no text of a user.
"""

_HOST: Final = re.compile(r"(?:\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[a-z0-9_.-]+))(?::\d{1,5})?\Z")
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES: Final = frozenset({b"same-origin", b"none"})
_FOREIGN: Final = Problem(403, "origin-foreign", "Only the dashboard's own pages may use this address.")

Headers = dict[bytes, list[bytes]]


class OriginGuard:
    """An ASGI application around another one. ``public_url`` is the dashboard's address for people, or empty."""

    def __init__(self, app: ASGIApp, *, public_url: str = "") -> None:
        self._app = app
        self._public_host = public_url.rpartition("://")[2].partition("/")[0].lower()
        self._public_name = _name_of(self._public_host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        problem = None if EXEMPT.fullmatch(scope["path"]) else self._problem(scope)
        if problem is not None:
            await refuse(problem, scope, send)
            return
        await self._app(scope, receive, send)

    def _problem(self, scope: Scope) -> Problem | None:
        headers: Headers = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.lower(), []).append(value)
        hosts = [value.decode("latin-1").lower() for value in headers.get(b"host", [])]
        # With two of them it is open which one the browser meant.
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            return Problem(
                421,
                "host-unknown",
                f"This gateway is not known as {', '.join(hosts)[:100]!r}: "
                "set JOURNEYMAN_PUBLIC_URL to the address people use.",
            )
        ours = {hosts[0], self._public_host} - {""}
        origins = [value.decode("latin-1").lower() for value in headers.get(b"origin", []) if value]
        if any(_host_of(origin) not in ours for origin in origins):
            return _FOREIGN
        if not set(headers.get(b"sec-fetch-site", [])) <= _OWN_SITES and not _is_navigation(scope, headers):
            return _FOREIGN
        if scope["type"] == ScopeType.WEBSOCKET or scope["method"] in _READING:
            return None
        if origins and CONSENT not in headers:
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


def _is_navigation(scope: Scope, headers: Headers) -> bool:
    """Whether a person follows a link: the page opens in a tab of its own, so the foreign page cannot read it.

    Source: https://www.w3.org/TR/fetch-metadata/ (a frame or an embedded object has another destination).
    """
    return (
        scope["type"] == ScopeType.HTTP
        and scope["method"] in ("GET", "HEAD")
        and headers.get(b"sec-fetch-mode") == [b"navigate"]
        and headers.get(b"sec-fetch-dest") == [b"document"]
    )


def _host_of(origin: str) -> str:
    """``host:port`` of an Origin header; empty for ``null`` and for anything else that is no page's origin."""
    scheme, _, host = origin.partition("://")
    return host if scheme in ("http", "https") else ""


def _name_of(host: str) -> str:
    """The name or address in ``host:port``, without brackets; empty when it is none."""
    match = _HOST.match(host)
    return (match.group("address") or match.group("name")) if match else ""
