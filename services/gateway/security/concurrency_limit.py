"""How many requests are answered at one time: one too many is told at once when to come again."""

from __future__ import annotations

from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from services.gateway.problems import refuse, unavailable

ALWAYS: Final = ("/health/", "/metrics")
"""Health checks and metrics pass: an operator must see that the gateway is busy, not that it is gone."""


class ConcurrencyLimit:
    """An ASGI application around another one, with ``most`` HTTP requests in hand. WebSockets have their own bound."""

    def __init__(self, app: ASGIApp, *, most: int) -> None:
        self._app = app
        self._most = most
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        if scope["type"] != ScopeType.HTTP or scope["path"].startswith(ALWAYS):
            await self._app(scope, receive, send)
            return
        if self._inside >= self._most:
            problem = unavailable("too-busy", f"{self._most} requests are being answered already: try again soon.")
            await refuse(problem, scope, send)
            return
        self._inside += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._inside -= 1
