"""Whether anything was lost or happened twice: decided from the log, the repositories and the read models' file."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import duckdb
import msgspec

from bench.chaos.work import Brought
from services.projector.database import current, open_views
from services.projector.export import dump
from services.projector.projection.facts import Stored
from services.projector.writer import Writer
from shared.contracts import delivery
from shared.event_store.envelope import RecordedEvent, decode_event
from shared.nats.bus import Bus
from shared.nats.feed import Feed
from shared.nats.streams import EVENTS
from testing.checker import (
    KINDS,
    Tip,
    branches_of,
    problems_of_branch,
    problems_of_events,
    problems_of_log,
    problems_of_read_models,
)

BATCH: Final = 4000
SHOWN: Final = 20


class ChaosVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the work. ``lost`` and ``doubled`` count tasks; ``problems`` says what is wrong, the first ones."""

    accepted: int
    completed: int
    commits: int
    lost: int
    doubled: int
    events: int
    problems: list[str]

    @property
    def good(self) -> bool:
        """Whether everything that was accepted was done, once, and everything agrees."""
        return not (self.problems or self.lost or self.doubled)


async def judge(
    bus: Bus, data: Path, repositories: Mapping[str, Path], accepted: Mapping[str, Brought]
) -> ChaosVerdict:
    """Look at everything, after all services have ended."""
    stored = await _everything(bus)
    problems = await problems_of_log(bus)
    stories, deliveries = _sorted(stored)
    branches = {name: branches_of(path) for name, path in repositories.items()}
    found = {id: _problems_of(stories.get(id, []), brought, branches) for id, brought in accepted.items()}
    lost = {id for id in accepted if not any(each.name in ("completed", "answered") for each in stories.get(id, []))}
    strangers = set(stories) - set(accepted)
    twice = {id for id, each in found.items() if each and id not in lost}
    problems += [f"nobody brought the task {id}" for id in sorted(strangers)]
    problems += [f"{id}: {problem}" for id, each in found.items() for problem in each]
    problems += _problems_of_deliveries(deliveries, accepted)
    problems += _problems_of_branches(branches, accepted)
    if not problems:
        file = current(data / "projector")
        problems += problems_of_read_models(file, stories, len(stored))
        problems += await asyncio.to_thread(_problems_of_fold, file, stored)
    return ChaosVerdict(
        accepted=len(accepted),
        completed=len(accepted) - len(lost),
        commits=sum(len(each) - 1 for each in branches.values()),
        lost=len(lost),
        doubled=len(twice) + len(strangers),
        events=len(stored),
        problems=[problem[:400] for problem in problems[:SHOWN]],
    )


async def _everything(bus: Bus) -> list[Stored]:
    last = (await bus.js.stream_info(EVENTS)).state.last_seq
    found: list[Stored] = []
    if not last:
        return found
    async with Feed(bus, EVENTS, "evt.>", after=0, batch=BATCH, last=last) as feed:
        async for message in feed:
            found.append(Stored(message.position, message.subject, message.data))
            if message.position >= last:
                break
    return found


def _sorted(stored: Sequence[Stored]) -> tuple[dict[str, list[RecordedEvent]], Counter[str]]:
    """The events of each task's actors in the order of the log, and how often each delivery was accepted."""
    stories: defaultdict[str, list[RecordedEvent]] = defaultdict(list)
    deliveries: Counter[str] = Counter()
    for each in stored:
        event = decode_event(each.subject, each.body, each.seq)
        if event.kind in KINDS:
            stories[event.actor.id].append(event)
        elif isinstance(event.data, delivery.Accepted):
            deliveries[event.data.delivery] += 1
    return dict(stories), deliveries


def _problems_of(
    story: Sequence[RecordedEvent], brought: Brought, branches: Mapping[str, Mapping[str, Tip]]
) -> list[str]:
    if not story:
        return ["it was accepted, and the log knows no such task"]
    if brought.is_question:
        return problems_of_events(story, "answered")
    return problems_of_events(story) or problems_of_branch(story, branches[brought.repo])


def _problems_of_deliveries(deliveries: Counter[str], accepted: Mapping[str, Brought]) -> list[str]:
    expected = Counter(each.delivery for each in accepted.values())
    return [
        f"the delivery {id} is in the log {deliveries[id]} times, it was accepted {expected[id]} times"
        for id in deliveries.keys() | expected.keys()
        if deliveries[id] != expected[id]
    ]


def _problems_of_branches(branches: Mapping[str, Mapping[str, Tip]], accepted: Mapping[str, Brought]) -> list[str]:
    wanted = Counter(each.repo for each in accepted.values() if not each.is_question)
    return [
        f"{name} has {len(each) - 1} branches besides main, it should have {wanted[name]}"
        for name, each in branches.items()
        if len(each) - 1 != wanted[name]
    ]


def _problems_of_fold(file: Path, stored: Sequence[Stored]) -> list[str]:
    """Every row of every table against those of the same log read from its beginning, in one go."""
    fresh = open_views(Path(":memory:"))
    writer = Writer(fresh)
    for start in range(0, len(stored), BATCH):
        writer.apply(stored[start : start + BATCH])
    expected = dump(fresh)
    fresh.close()
    with duckdb.connect(str(file), read_only=True) as connection:
        found = dump(connection)
    return [f"the rows of {table} are not those of the log" for table in expected if found[table] != expected[table]]
