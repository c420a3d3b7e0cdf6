"""`journeyman replay` as its own process, and what it has printed."""

from __future__ import annotations

import asyncio
import re
import signal
from typing import Self

from testing.command_line import COMMAND, clean_environment
from testing.eventually import eventually


class ReplayProcess:
    """A running replay; ends with its context, as by Ctrl-C."""

    def __init__(self, nats_url: str, *arguments: str) -> None:
        self._arguments = arguments
        self._environment = clean_environment(JOURNEYMAN_NATS_URL=nats_url)
        self.process: asyncio.subprocess.Process
        self.said = ""
        self._reading: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self.process = await asyncio.create_subprocess_exec(
            COMMAND,
            "replay",
            *self._arguments,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self._reading = asyncio.create_task(self._read())
        await eventually(lambda: "?replay=" in self.said or self._reading.done(), within=60)
        assert "?replay=" in self.said, self.said
        return self

    async def __aexit__(self, *exit: object) -> None:
        await self.interrupt()

    @property
    def page(self) -> str:
        """The path that it says to open: ``/?replay=…``."""
        found = re.search(r"https?://[^/\s]+(/\S*\?replay=\w+)", self.said)
        assert found is not None, self.said
        return found[1]

    @property
    def session(self) -> str:
        return self.page.rpartition("=")[2]

    @property
    def told(self) -> list[int]:
        """The sequences that it has told so far."""
        return [int(number) for number in re.findall(r"^\S+ \S+ +#(\d+) ", self.said, re.MULTILINE)]

    async def interrupt(self) -> int:
        """As Ctrl-C does; returns how it ended."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGINT)
        return await self.ended()

    async def ended(self) -> int:
        """Wait for its end; returns the exit code."""
        try:
            return await asyncio.wait_for(self.process.wait(), 60)
        except TimeoutError:
            self.process.kill()
            raise
        finally:
            await self._reading

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.said += line.decode()
