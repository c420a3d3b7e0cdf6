"""The installed `journeyman` command as people run it: its own process, its own data directory, no settings of ours."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cli.supervisor import record
from tests.support.eventually import eventually

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


Run = Callable[..., Awaitable[Ended]]


def clean_environment(**settings: str) -> dict[str, str]:
    """Our environment without any setting of Journeyman or of Claude, and with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return kept | settings


@pytest.fixture
def journeyman(tmp_path: Path) -> Run:
    """Runs one command to its end, in an empty directory."""

    async def run(*arguments: str | Path, within: float = 60.0, **settings: str) -> Ended:
        process = await asyncio.create_subprocess_exec(
            COMMAND,
            *map(str, arguments),
            cwd=tmp_path,
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

    return run


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


@pytest.fixture
async def start_up(tmp_path: Path) -> AsyncIterator[StartUp]:
    """Starts `journeyman up --port 0 …` over ``tmp_path/data``; everything has ended after the test."""
    started: list[Up] = []

    async def start(*arguments: str, **settings: str) -> Up:
        complaints = tmp_path / f"up-{len(started)}.err"
        with complaints.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                COMMAND,
                *("up", "--port", "0", "--data", str(tmp_path / "data"), *arguments),
                cwd=tmp_path,
                env=clean_environment(**settings),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=file,
            )
        up = Up(process, tmp_path / "data", complaints)
        started.append(up)
        return up

    yield start
    for up in started:
        left = record.read(up.data)
        await up.end()
        for pid in left.pids.values() if left is not None else ():
            if record.is_alive(pid, left.started.get(pid, -1)) if left is not None else False:
                os.kill(pid, signal.SIGKILL)


def living(pids: dict[int, int]) -> list[int]:
    """Those of the processes (number: start) that still run."""
    return [pid for pid, started in pids.items() if record.is_alive(pid, started)]


def patience(seconds: float) -> float:
    """A promise in seconds of this machine with nothing else to do, stretched by how busy it is."""
    return seconds * max(1.0, 2 * os.getloadavg()[0] / (os.cpu_count() or 1))
