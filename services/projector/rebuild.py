"""Building the read models anew from the log, into a second file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from services.projector.database import locked, point_to, remove, remove_others, successor
from services.projector.read_model_db import ReadModelDb
from services.projector.source import check_log
from services.projector.writer import Checkpoint
from shared.nats.bus import Bus

FOLDER = "projector"
"""Where a data directory keeps the read models."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a rebuild has come: stream sequences, and events per second since it began."""

    state: Literal["running", "done", "failed"]
    seq: int
    target: int
    events_per_s: float
    problem: str = ""


class Pace:
    """Measures a rebuild. Its clock goes to people only, never into rows."""

    def __init__(self, target: int) -> None:
        self.target = target
        self._began = time.monotonic()
        self._ended = 0.0
        self._events = 0
        self._state: Literal["running", "done", "failed"] = "running"
        self._problem = ""

    def count(self, events: int) -> None:
        """Some more events were written."""
        self._events += events

    def end(self, problem: str = "") -> None:
        """It is over."""
        self._state, self._problem = ("failed" if problem else "done"), problem
        self._ended = time.monotonic()

    def progress(self) -> Progress:
        """As of now."""
        seconds = max(1e-6, (self._ended or time.monotonic()) - self._began)
        return Progress(
            state=self._state,
            seq=self._events,
            target=max(self.target, self._events),
            events_per_s=round(self._events / seconds, 1),
            problem=self._problem,
        )


async def rebuild(bus: Bus, data_dir: Path, progress: Callable[[Progress], None] = lambda progress: None) -> Progress:
    """Rebuild while no projector runs on this data directory; ``progress`` hears of every batch.

    Raises `database.Busy` when one does: ask it on ``qry.project.rebuild`` instead. Raises `LogDamaged` too.
    """
    folder = data_dir / FOLDER
    with locked(folder):
        path = successor(folder)
        pace = Pace(await check_log(bus, Checkpoint(0, "")))
        views = await ReadModelDb.open(path)

        def on_batch(events: int) -> None:
            pace.count(events)
            progress(pace.progress())

        try:
            await follow_to(views, bus, pace.target, on_batch)
        except BaseException:
            await views.close()
            remove(path)
            raise
        await views.close()
        point_to(path)
        remove_others(path)
    pace.end()
    progress(pace.progress())
    return pace.progress()


async def follow_to(views: ReadModelDb, bus: Bus, target: int, on_batch: Callable[[int], None]) -> None:
    """Follow the log up to a position, then stop."""
    feed = asyncio.create_task(views.follow(bus, on_batch=on_batch))
    try:
        await reached(views, target, feed)
    finally:
        feed.cancel()
        await asyncio.wait([feed])


async def reached(views: ReadModelDb, target: int, feed: asyncio.Task[None]) -> None:
    """Wait until the views have come to a position; raises what ended their feed."""
    while views.checkpoint.seq < target:
        moved = asyncio.ensure_future(views.moved())
        done, _ = await asyncio.wait([moved, feed], return_when=asyncio.FIRST_COMPLETED)
        moved.cancel()
        if feed in done:
            feed.result()
            return
