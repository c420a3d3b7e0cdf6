"""Everything that a system's history consists of, into an archive and back: events, artifacts and live output.

The events come first into the archive, because what they name is stored before they are; and last out of it, because a
log that is there is taken for whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from shared.backup.archive import Archive, Archived, ArchiveRefused, Part
from shared.backup.contents import Contents
from shared.backup.nats_archive import (
    AT_ONCE,
    TRIES,
    Progress,
    archive_events,
    missing_events,
    publish_rest,
    room_of,
)
from shared.backup.references import artifacts_named_in
from shared.event_store.journal import LogUnavailable
from shared.nats.bus import Bus
from shared.nats.direct import STORED
from shared.nats.errors import NatsError, NotFound
from shared.nats.stored_objects import (
    STREAM,
    StoredObject,
    copy_object,
    described,
    is_current,
    messages_after,
    objects_after,
    put_back,
)
from shared.nats.streams import OUTPUT, check_guards
from shared.ops.crash_points import crash_point

OBJECTS_AT_ONCE: Final = 8
LINE: Final = "Journeyman-Line"
"""Header of a line of output that was restored: its number in the archive, so that a restore goes on behind it."""


class Added(NamedTuple):
    """What an archive has now that it had not. ``lost`` are artifacts whose bytes the store does not have any more."""

    events: int
    artifacts: int
    lines: int
    lost: tuple[str, ...]


class Restored(NamedTuple):
    """What came back. ``missing`` are artifacts that restored events name, and that the archive does not have.

    ``whole`` is the last event up to which the archive has artifacts and output at all.
    """

    events: int
    artifacts: int
    lines: int
    missing: tuple[str, ...]
    whole: int


def _quiet(done: int, total: int) -> None:
    """No progress is shown."""


async def archive_whole(bus: Bus, target: Archive, progress: Progress = _quiet) -> Added:
    """Append what the archive does not have yet; raises `ArchiveRefused`, `LogDamaged`, the connection's errors."""
    with target.locked():
        contents = Contents(target.directory)
        await asyncio.to_thread(contents.clear_leftovers)
        events = await archive_events(bus, target, progress)
        artifacts, lost = await _archive_artifacts(bus, target, contents)
        lines = await _archive_output(bus, target)
        await asyncio.to_thread(target.complete)
        return Added(events, artifacts, lines, tuple(sorted(lost)))


async def restore_whole(bus: Bus, source: Archive, progress: Progress = _quiet) -> Restored:
    """Rebuild everything in an empty NATS; one that was interrupted goes on.

    Nothing is overwritten: raises `ArchiveRefused`, before anything is changed, for a log, an artifact or lines of
    output that are not the archive's; `LogFull`, `LogUnavailable`.
    """
    await check_guards(bus)
    await asyncio.to_thread(source.check)
    wanted = await asyncio.to_thread(_kept_objects, source)
    contents = Contents(source.directory)
    for name, sha256 in wanted.items():
        await asyncio.to_thread(contents.check, sha256, name)
    missing = await asyncio.to_thread(_not_among, wanted, source)
    events = await missing_events(bus, source)
    there = {each.name: each.sha256 async for each in objects_after(bus, 0) if not each.deleted}
    for name, sha256 in there.items():
        if wanted.get(name, sha256) != sha256:
            raise ArchiveRefused(f"ARTIFACTS has another {name} than the archive. Restore into an empty NATS.")
    had = await _lines_restored(bus)
    artifacts = await _restore_artifacts(bus, contents, {n: s for n, s in wanted.items() if n not in there})
    lines = await _restore_output(bus, source, had)
    return Restored(await publish_rest(bus, source, events, progress), artifacts, lines, missing, source.manifest.whole)


async def _archive_artifacts(bus: Bus, target: Archive, contents: Contents) -> tuple[int, list[str]]:
    source = await _made(bus, STREAM)
    waiting: list[StoredObject] = []
    lost: list[str] = []
    added = 0
    async for stored in objects_after(bus, target.end_of(Part.ARTIFACTS, source)):
        waiting.append(stored)
        if len(waiting) == AT_ONCE:
            added += await _add_artifacts(bus, target, contents, source, waiting, lost)
            waiting = []
    return added + await _add_artifacts(bus, target, contents, source, waiting, lost), lost


async def _add_artifacts(
    bus: Bus, target: Archive, contents: Contents, source: str, some: list[StoredObject], lost: list[str]
) -> int:
    """Have the bytes of some objects, then their descriptions; returns how many were kept."""
    gate = asyncio.Semaphore(OBJECTS_AT_ONCE)

    async def take(stored: StoredObject) -> bool:
        async def write(path: Path) -> bool:
            with path.open("wb") as file:
                return await copy_object(bus, stored, file)

        async with gate:
            return stored.deleted or await contents.take(stored.sha256, write)

    taken = await asyncio.gather(*(take(each) for each in some))
    rows = []
    for stored, whole in zip(some, taken, strict=True):
        if whole:
            rows.append(Archived(stored.position, f"$O.{stored.name}", {}, stored.description, stored.stored))
        elif await is_current(bus, stored):
            lost.append(stored.name)
    await asyncio.to_thread(contents.sync)
    await _add(target, rows, Part.ARTIFACTS, source)
    return len(rows)


