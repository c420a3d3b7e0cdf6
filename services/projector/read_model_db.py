"""One open database of read models: fed from the log by one thread, read by others."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

import duckdb

from services.projector.database import open_views
from services.projector.projection.facts import Stored
from services.projector.source import EventSource
from services.projector.writer import Checkpoint, Writer
from shared.nats.bus import Bus

PACE_S: Final = 0.02
"""Least time between two transactions while nothing is behind: many events share one fsync."""
UNASKED_PACE_S: Final = 0.5
"""The same while nobody asks. A transaction takes 7 ms of processor time, few events or many, and a task has 20 of them
within half a second (measured)."""

Result = TypeVar("Result")


class ReadModelDb:
    """The read models of one file. `open` it, `follow` the log, `read` from other threads, `close` it at the end."""

    def __init__(self, path: Path, connection: duckdb.DuckDBPyConnection, thread: ThreadPoolExecutor) -> None:
        self.path = path
        self.behind = 0
        self._connection = connection
        self._thread = thread
        self._writer = Writer(connection)
        self._moved = asyncio.Event()
        self._asked = asyncio.Event()
        self._resting: EventSource | None = None
        self._readers = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @classmethod
    async def open(cls, path: Path) -> ReadModelDb:
        """Open or make the file; raises `database.Unusable`."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="writer")
        connection = await asyncio.get_running_loop().run_in_executor(thread, open_views, path)
        return cls(path, connection, thread)

    @property
    def checkpoint(self) -> Checkpoint:
        """The last event whose rows are here."""
        return self._writer.checkpoint

    async def follow(self, bus: Bus, *, on_batch: Callable[[int], None] = lambda events: None) -> None:
        """Write what the log has behind the checkpoint, and then what comes, without end.

        ``on_batch`` hears how many events each transaction had. Any error ends it for good: what of the last batch
        is in the file, only its checkpoint knows. Raises `LogDamaged`, `CheckpointMoved` and DuckDB's errors.
        """
        async with EventSource(bus, self.checkpoint) as source:
            while True:
                batch = await source.batch(bus.limits.max_projected_events)
                began = time.monotonic()
                await self.write(batch)
                self.behind = source.pending
                on_batch(len(batch))
                self._moved.set()
                self._moved = asyncio.Event()
                if self.behind == 0:
                    await self._rest(source, began)

    async def _rest(self, source: EventSource, began: float) -> None:
        """Let events gather, for as long as nobody asks for them."""
        self._resting = source
        try:
            async with asyncio.timeout(max(0.0, UNASKED_PACE_S - (time.monotonic() - began))):
                await self._asked.wait()
        except TimeoutError:
            return
        finally:
            self._resting = None
            self._asked.clear()
        await asyncio.sleep(max(0.0, PACE_S - (time.monotonic() - began)))

    async def write(self, batch: Sequence[Stored]) -> None:
        """Write a batch that goes on from the checkpoint; raises as `follow` does."""
        # Never cancelled half-way: a thread cannot be, and the position must be known.
        await _to_the_end(asyncio.get_running_loop().run_in_executor(self._thread, self._writer.apply, batch))

    async def moved(self) -> None:
        """Wait for the next transaction, which then comes as soon as there is an event for it."""
        self._asked.set()
        await self._moved.wait()

    async def gathered(self) -> None:
        """Wait for the events that have come and only wait for others to share their transaction."""
        if self._resting is not None and self._resting.has_waiting:
            await self.moved()

    async def read(self, threads: ThreadPoolExecutor, ask: Callable[[duckdb.DuckDBPyConnection], Result]) -> Result:
        """Run ``ask`` in a thread on a snapshot of its own."""
        self._readers += 1
        self._idle.clear()
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, self._ask, ask)
        finally:
            self._readers -= 1
            if self._readers == 0:
                self._idle.set()

    async def close(self) -> None:
        """Wait for readers and close the file."""
        await self._idle.wait()
        # A database that failed for good cannot be closed properly either; what it has is safe in its file.
        with contextlib.suppress(duckdb.Error):
            await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()

    def _ask(self, ask: Callable[[duckdb.DuckDBPyConnection], Result]) -> Result:
        cursor = self._connection.cursor()
        try:
            cursor.begin()
            return ask(cursor)
        finally:
            with contextlib.suppress(duckdb.Error):
                cursor.rollback()
            cursor.close()


async def _to_the_end(work: asyncio.Future[Checkpoint]) -> None:
    """Wait for work in a thread; a cancellation is passed on when it has ended."""
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise
