"""The projector: wiring only."""

from __future__ import annotations

import duckdb

from services.projector.database import Busy, Unusable, explained, locked
from services.projector.read_model_metrics import TotalsReader
from services.projector.rebuild import FOLDER
from services.projector.recovery import Recovery
from services.projector.writer import CheckpointMoved
from shared.event_store.journal import LogDamaged
from shared.ops.settings import Settings
from shared.ops.timings import PRODUCTION, Timings
from shared.runtime.service import CannotStart, Service
from shared.runtime.service import main as run_service


async def run(settings: Settings, timings: Timings) -> None:
    """Connect, own the read models, catch up, answer."""
    service = await Service.connect("projector", settings, timings)
    folder = settings.data_dir / FOLDER
    try:
        with locked(folder):
            recovery = Recovery(service, folder)
            await recovery.start()
            await recovery.caught_up()
            service.loop(recovery.run, drain=recovery.drain)
            totals = TotalsReader(recovery)
            service.loop(totals.run, drain=totals.drain)
            try:
                await service.run(lambda: {"position": recovery.position})
            except duckdb.Error as error:
                raise CannotStart(explained(error, recovery.path)) from error
    except (Busy, Unusable, LogDamaged, CheckpointMoved) as error:
        raise CannotStart(str(error)) from error
    finally:
        await service.bus.close()


def main(timings: Timings = PRODUCTION) -> None:
    """Entry point of the service."""
    run_service("projector", run, timings)


if __name__ == "__main__":
    main()
