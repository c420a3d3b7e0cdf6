"""Records golden logs of this version: ``python -m tests.golden.record plain cancelled``, or ``missing``.

A log that is there is never made anew: it is a fact of its version.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import socket
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from shared.backup.archive import Archived
from shared.nats.streams import provision
from shared.ops.version import VERSION
from testing.nats import Nats
from testing.service_group import ROOT, ServiceGroup
from testing.slow_timings import connect_patiently
from testing.stream_limits import SMALL
from tests.golden.logs import HERE, Golden, Told, all_logs
from tests.golden.play import Play
from tests.golden.retelling import everything_in, retell
from tests.golden.scenarios import SCENARIOS, Scenario

MACHINE_PATHS: Final = re.compile(
    r"(?<![\w./-])/(?:tmp|root|home|work|srv|mnt|opt|var|usr|dev/shm|private|Users)/[\w./-]+"
)
"""A path as it is on some machine, and on no other."""
MISSING: Final = "missing"


class NotNeutral(Exception):
    """The log says where it was made; the text says how."""


async def record(scenario: Scenario, golden: Golden) -> int:
    """Play a scenario and keep its log; returns how many events that are. Raises FileExistsError, `NotNeutral`."""
    if golden.folder.exists():
        raise FileExistsError(f"{golden.name} is there: golden logs are never edited.")
    with tempfile.TemporaryDirectory(prefix="golden-") as scratch:
        place = Path(scratch)
        log = await _play(scenario, place)
        told = await _tell(log, place)
        if found := traces(
            (event.body.decode() for event in log), [str(place), socket.gethostname(), *of_this_place()]
        ):
            raise NotNeutral(f"{golden.name} names where it was made: {found}")
    golden.write(log, told)
    return len(log)


def of_this_place() -> list[str]:
    """What no golden log may contain: this checkout's path, the home directory, and this machine's name.

    A machine that is called by a plain word is not looked for: the word may stand there for something else.
    """
    host = socket.gethostname()
    return [str(ROOT), str(Path.home()), *([] if host.isalpha() else [host])]


def traces(texts: Iterable[str], names: Iterable[str]) -> list[str]:
    """Every path of some machine, and every one of these names, that stands in the texts."""
    named = re.compile("|".join(rf"(?<![\w/.-]){re.escape(name)}(?![\w-])" for name in names if len(name) > 1))
    return sorted(
        {found[0] for text in texts for pattern in (MACHINE_PATHS, named) for found in pattern.finditer(text)}
    )


async def _play(scenario: Scenario, place: Path) -> list[Archived]:
    async with ServiceGroup(place / "group", ack_wait_s=scenario.ack_wait_s, checks=scenario.checks) as group:
        await scenario.play(Play(group))
        # What comes behind the last event that was waited for is part of the log too.
        await asyncio.gather(*(member.stop() for member in group.members.values()))
        return await everything_in(group.bus, place / "archive")


async def _tell(log: list[Archived], place: Path) -> Told:
    nats = Nats(place / "nats")
    await nats.start()
    bus = await connect_patiently(nats.url, name="golden")
    try:
        await provision(bus, SMALL)
        return await retell(bus, log, place / "told")
    finally:
        await bus.close()
        await nats.stop()


def main() -> None:
    """The command; exit 1 when a log is there already, or cannot be made."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden.record", description="Records golden logs.")
    parser.add_argument("scenario", nargs="+", choices=[*SCENARIOS, MISSING], help=f"{MISSING}: those of no version")
    wanted: list[str] = parser.parse_args().scenario
    places = {name: Golden(HERE / VERSION / name) for name in SCENARIOS}
    if MISSING in wanted:
        wanted = sorted(SCENARIOS.keys() - {golden.folder.name for golden in all_logs()})
    for name in wanted:
        try:
            events = asyncio.run(record(SCENARIOS[name], places[name]))
        except (FileExistsError, NotNeutral, AssertionError) as error:
            sys.exit(f"{name}: {error}")
        print(f"{places[name].name}: {events} events")


if __name__ == "__main__":
    main()
