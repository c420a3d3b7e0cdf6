"""Fixtures that run the installed `journeyman` command."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cli.supervisor import record
from shared.ops import proc as processes
from testing.command_line import COMMAND, Ended, Run, StartUp, Up, clean_environment, run_in
from testing.terminal import StartTerminal, terminals


@pytest.fixture
def journeyman(tmp_path: Path) -> Run:
    """Runs one command to its end, in an empty directory."""

    async def run(*arguments: str | Path, within: float = 120.0, **settings: str) -> Ended:
        return await run_in(tmp_path, *arguments, within=within, **settings)

    return run


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
            if processes.is_alive(pid, left.started.get(pid, -1)) if left is not None else False:
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
async def terminal(tmp_path: Path) -> AsyncIterator[StartTerminal]:
    """Starts a command on a terminal."""
    async with terminals(tmp_path) as start:
        yield start
