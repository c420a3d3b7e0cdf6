"""A child's end is known at once and by no thread, and without the kernel's help by a thread."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import NoReturn

import pytest

from shared.workspace.child import Child


def begin(script: str) -> Child:
    nothing = subprocess.DEVNULL
    return Child.begin("/bin/sh", "-c", script, cwd="/", env={}, stdin=nothing, stdout=nothing, stderr=nothing)


async def test_an_end_is_known_although_a_helper_stays_behind() -> None:
    child = begin("sleep 60 & exit 3")
    try:
        assert not child.returncode
        async with asyncio.timeout(30):
            assert (await child.wait(), child.returncode) == (3, 3)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


async def test_children_leave_no_descriptor_and_take_no_thread() -> None:
    def taken() -> tuple[int, int]:
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    before = taken()
    children = [begin("kill -9 $$") for _ in range(5)]
    assert taken()[1] == before[1]
    assert [await child.wait() for child in children] == [-9] * 5
    assert taken() == before


async def test_a_kernel_that_tells_no_end_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int) -> NoReturn:
        raise PermissionError

    monkeypatch.setattr(os, "pidfd_open", refuse)
    async with asyncio.timeout(30):
        assert await begin("exit 7").wait() == 7
