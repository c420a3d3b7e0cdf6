"""Bounds of a request's head: uvicorn's parser keeps as many bytes of it as come, for as long as they take."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from services.gateway.problems import MEDIA_TYPE, Problem
from services.gateway.security.response_headers import HEADERS

MAX_HEAD_BYTES: Final = 65_536
HEAD_PATIENCE_S: Final = 10.0
"""From the first byte of a head to its last one."""

_TOO_LARGE: Final = Problem(
    431, "head-too-large", f"The request line and headers have more than {MAX_HEAD_BYTES:,} bytes: send fewer of them."
)
_TOO_LARGE_HANDSHAKE: Final = Problem(
    431, "head-too-large", "The handshake has more than 128 headers, or a line of more than 8 KiB: send fewer headers."
)
_TOO_SLOW: Final = Problem(408, "head-too-slow", "The request's headers did not come in time: send the request again.")


class BoundedHead(HttpToolsProtocol):
    """Answers 431 to a head of more than `MAX_HEAD_BYTES`, and 408 to one that takes longer than ``patience_s``.

    A WebSocket's handshake is a head too. The trailers of a chunked body have the same bound in bytes; more of them end
    the connection. The time starts anew with each request; a connection between two requests has uvicorn's keep-alive
    timeout, and so has one that has not sent anything yet.
    """

    patience_s: ClassVar[float] = HEAD_PATIENCE_S

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unfinished = 0
        """Bytes since the parser last completed a head, a part of a body or a message."""
        self._in_head = True
        self._deadline: asyncio.TimerHandle | None = None
        self._refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """A connection that sends nothing at all ends as an idle one does."""
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Give the parser no more than the rest of what a head may have, then look whether it is complete."""
        rest = memoryview(data)
        while rest and self._is_ours():
            room = MAX_HEAD_BYTES - self._unfinished
            if not room:
                self._refuse(_TOO_LARGE)
                return
            part, rest = rest[:room], rest[room:]
            self._unfinished += len(part)
            super().data_received(part)  # type: ignore[arg-type]  # the parser takes any buffer
        if self._in_head and self._unfinished and self._deadline is None and self._is_ours():
            self._deadline = self.loop.call_later(self.patience_s, self._refuse, _TOO_SLOW)

    def on_message_begin(self) -> None:
        """The first byte of a head is here, perhaps behind the end of an earlier request."""
        self._unfinished = max(self._unfinished, 1)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._unfinished = 0
        self._in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body is here; the application has bounds of its own for bodies."""
        self._unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """What comes next is another head."""
        self._unfinished = 0
        self._in_head = True
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """The WebSocket takes the connection; its parser has bounds of its own, and says nothing when it refuses."""
        super().handle_websocket_upgrade()
        protocol = self.transport.get_protocol()
        if isinstance(protocol, WebSocketsSansIOProtocol) and not protocol.handshake_initiated:
            self._answer(_TOO_LARGE_HANDSHAKE)

    def _is_ours(self) -> bool:
        """Whether what comes is still for this parser, and not for a WebSocket or for nobody."""
        return not self._refused and not self.transport.is_closing() and self.transport.get_protocol() is self

    def _refuse(self, problem: Problem) -> None:
        self._refused = True
        self._stop_waiting()
        if not self._in_head:
            # The application waits for the rest of the body, and hears that the client is gone.
            self.transport.close()
            return
        if self.cycle is not None and not self.cycle.response_complete:
            # An earlier request of this connection is being answered: the connection ends with that answer.
            self.cycle.keep_alive = False
            return
        self._answer(problem)

    def _answer(self, problem: Problem) -> None:
        body = problem.body("")
        headers = [
            *self.server_state.default_headers,
            *HEADERS,
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        self.transport.write(STATUS_LINE[problem.status] + lines + b"\r\n" + body)
        self.transport.close()

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
