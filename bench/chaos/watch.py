"""What the log says while it happens: which tasks have ended, who holds which run, and the first event of some sort."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from shared.contracts import plan, run, task
from shared.event_store.envelope import RecordedEvent
from shared.nats.journal import NatsJournal
from testing.api_client import END

Sort = Callable[[RecordedEvent], bool]


class Watch:
    """A reader of the log with its own connection, past every proxy."""

    def __init__(self, journal: NatsJournal) -> None:
        self._journal: Final = journal
        self.position = 0
        self.ended: dict[str, str] = {}
        """How each task that has come to an end did, by id."""
        self.holders: dict[str, str] = {}
        """The worker that holds a run, by id; a run that has ended is held by nobody."""
        self.unclaimed: dict[str, set[str]] = {"planner": set(), "executor": set()}
        """The tasks that wait for a planner or an executor to claim their work."""
        self.last_progress = time.monotonic()
        self._waiting: list[tuple[Sort, int, asyncio.Future[float]]] = []

    async def run(self) -> None:
        """Read, without end."""
        async for event in self._journal.follow("evt.>", after=0):
            self._note(event)
            for sort, after, future in list(self._waiting):
                if event.position > after and not future.done() and sort(event):
                    future.set_result(time.monotonic())

    async def head(self) -> int:
        """The position of the log's newest event."""
        return await self._journal.last_position()

    async def first(self, sort: Sort, *, after: int) -> float:
        """When (monotonic) the first event of a sort behind a position was seen; waits for it."""
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        waiting = (sort, after, future)
        self._waiting.append(waiting)
        try:
            return await future
        finally:
            self._waiting.remove(waiting)

    def held_at(self, place: str) -> set[str]:
        """The runs whose worker's name ends with this."""
        return {id for id, worker in self.holders.items() if worker.endswith(place)}

    def _note(self, event: RecordedEvent) -> None:
        self.position = event.position
        match event.data:
            case task.PlanningRequested():
                self.unclaimed["planner"].add(event.actor.id)
            case task.ExecutionRequested():
                self.unclaimed["executor"].add(event.actor.id)
            case plan.Claimed():
                self.unclaimed["planner"].discard(event.actor.id)
            case run.Claimed(worker=worker):
                self.unclaimed["executor"].discard(event.actor.id)
                self.holders[event.actor.id] = worker
            case run.Succeeded() | run.Failed() | run.Stopped():
                self.holders.pop(event.actor.id, None)
            case _ if event.kind == "task" and event.name in END:
                self.ended[event.actor.id] = event.name
                self.last_progress = time.monotonic()
