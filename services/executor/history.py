"""What a run's own events say of the attempts before this one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from shared.contracts import run
from shared.envelope import Recorded


class History(msgspec.Struct, frozen=True):
    """The attempts at one round: who made them, and up to which byte of each process's output all is recorded."""

    workers: Mapping[int, str]
    recorded: Mapping[str, int]

    @classmethod
    def of(cls, events: Iterable[Recorded], requested: int) -> History:
        """From a run's events behind the request of the round, which stands at stream sequence ``requested``."""
        workers: dict[int, str] = {}
        recorded: dict[str, int] = {}
        for event in events:
            match event.data:
                case run.Claimed(attempt=attempt, worker=worker) if event.position > requested:
                    workers[attempt] = worker
                case run.Checkpointed(process=process, offset=offset) if event.position > requested and process:
                    recorded[process] = max(offset, recorded.get(process, 0))
                case _:
                    continue
        return cls(workers, recorded)

    def worker_before(self, attempt: int) -> str:
        """Who made the attempt before this one; empty when this is the round's first."""
        return self.workers.get(attempt - 1, "")
