"""The installed `journeyman` command as people run it: its own process, no settings of ours."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, NamedTuple

from cli.supervisor import record
from testing.eventually import eventually

COMMAND = Path(sys.executable).parent / "journeyman"
_OURS = ("JOURNEYMAN_", "ANTHROPIC_", "CLAUDE_")


class Ended(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Coroutine[Any, Any, Ended]]


def clean_environment(**settings: str) -> dict[str, str]:
    """Our environment without any setting of Journeyman or of Claude, and with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return kept | settings


async def run_in(folder: Path, *arguments: str | Path, within: float = 60.0, **settings: str) -> Ended:
    """Run one command in a directory to its end."""
    process = await asyncio.create_subprocess_exec(
        COMMAND,
        *map(str, arguments),
        cwd=folder,
        env=clean_environment(**settings),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), within)
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


class Up:
    """A running `journeyman up`."""

    def __init__(self, process: asyncio.subprocess.Process, data: Path, complaints: Path) -> None:
        self.process = process
        self.data = data
        self.ready: dict[str, Any] = {}
        self._complaints = complaints

    @property
    def said(self) -> str:
        """Standard error so far."""
        return self._complaints.read_text(errors="replace")

    def record(self) -> record.Record:
        found = record.read(self.data)
        assert found is not None, "no record of what runs"
        return found

    async def wait_ready(self) -> None:
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), 90)
        assert line, f"it ended before it was ready:\n{self.said}"
        self.ready = json.loads(line)

    async def wait_back(self, name: str, old: int, *, within: float) -> float:
        """Seconds until a new process does the work of the one that was killed."""
        began = time.monotonic()
        await eventually(lambda: self.record().pids.get(name, old) != old, within=within)
        return time.monotonic() - began

    async def end(self, number: int = signal.SIGTERM) -> int:
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), 90)


StartUp = Callable[..., Awaitable[Up]]
