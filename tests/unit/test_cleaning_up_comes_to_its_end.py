"""What is cleaned up without interruption is clean when its caller goes on, however often that one is cancelled."""

from __future__ import annotations

import asyncio

import pytest

from shared.ops.uninterrupted import uninterrupted


async def test_a_cancellation_is_raised_when_the_work_is_done() -> None:
    begun, may_end, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await may_end.wait()
        done.set()

    caller = asyncio.create_task(uninterrupted(work()))
    await begun.wait()
    for _ in range(2):
        caller.cancel()
        await asyncio.wait({caller}, timeout=0.01)
        assert not caller.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert done.is_set()


async def test_what_comes_of_the_work_is_what_its_caller_gets() -> None:
    async def fail() -> None:
        raise ValueError("no")

    assert await uninterrupted(asyncio.sleep(0, "yes")) == "yes"
    with pytest.raises(ValueError, match="no"):
        await uninterrupted(fail())
