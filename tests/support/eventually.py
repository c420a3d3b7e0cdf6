"""Waiting for a promise to come true, instead of sleeping."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(probe: Callable[[], T | Awaitable[T]], *, within: float = 30.0, every: float = 0.02) -> T:
    """The first truthy value of ``probe``; its last failure when none came ``within`` seconds."""
    deadline = time.monotonic() + within
    while True:
        failure: AssertionError | None = None
        value: T | None = None
        try:
            result = probe()
            value = await result if inspect.isawaitable(result) else result
        except AssertionError as error:
            failure = error
        if value:
            return value
        if time.monotonic() > deadline:
            raise failure or AssertionError(f"not within {within:g} s: {inspect.getsource(probe).strip()[:200]}")
        await asyncio.sleep(every)
