"""uvicorn's side of a WebSocket, which also lets go of a client that is there and takes nothing."""

from __future__ import annotations

import asyncio
from asyncio import BaseTransport
from typing import Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

STUCK_S: Final = 10.0
"""So long a full buffer may stay full, or a connection that is closed may stay open."""
LOOK_S: Final = 2.0


class Wire(WebSocketsSansIOProtocol):
    """A connection that takes nothing for `STUCK_S` seconds is aborted.

    uvicorn closes such a one, and closing waits until everything is taken: for ever, with the task that sends.
    """

    _looking: asyncio.TimerHandle | None = None
    _stuck_at: float | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """Begin to look."""
        super().connection_made(transport)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The buffer is full."""
        self._stuck_at = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """There is room in it again."""
        self._stuck_at = None
        super().resume_writing()

    def _look(self) -> None:
        now = self.loop.time()
        if self._stuck_at is None and self.transport.is_closing():
            self._stuck_at = now
        if self._stuck_at is not None and now - self._stuck_at > STUCK_S:
            self.transport.abort()
            return
        self._looking = self.loop.call_later(LOOK_S, self._look)
