"""How fast content may change: GitHub allows 80 changes a minute and 500 an hour, one after the other.

Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from enum import IntEnum
from itertools import count
from typing import Final

from services.gateway.github.errors import RateLimited

PER_MINUTE: Final = 80
PER_HOUR: Final = 500


class Importance(IntEnum):
    """Which change goes first when several wait, the lowest first, and how much of the budget it may use."""

    COMMENT = 0
    STATE = 1
    """Pull requests, check runs and labels."""
    REACTION = 2

    @property
    def share(self) -> float:
        """The part of each budget that changes of this kind may use up; the rest is kept for what goes before."""
        return {Importance.COMMENT: 1.0, Importance.STATE: 0.9, Importance.REACTION: 0.7}[self]


class Budget:
    """One account's changes of content. One process counts its own; GitHub's answers bound several together."""

    def __init__(
        self,
        *,
        per_minute: int = PER_MINUTE,
        per_hour: int = PER_HOUR,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._windows = ((60.0, per_minute), (3600.0, per_hour))
        self._clock = clock
        self._made: deque[float] = deque()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()
        self._busy = False

    @contextlib.asynccontextmanager
    async def turn(self, importance: Importance, *, counts: bool = True) -> AsyncIterator[None]:
        """The right to make one change now, alone. Raises `RateLimited` when the budget is used up.

        What takes something away does not count: the limits are about content that is made.
        """
        await self._enter(importance)
        try:
            if counts:
                self._spend(importance)
            yield
        finally:
            self._leave()

    async def _enter(self, importance: Importance) -> None:
        if not self._busy:
            self._busy = True
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (importance, next(self._order), mine))
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._leave()  # it was our turn already
            raise

    def _leave(self) -> None:
        while self._waiting:
            _, _, following = heapq.heappop(self._waiting)
            if not following.done():
                following.set_result(None)
                return
        self._busy = False

    def _spend(self, importance: Importance) -> None:
        now = self._clock()
        while self._made and self._made[0] <= now - self._windows[-1][0]:
            self._made.popleft()
        for seconds, most in self._windows:
            allowed = max(int(most * importance.share), 1)
            recent = [each for each in self._made if each > now - seconds]
            if len(recent) >= allowed:
                raise RateLimited("The budget of changes on GitHub is used up", recent[-allowed] + seconds)
        self._made.append(now)
