"""The projector: wiring only."""

from __future__ import annotations

import asyncio
from pathlib import Path

import duckdb
import structlog

from services.projector.answering import Answers
from services.projector.database import Busy, Unusable, is_corruption, locked, move_aside
from services.projector.projector import Projector
from services.projector.rebuild import FOLDER
from services.projector.writer import CheckpointMoved
from shared.journal import LogDamaged
from shared.service import CannotStart, Service
from shared.service import main as run_service
from shared.settings import Settings

PATIENCE_S = 10.0
"""How long the service's readiness waits for the read models; a longer catching up goes on beside it."""

log = structlog.get_logger(__name__)


async def run(settings: Settings) -> None:
    """Connect, own the read models, catch up, answer."""
    service = await Service.connect("projector", settings)
    folder = settings.data_dir / FOLDER
    try:
        with locked(folder):
            await _own(service, Projector(service.bus, folder), folder)
    except (Busy, Unusable, LogDamaged, CheckpointMoved) as error:
        raise CannotStart(str(error)) from error
    finally:
        await service.bus.close()


async def _own(service: Service, projector: Projector, folder: Path) -> None:
    answers = Answers(service.bus, projector, folder, service.settings.machine_id)
    target = await projector.start()
    service.problems["views"] = "catching up with the log"

    async def answer() -> None:
        if await projector.caught_up(target):
            await answers.start()
            del service.problems["views"]

    async def work() -> None:
        try:
            await projector.run()
        finally:
            answering.cancel()
            await answers.stop()
            await projector.close()

    answering = asyncio.create_task(answer())
    answering.add_done_callback(lambda task: None if task.cancelled() else projector.broken(task.exception()))
    await asyncio.wait([answering], timeout=PATIENCE_S)
    service.loop(work, drain=projector.drain)
    try:
        await service.run(lambda: {"position": projector.views.checkpoint.seq})
    except duckdb.Error as error:
        raise CannotStart(_explained(error, projector.views.path)) from error


def _explained(error: duckdb.Error, path: Path) -> str:
    reason = str(error).splitlines()[0]
    if not is_corruption(error):
        return (
            f"The read models at {path} cannot be used any more ({reason}): start again, it goes on where it stopped."
        )
    aside = move_aside(path)
    return f"The read models were damaged ({reason}): moved to {aside}; start again to rebuild them from the log."


def main() -> None:
    """Entry point of the service."""
    run_service("projector", run)


if __name__ == "__main__":
    main()
