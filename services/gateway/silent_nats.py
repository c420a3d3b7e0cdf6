"""What is asked of us while NATS says nothing: an answer within seconds, instead of each wait after the other."""

from __future__ import annotations

from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.problems import refuse, unavailable
from services.gateway.security.concurrency_limit import ALWAYS
from shared.nats.pulse import Pulse

_STATUS: Final = "/api/status"
"""Says itself how things stand, but it needs somebody who may know."""
_STATUS_GRACE_S: Final = 1.0


class SilentNats:
    """An ASGI application around another one. What has been answered in part goes on, and so do WebSockets."""

    def __init__(self, app: ASGIApp, pulse: Pulse) -> None:
        self._app = app
        self._pulse = pulse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; refuse when NATS falls silent before an answer has begun."""
        if scope["type"] != ScopeType.HTTP or scope["path"].startswith(ALWAYS):
            await self._app(scope, receive, send)
            return
        begun = False
        try:
            grace_s = _STATUS_GRACE_S if scope["path"].rstrip("/") == _STATUS else 0.0
            async with self._pulse.beating(grace_s=grace_s) as deadline:

                async def sending(message: Message) -> None:
                    nonlocal begun
                    begun = True
                    self._pulse.let_be(deadline)
                    await send(message)

                await self._app(scope, receive, sending)
        except TimeoutError:
            if begun:
                raise
            problem = unavailable("nats-away", "NATS says nothing: check that it runs, then try again.")
            await refuse(problem, scope, send)
