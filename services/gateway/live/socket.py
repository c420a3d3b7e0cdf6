"""`/ws`: the WebSocket itself."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

import structlog
from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect
from prometheus_client import Gauge
from uvicorn.protocols.utils import ClientDisconnected

from services.gateway.commands import TaskCommands
from services.gateway.live.hub import Hub
from services.gateway.live.replay import Replays
from services.gateway.live.session import Close, SocketSession
from services.gateway.security.door import Door
from services.gateway.security.identity import Identity
from shared.ops.limits import Limits

CLOSE_S: Final = 5.0

SOCKETS: Final = Gauge("journeyman_live_sockets", "WebSockets that are open")

log = structlog.get_logger(__name__)


class Live:
    """Every socket of this process."""

    def __init__(
        self, *, events: Hub, output: Hub, replays: Replays, commands: TaskCommands, door: Door, limits: Limits
    ) -> None:
        self._events = events
        self._output = output
        self._replays = replays
        self._commands = commands
        self._door = door
        self._limits = limits
        self._open = 0

    async def talk(self, socket: WebSocket[Any, Any, Any], identity: Identity) -> None:
        """Stay with one accepted socket to its end."""
        if self._open >= self._limits.max_sockets:
            await _close(socket, Close(1013, "too many sockets: try again later"))
            return
        self._open += 1
        SOCKETS.inc()

        async def send(frame: str) -> None:
            await socket.send({"type": "websocket.send", "text": frame, "bytes": None})

        session = SocketSession(
            events=self._events,
            output=self._output,
            replays=self._replays,
            commands=self._commands,
            limits=self._limits,
            identity=identity,
            door=self._door,
            receive=socket.receive_text,
            send=send,
        )
        try:
            await session.run()
        except Close as close:
            log.info("closing a socket", code=close.code, reason=close.reason)
            await _close(socket, close)
        except (WebSocketDisconnect, ClientDisconnected):
            log.debug("a socket has left")
        except Exception:
            log.exception("a socket failed")
            await _close(socket, Close(1011, "an error of the gateway: its log has the details"))
        finally:
            self._open -= 1
            SOCKETS.dec()


async def _close(socket: WebSocket[Any, Any, Any], close: Close) -> None:
    # A client that reads nothing does not take the close either: `Wire` ends it.
    with contextlib.suppress(TimeoutError, WebSocketDisconnect, ClientDisconnected):
        await asyncio.wait_for(socket.close(code=close.code, reason=close.reason), CLOSE_S)


@websocket("/ws", opt={"operation": "live"})
async def live_socket(socket: WebSocket[Any, Any, Any], live: Live, identity: Identity) -> None:
    """Topics in, events and output lines out; and the few commands that a page sends this way."""
    await socket.accept()
    await live.talk(socket, identity)
