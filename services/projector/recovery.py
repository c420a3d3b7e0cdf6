"""Keeping the read models alive: answers from one file, and the next file when that one turns out to be damaged."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import duckdb

from services.projector.database import is_corruption, point_to, set_aside, successor
from services.projector.projector import Projector
from services.projector.query_server import QueryServer
from services.projector.read_model_db import ReadModelDb
from shared.ops.crash_points import crash_point
from shared.runtime.service import Service

PATIENCE_S: Final = 10.0
"""How long the service's readiness waits for the read models; a longer catching up goes on beside it."""
PAUSE_S: Final = 1.0
"""Between two files: a disk that damages every file must not fill the log with that."""


class Recovery:
    """`start` it once, then `run` it until `drain`; the caller holds the folder's lock."""

    def __init__(self, service: Service, folder: Path) -> None:
        self._service = service
        self._folder = folder
        self._draining = False
        self._begin()

    @property
    def position(self) -> int:
        """The last event whose rows are in the read models."""
        return self._projector.views.checkpoint.seq

    @property
    def path(self) -> Path:
        """Their file."""
        return self._projector.views.path

    @property
    def answering(self) -> ReadModelDb | None:
        """The read models, once they have caught up and while they are whole."""
        return None if "views" in self._service.problems else self._projector.views

    async def start(self) -> None:
        """Open the read models, and answer from them as soon as they have caught up; `caught_up` waits for that.

        Raises `database.Unusable`, `LogDamaged`.
        """
        target = await self._projector.start()
        self._service.problems["views"] = "catching up with the log"
        self._answering = asyncio.create_task(self._answer(self._projector, target))

    async def caught_up(self) -> None:
        """Wait for the first answers, but not for long."""
        await asyncio.wait([self._answering], timeout=PATIENCE_S)

    async def run(self) -> None:
        """Follow the log; damaged read models are set aside and built anew. Raises any other error: then leave."""
        while (damage := await self._until_damaged()) is not None and not self._draining:
            set_aside(self.path, damage)
            crash_point("damage.set-aside")
            # A name of its own: under the old one DuckDB might still know the old file.
            point_to(successor(self._folder))
            await asyncio.sleep(PAUSE_S)
            self._begin()
            await self.start()

    def drain(self) -> None:
        """Ask `run` to end."""
        self._draining = True
        self._projector.drain()

    def _begin(self) -> None:
        self._projector = Projector(self._service.bus, self._folder)
        self._answers = QueryServer(self._service.bus, self._projector, self._folder, self._service.settings.machine_id)
        if self._draining:
            self._projector.drain()

    async def _until_damaged(self) -> duckdb.Error | None:
        """The error that tells of damage; None after `drain`."""
        try:
            await self._projector.run()
        except duckdb.Error as error:
            if not is_corruption(error):
                raise
            self._service.problems["views"] = "damaged: they are built anew from the log"
            return error
        finally:
            self._answering.cancel()
            await self._answers.stop()
            await self._projector.close()
        return None

    async def _answer(self, projector: Projector, target: int) -> None:
        try:
            if await projector.caught_up(target):
                await self._answers.start()
                del self._service.problems["views"]
                await projector.inspect()
        except Exception as error:
            projector.broken(error)
