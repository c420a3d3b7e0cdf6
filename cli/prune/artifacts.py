"""Artifacts that nobody refers to, and checkpoints of tasks that have ended."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from cli.prune.candidate import Candidate, Pruned
from cli.prune.history import EndedTask, History
from shared.nats.bus import Bus
from shared.nats.stored_objects import delete_object, objects_after


async def find(bus: Bus, history: History, ended: dict[str, EndedTask], before: datetime) -> list[Candidate]:
    """Those that were stored before a moment: what is younger may be named by an event that is still to come.

    Checkpoints count when their task is among ``ended``, which the caller has chosen.
    """
    kept = set(history.needed)
    over: dict[str, EndedTask] = {}
    for id, names in history.checkpoints.items():
        if id in ended:
            over |= dict.fromkeys(names, ended[id])
        else:
            kept |= names
    found = []
    async for each in objects_after(bus, 0):
        if each.deleted or each.name in kept or each.stored >= before:
            continue
        task = over.get(each.name)
        reason = f"checkpoint of task {task.id}, which is {task.status}" if task else "no event names it"
        found.append(Candidate(Pruned.ARTIFACTS, each.name, each.size, reason, partial(delete_object, bus, each.name)))
    return found