async def _archive_output(bus: Bus, target: Archive) -> int:
    source = await _made(bus, OUTPUT)
    waiting: list[Archived] = []
    added = size = 0
    async for line in messages_after(bus, OUTPUT, "out.>", target.end_of(Part.OUTPUT, source)):
        # What came back from an archive is in it already, under the positions that it had first.
        if line.restored:
            continue
        waiting.append(Archived(line.position, line.subject, {}, line.data, line.stored))
        added, size = added + 1, size + len(line.data)
        room, lines = room_of(target.begun(Part.OUTPUT, source))
        if size >= room or len(waiting) >= lines:
            await _add(target, waiting, Part.OUTPUT, source)
            waiting, size = [], 0
    await _add(target, waiting, Part.OUTPUT, source)
    return added


async def _add(target: Archive, rows: list[Archived], part: Part, source: str) -> None:
    if rows:
        await asyncio.to_thread(target.add, rows, part, source)


async def _made(bus: Bus, stream: str) -> str:
    """When the stream was made: one that was made anew counts its messages anew."""
    return str((await bus.js.stream_info(stream)).created)


def _kept_objects(source: Archive) -> dict[str, str]:
    """The SHA-256 of each artifact that was there last, by name."""
    found: dict[str, str] = {}
    for row in source.all(Part.ARTIFACTS):
        assert row.time is not None
        stored = described(row.body, row.position, row.time)
        if stored.deleted:
            found.pop(stored.name, None)
        else:
            found[stored.name] = stored.sha256
    return found


def _not_among(kept: dict[str, str], source: Archive) -> tuple[str, ...]:
    """The artifacts that the archive's events name, and that are not there."""
    named = {each.name for event in source.all(Part.EVENTS) for each in artifacts_named_in(event.body)}
    return tuple(sorted(named - kept.keys()))


async def _restore_artifacts(bus: Bus, contents: Contents, wanted: dict[str, str]) -> int:
    gate = asyncio.Semaphore(OBJECTS_AT_ONCE)

    async def put(name: str, sha256: str) -> None:
        async with gate:
            await put_back(bus, name, contents.path(sha256))
            crash_point("restore.artifact-stored")

    async with asyncio.TaskGroup() as group:
        for name, sha256 in wanted.items():
            group.create_task(put(name, sha256))
    return len(wanted)


async def _lines_restored(bus: Bus) -> int:
    """How many of the archive's lines OUTPUT ends with; raises `ArchiveRefused` when it has lines of its own."""
    last = (await bus.js.stream_info(OUTPUT)).state
    if not last.messages:
        return 0
    headers = (await bus.js.get_msg(OUTPUT, last.last_seq)).headers or {}
    if LINE not in headers:
        raise ArchiveRefused("OUTPUT has lines of its own, of agents at work. Restore into an empty NATS.")
    return int(headers[LINE])


async def _restore_output(bus: Bus, source: Archive, had: int) -> int:
    lines = enumerate(source.all(Part.OUTPUT), 1)
    rest: Iterator[tuple[int, Archived]] = islice(lines, had, None)
    restored = 0
    while some := list(islice(rest, AT_ONCE)):
        if not had + restored:
            # So that the lines get the numbers that they had.
            await bus.js.purge_stream(OUTPUT, seq=some[0][1].position)
        await _publish_lines(bus, some)
        crash_point("restore.lines-stored")
        restored += len(some)
    return restored


async def _publish_lines(bus: Bus, some: list[tuple[int, Archived]]) -> None:
    """Publish consecutive lines at once; what did not get through is sent again behind what did."""
    for _ in range(TRIES):
        try:
            last = (await bus.js.stream_info(OUTPUT)).state.last_seq
            had = await _lines_restored(bus)
            left = [each for each in some if each[0] > had]
            await asyncio.gather(*(_send(bus, *each, last + index) for index, each in enumerate(left)))
            return
        except NotFound:
            raise
        except (TimeoutError, NatsError):
            await asyncio.sleep(0.25)
    raise LogUnavailable("OUTPUT does not take what is restored: check that NATS runs and its disk has room.")


async def _send(bus: Bus, number: int, line: Archived, behind: int) -> None:
    assert line.time is not None
    headers = {LINE: str(number), STORED: line.time.isoformat(), "Nats-Expected-Last-Sequence": str(behind)}
    await bus.publish(line.subject, line.body, headers)
