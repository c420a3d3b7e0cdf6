"""uvicorn as one loop of the service: it listens before the service says ready, and drains with it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import uvicorn
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.gateway.live.wire import Wire
from services.gateway.security.request_head import HEAD_PATIENCE_S, BoundedHead
from shared.ops.certificate import certificate_problem
from shared.runtime.service import CannotStart

BACKLOG: Final = 2048
FAREWELL_S: Final = 2.0
"""How long somebody who has a connection may go on using it before he has been told that it ends."""
LOOK_S: Final = 0.02
DRAIN_S: Final = 10
KEEP_ALIVE_S: Final = 75


class Tls(NamedTuple):
    """The files of a certificate (with those of its authorities) and of its key."""

    cert: Path
    key: Path

    def check(self) -> None:
        """Raises `CannotStart` for files that cannot be used, or not together."""
        if problem := certificate_problem(self.cert, self.key):
            raise CannotStart(f"JOURNEYMAN_TLS_CERT, JOURNEYMAN_TLS_KEY: {problem}")


class WebServer(uvicorn.Server):
    """A server for one application, on a port that is ours from the start.

    From the moment when ``draining`` is set on, each answer says that its connection ends with it.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str,
        port: int,
        max_frame_bytes: int,
        draining: asyncio.Event,
        tls: Tls | None = None,
        head_patience_s: float = HEAD_PATIENCE_S,
    ) -> None:
        # What it says at "info" is a line for each socket, and that it has started.
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        if tls is not None:
            tls.check()
        self._socket = listen(host, port)
        self._leaving: asyncio.Task[None] | None = None
        self._draining = draining
        self.host = host
        self.port = int(self._socket.getsockname()[1])
        self._scheme = "http" if tls is None else "https"
        super().__init__(
            uvicorn.Config(
                self._polite(app),
                loop="none",
                http=type("Head", (BoundedHead,), {"patience_s": head_patience_s}),
                ws=Wire,
                ws_max_size=max_frame_bytes,
                ws_per_message_deflate=False,
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                backlog=BACKLOG,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=DRAIN_S,
                proxy_headers=False,
                ssl_certfile=None if tls is None else tls.cert,
                ssl_keyfile=None if tls is None else tls.key,
            )
        )

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host
        return f"{self._scheme}://[{host}]:{self.port}" if ":" in host else f"{self._scheme}://{host}:{self.port}"

    async def run_until_drained(self) -> None:
        """Serve until `drain`, then finish what is going on."""
        await self.serve(sockets=[self._socket])

    def drain(self) -> None:
        """Let go of everybody who is connected, then take no new connection and finish what is going on."""
        self._draining.set()
        if self._leaving is None:
            self._leaving = asyncio.create_task(self._leave())

    async def _leave(self) -> None:
        # Closing an idle connection fails the request that may be on its way, so the client is told first.
        for _ in range(int(FAREWELL_S / LOOK_S)):
            if not any(isinstance(each, HttpToolsProtocol) for each in self.server_state.connections):
                break
            await asyncio.sleep(LOOK_S)
        self.should_exit = True

    def _polite(self, app: ASGIApp) -> ASGIApp:
        """The application, whose answers end their connections while the server leaves."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            async def last(message: Message) -> None:
                if message["type"] == "http.response.start" and self._draining.is_set():
                    message["headers"] = [*message["headers"], (b"connection", b"close")]
                await send(message)

            await app(scope, receive, last if scope["type"] == ScopeType.HTTP else send)

        return answer

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the service, which drains everything in its order."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises `CannotStart` for an address that cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CannotStart(
            f"Port {port} on {host} cannot be had ({error.strerror}): "
            "set JOURNEYMAN_HTTP_PORT to a free one, or to 0 for any."
        ) from error
    listener.setblocking(False)
    return listener
