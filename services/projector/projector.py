"""The projector: one current database, and the hand-over to a rebuilt one."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog

from services.projector import metrics
from services.projector.database import current, point_to, remove, remove_others, successor
from services.projector.export import read_everything
from services.projector.queries.params import Refused
from services.projector.read_model_db import ReadModelDb
from services.projector.rebuild import Pace, reached
from services.projector.source import check_log
from shared.nats.bus import Bus
from shared.ops.crash_points import crash_point

MIN_SEQ_PATIENCE_S: Final = 5.0
"""How long a question waits for the event it wants to see."""
LOOK_AGAIN_S: Final = 0.25

log = structlog.get_logger(__name__)


class Projector:
    """Owns the read models of a folder; the caller holds the folder's lock."""

    def __init__(self, bus: Bus, folder: Path) -> None:
        self._bus = bus
        self._folder = folder
        self._draining = asyncio.Event()
        self._views: ReadModelDb | None = None
        self._feed: asyncio.Task[None] | None = None
        self._rebuild: asyncio.Task[None] | None = None
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.pace: Pace | None = None

    @property
    def views(self) -> ReadModelDb:
        """The database that answers."""
        assert self._views is not None
        return self._views

    async def start(self) -> int:
        """Open the database, compare it with the log, begin to follow; returns the log's last sequence.

        Raises `database.Unusable`, `LogDamaged`, `NatsUnreachable`.
        """
        path = current(self._folder)
        self._views = await ReadModelDb.open(path)
        try:
            # A server that has just started may still read its streams.
            last = await self._bus.wait_for_jetstream(partial(check_log, self._bus, self.views.checkpoint))
        except BaseException:
            await self.views.close()
            raise
        log.info("read models open", file=path.name, position=self.views.checkpoint.seq, log=last)
        point_to(path)
        remove_others(path)
        self._feed = asyncio.create_task(self.views.follow(self._bus, on_batch=self._count))
        return last

    async def run(self) -> None:
        """Follow the log until `drain`. Raises whatever ends the feed: then the process must end."""
        draining = asyncio.ensure_future(self._draining.wait())
        while not draining.done():
            feed = self._feed
            assert feed is not None
            waiting: list[asyncio.Future[Any]] = [draining, feed, self._broken]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if self._broken.done():
                self._broken.result()
            # A feed that ended because a rebuilt database took over is no failure.
            if feed.done() and feed is self._feed:
                feed.result()

    def drain(self) -> None:
        """Ask `run` to end."""
        self._draining.set()

    def broken(self, error: BaseException | None) -> None:
        """Something beside the feed failed for good, such as a read of a damaged file: `run` raises the error."""
        if error is not None and not self._broken.done():
            self._broken.set_exception(error)

    async def at_least(self, seq: int) -> ReadModelDb:
        """The current views once they include an event and all that has come here by now.

        Raises `Refused` when the event does not come in time.
        """
        deadline = asyncio.get_running_loop().time() + MIN_SEQ_PATIENCE_S
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_AGAIN_S):
                await self.views.gathered()
        while self.views.checkpoint.seq < seq:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                raise Refused(
                    "not-caught-up",
                    f"The read models are at {self.views.checkpoint.seq} and have not reached {seq}: try again.",
                )
            # Looking again now and then notices a hand-over to other views.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.views.moved(), min(left, LOOK_AGAIN_S))
        return self.views

    async def caught_up(self, target: int) -> bool:
        """Wait for a position; False when the feed ended before (`run` tells why)."""
        assert self._feed is not None
        with contextlib.suppress(Exception):
            await reached(self.views, target, self._feed)
        return self.views.checkpoint.seq >= target

    async def inspect(self) -> None:
        """Read every row once: damage shows here, and not months later in a question for just that row.

        Raises DuckDB's error.
        """
        thread = ThreadPoolExecutor(1, thread_name_prefix="inspector")
        try:
            await self.views.read(thread, read_everything)
        finally:
            thread.shutdown(wait=False)

    async def rebuild(self) -> Pace:
        """Begin to rebuild beside the current database, or tell how the running rebuild goes."""
        if self._rebuild is None or self._rebuild.done():
            self.pace = Pace(self.views.checkpoint.seq)
            self._rebuild = asyncio.create_task(self._rebuild_and_switch(self.pace))
        assert self.pace is not None
        return self.pace

    async def _rebuild_and_switch(self, pace: Pace) -> None:
        path = successor(self._folder)
        log.info("rebuilding the read models", file=path.name)
        fresh = await ReadModelDb.open(path)
        crash_point("rebuild.begun")
        feed = asyncio.create_task(fresh.follow(self._bus, on_batch=pace.count))
        try:
            await reached(fresh, pace.target, feed)
            await reached(fresh, self.views.checkpoint.seq, feed)
        except BaseException as error:
            feed.cancel()
            await asyncio.wait([feed])
            await fresh.close()
            remove(path)
            pace.end(problem=str(error) or type(error).__name__)
            log.error("the rebuild failed; the read models stay as they are", error=pace.progress().problem)
            if not isinstance(error, Exception):
                raise
            return
        crash_point("rebuild.caught-up")
        await self._switch(fresh, feed)
        pace.end()
        log.info("the rebuilt read models have taken over", file=path.name, position=fresh.checkpoint.seq)

    async def _switch(self, fresh: ReadModelDb, feed: asyncio.Task[None]) -> None:
        """Old views stop, new ones catch up with them, and take over: no answer is older than one before it."""
        old, old_feed = self.views, self._feed
        assert old_feed is not None
        self._feed = feed
        old_feed.cancel()
        await asyncio.wait([old_feed])
        await reached(fresh, old.checkpoint.seq, feed)
        self._views = fresh
        crash_point("rebuild.switched")
        point_to(fresh.path)
        crash_point("rebuild.named")
        await old.close()
        remove_others(fresh.path)

    def _count(self, events: int) -> None:
        metrics.EVENTS.inc(events)
        metrics.POSITION.set(self.views.checkpoint.seq)
        metrics.BEHIND.set(self.views.behind)

    async def close(self) -> None:
        """Stop following, forget a running rebuild, close the database."""
        for task in (self._rebuild, self._feed):
            if task is not None and not task.done():
                task.cancel()
                await asyncio.wait([task])
        self._broken.cancel()
        await self.views.close()
