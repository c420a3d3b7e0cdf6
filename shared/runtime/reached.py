"""How far a log was followed, for those who wait until it is."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

WITHIN_S: Final = 5.0
"""How long somebody waits: what is heard late counts late, and nobody is kept by it."""


class Reached:
    """A position in the log that only grows."""

    def __init__(self) -> None:
        self._position = 0
        self._waiting: list[tuple[int, asyncio.Event]] = []

    def move(self, position: int) -> None:
        """The log was followed to there."""
        self._position = position
        for wanted, reached in self._waiting:
            if wanted <= position:
                reached.set()
        self._waiting = [each for each in self._waiting if not each[1].is_set()]

    async def wait(self, position: int) -> None:
        """Wait until the log was followed to a position, for `WITHIN_S` at most."""
        if self._position >= position:
            return
        reached = asyncio.Event()
        self._waiting.append((position, reached))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WITHIN_S):
                await reached.wait()
