"""The installed `journeyman` command at a terminal, as a person uses it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from testing.command_line import COMMAND, clean_environment
from testing.eventually import eventually

AS_LEADER = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Makes a terminal the process's own. Whoever runs these tests in the background has SIGINT ignored."""


class Terminal:
    """A process on a terminal of its own."""

    def __init__(self, process: asyncio.subprocess.Process, master: int) -> None:
        self.process = process
        self._master = master
        self.shown = ""

    async def shows(self, text: str) -> None:
        def read() -> bool:
            with contextlib.suppress(BlockingIOError):
                self.shown += os.read(self._master, 65536).decode(errors="replace")
            return text in self.shown

        await eventually(read)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())


StartTerminal = Callable[..., Awaitable[Terminal]]


@contextlib.asynccontextmanager
async def terminals(folder: Path) -> AsyncIterator[StartTerminal]:
    """Starts commands on terminals, in a directory; none is left."""
    started: list[tuple[asyncio.subprocess.Process, int]] = []

    async def start(*arguments: str, **settings: str) -> Terminal:
        master, slave = pty.openpty()
        os.set_blocking(master, False)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", AS_LEADER, str(COMMAND), *arguments),
            cwd=folder,
            env=clean_environment(TERM="xterm", **settings),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        started.append((process, master))
        return Terminal(process, master)

    yield start
    for process, master in started:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()
        os.close(master)
