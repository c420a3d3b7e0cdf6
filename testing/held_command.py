"""A command of a check or a set-up that lasts as long as a test wants it to."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import Self


class HeldCommand:
    """A command that is connected to the test from its beginning on, and ends when the test lets it go.

    A sandbox has no other way out: its repository's ``network`` must reach the command.
    """

    async def __aenter__(self) -> Self:
        self._began, self._released = asyncio.Event(), asyncio.Event()
        self._server = await asyncio.start_server(self._hold, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
        self._server.close()

    @property
    def command(self) -> str:
        """What is to be run."""
        port = self._server.sockets[0].getsockname()[1]
        return f"bash -c 'read line </dev/tcp/127.0.0.1/{port}'; true"

    async def began(self, within: float) -> None:
        """Wait until it runs."""
        await asyncio.wait_for(self._began.wait(), within)

    def release(self) -> None:
        """Let it end, now and each time that it runs."""
        self._released.set()

    async def _hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._began.set()
        await self._released.wait()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
