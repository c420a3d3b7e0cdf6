"""What agents have left behind on this machine, though nobody claims their work any more."""

from __future__ import annotations

import contextlib
from typing import Final

from cli.connection import Link
from cli.doctor.finding import Finding, bad, good
from shared.claude.orphans import Orphan, clear_orphan, find_orphans
from shared.claude.work_dirs import PLACE
from shared.contracts.messages import Command
from shared.contracts.subjects import Actor
from shared.nats.journal import NatsJournal
from shared.ops.config import BadConfig, Config, load_config
from shared.ops.settings import Settings
from shared.runtime.client import NoAnswer

DOCTOR: Final = "service:doctor"


async def look_for_orphans(link: Link, settings: Settings, *, clean: bool) -> Finding:
    """Find them, and clear them away when ``clean`` is wanted."""
    data = link.endpoint.data
    if not (data / PLACE).exists():
        return good("orphans", f"no agent has worked in {data}")
    found = await find_orphans(data, NatsJournal(link.bus))
    if not found:
        return good("orphans", "no process, worktree or run directory of ended work")
    if not clean:
        return bad("orphans", _words(found), "Clear them away with `journeyman doctor --clean`.")
    config = _config(settings)

    async def tell(actor: Actor, command: Command) -> None:
        # What a process has spent is told by the machine, and never by a person.
        with contextlib.suppress(NoAnswer):  # it is stored, and its service hears of it
            await link.client.send(actor, command, principal=DOCTOR)

    for orphan in found:
        await clear_orphan(orphan, data, lambda name: repo.target if (repo := config.repo_for(name)) else None, tell)
    return good("orphans", f"cleared away: {_words(found)}")


def _words(found: list[Orphan]) -> str:
    processes = sum(len(each.marks) for each in found)
    paths = sum(len(each.paths) for each in found)
    actors = ", ".join(sorted({str(each.work.actor) for each in found})[:5])
    return f"{processes} marked processes and {paths} paths of {actors}"


def _config(settings: Settings) -> Config:
    try:
        return load_config(settings.config_path)
    except BadConfig:
        return Config()
