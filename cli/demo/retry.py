"""Trying again while a service is being restarted: the demonstration goes on where a person would, too."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import httpx

from cli.failures import Failure
from shared.runtime.client import QueryFailed

T = TypeVar("T")
PATIENCE_S: Final = 30.0
PAUSE_S: Final = 0.2
_AWAY: Final = frozenset({"projector-away", "not-caught-up", "busy"})


class Away(Exception):
    """A service does not answer right now; the text says which."""


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """The answer, asked for again while a service is away; raises `Failure` after half a minute."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await ask()
        except (QueryFailed, httpx.TransportError, Away) as error:
            if isinstance(error, QueryFailed) and error.code not in _AWAY:
                raise
            if time.monotonic() > deadline:
                raise Failure(str(error) or type(error).__name__) from error
        await asyncio.sleep(PAUSE_S)
