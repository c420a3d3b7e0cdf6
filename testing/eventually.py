"""Waiting for a promise to come true, instead of sleeping."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")


@overload
async def eventually(probe: Callable[[], Awaitable[T | None]], *, within: float = ..., every: float = ...) -> T: ...


@overload
async def eventually(probe: Callable[[], T | None], *, within: float = ..., every: float = ...) -> T: ...


async def eventually(
    probe: Callable[[], T | Awaitable[T | None] | None], *, within: float = 60.0, every: float = 0.02
) -> T:
    """The first truthy value of ``probe``; its last failure when none came ``within`` seconds.

    A file that vanishes while it is looked at is such a failure: others are at work there.
    """
    deadline = time.monotonic() + within
    while True:
        failure: AssertionError | FileNotFoundError | None = None
        value: T | None = None
        try:
            result = probe()
            value = await result if inspect.isawaitable(result) else result
        except (AssertionError, FileNotFoundError) as error:
            failure = error
        if value:
            return value
        if time.monotonic() > deadline:
            raise failure or AssertionError(f"not within {within:g} s: {inspect.getsource(probe).strip()[:200]}")
        await asyncio.sleep(every)


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel a task until it has ended: `asyncio.wait_for`, which nats-py uses, may swallow a cancellation (3.11)."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=1)
