"""One worker per piece of work in one instance: a new delivery takes over from an old one, a drain hands over."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from shared.event_store.envelope import RecordedEvent
from shared.runtime.activity import ActivityContext, HandOver


class SingleFlight:
    """Runs the work of an activity so that leaving it never stops an agent.

    The work is cancelled when the same event is delivered here again (its message was thought lost), or when the
    service drains and it has not come to its end within ``drain_s`` seconds: the next worker attaches to what still
    runs. Another event of the same actor is other work, in a place of its own: the next round begins while the last
    one still clears up.
    """

    def __init__(self, drain_s: float) -> None:
        self._working: dict[int, asyncio.Task[None]] = {}
        self._drain_s = drain_s

    async def run(self, event: RecordedEvent, context: ActivityContext, work: Coroutine[Any, Any, None]) -> None:
        """Do the work that the event asks for; raises `HandOver` when it was left, and what the work raises."""
        await _leave(self._working.get(event.position))
        task = asyncio.ensure_future(work)
        self._working[event.position] = task
        draining = asyncio.ensure_future(context.draining.wait())
        try:
            await asyncio.wait([task, draining], return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait([task], timeout=self._drain_s)
            await _leave(task)
            if task.cancelled():
                raise HandOver
            task.result()
        finally:
            draining.cancel()
            await _leave(task)
            if self._working.get(event.position) is task:
                del self._working[event.position]


async def _leave(task: asyncio.Task[None] | None) -> None:
    if task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task])
