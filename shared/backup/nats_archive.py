"""From EVENTS into an archive, and from an archive back into an empty EVENTS."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from shared.backup.archive import SEGMENT_BYTES, SEGMENT_EVENTS, Archive, Archived, ArchiveRefused, Part, Segment
from shared.event_store.envelope import hash_of
from shared.event_store.journal import LogDamaged, LogFull, LogUnavailable
from shared.nats.bus import Bus
from shared.nats.errors import JetStreamError, NatsError, NotFound
from shared.nats.feed import Feed, unreadable
from shared.nats.streams import EVENTS, STREAM_FULL, check_guards
from shared.ops.crash_points import crash_point

AT_ONCE: Final = 64
TRIES: Final = 20
_GUARDS: Final = "nats-expected-"
_BATCH: Final = 2000

Progress = Callable[[int, int], None]


async def archive(bus: Bus, target: Archive, progress: Progress = lambda done, total: None) -> int:
    """Append the events that the archive does not have yet, up to the log's end as of now; returns how many there were.

    Raises `ArchiveRefused` when the log does not go on where the archive ends, `LogDamaged` when it has a gap.
    """
    with target.locked():
        return await archive_events(bus, target, progress)


async def archive_events(bus: Bus, target: Archive, progress: Progress) -> int:
    """The same, for who holds the archive's lock."""
    began = target.manifest.last
    last = await _check_seam(bus, target)
    if last == began:
        return 0
    waiting: list[Archived] = []
    room, events = room_of(target.begun(Part.EVENTS))
    async with Feed(bus, EVENTS, "evt.>", after=began, batch=_BATCH, last=last) as feed:
        async for message in feed:
            expected = (waiting[-1].position if waiting else target.manifest.last) + 1
            if message.position != expected:
                raise LogDamaged(unreadable(expected, message.position - 1))
            waiting.append(
                Archived(message.position, message.subject, message.headers or {}, message.data, message.time)
            )
            room -= len(message.data)
            events -= 1
            ended = message.position >= last
            if ended or not events or room <= 0:
                await asyncio.to_thread(target.add, waiting)
                waiting = []
                room, events = room_of(target.begun(Part.EVENTS))
                progress(message.position - began, last - began)
            if ended:
                break
    return target.manifest.last - began


async def restore(bus: Bus, source: Archive, progress: Progress = lambda done, total: None) -> int:
    """Rebuild EVENTS from the archive: the same bodies at the same positions; returns how many events were published.

    A restore that was interrupted goes on where it was. Each append expects the log's last position, so nobody else's
    event comes in between. Raises `ArchiveRefused`, `LogFull`, `LogUnavailable`.
    """
    await check_guards(bus)
    await asyncio.to_thread(source.check)
    return await publish_rest(bus, source, await missing_events(bus, source), progress)


async def missing_events(bus: Bus, source: Archive) -> Iterator[Archived]:
    """The events behind what the live log has, when that is the archive's beginning; raises `ArchiveRefused`."""
    total = source.manifest.last
    stored = await _last(bus)
    if stored > total:
        raise ArchiveRefused(
            f"The live log has gone on: it ends at {stored}, the archive at {total}. Restore into an empty NATS."
        )
    events = source.all(Part.EVENTS)
    await _compare(bus, events, stored)
    return events


async def publish_rest(bus: Bus, source: Archive, events: Iterator[Archived], progress: Progress) -> int:
    """Append them all; returns how many there were. Raises `ArchiveRefused`, `LogFull`, `LogUnavailable`."""
    published = 0
    total = source.manifest.last
    while some := list(islice(events, AT_ONCE)):
        await _publish(bus, some)
        crash_point("restore.batch-stored")
        published += len(some)
        progress(published, published + total - some[-1].position)
    return published


async def _check_seam(bus: Bus, target: Archive) -> int:
    """The log's last position, when the event where the archive ends is the same in both."""
    last = await _last(bus)
    if not target.manifest.segments:
        return last
    end = target.manifest.segments[-1]
    if last < end.last:
        raise ArchiveRefused(
            f"The log ends at {last}, but the archive has event {end.last}: the log went backwards. "
            "Stop the services and restore the log from this archive."
        )
    try:
        found = hash_of((await bus.js.get_msg(EVENTS, end.last)).data or b"")
    except NotFound:
        found = "missing"
    if found != end.last_event:
        raise ArchiveRefused(
            f"Event {end.last} of the log is not the one in the archive: this is another log, or a damaged one. "
            "Archive it into another directory."
        )
    return last


async def _compare(bus: Bus, events: Iterator[Archived], stored: int) -> None:
    """What the live log has already is the beginning of the archive; leaves ``events`` behind it."""
    if not stored:
        return
    async with Feed(bus, EVENTS, "evt.>", after=0, batch=_BATCH, last=stored) as feed:
        async for message in feed:
            if message.position > stored:
                break
            event = next(events)
            if (message.position, message.subject, message.data) != (event.position, event.subject, event.body):
                raise ArchiveRefused(
                    f"The live log has another event {event.position} than the archive: it has gone on by itself. "
                    "Restore into an empty NATS."
                )
            if message.position == stored:
                break


async def _publish(bus: Bus, events: list[Archived]) -> None:
    """Publish consecutive events at once; what did not get through is sent again behind what did."""
    left = events
    for _ in range(TRIES):
        outcomes = await asyncio.gather(*(_send(bus, event) for event in left), return_exceptions=True)
        failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if not failures:
            return
        for failure in failures:
            match failure:
                case JetStreamError(err_code=int() as code) if code in STREAM_FULL:
                    raise LogFull(
                        "EVENTS has less room than the archive needs: make it larger with "
                        "`nats stream edit EVENTS --max-bytes`, then restore again."
                    ) from failure
                case TimeoutError() | NatsError() | OSError():
                    pass
                case _:
                    raise failure
        left = await _not_stored(bus, events)
        if not left:
            return
    raise LogUnavailable("NATS does not take the events: check that it runs, then restore again.")


async def _send(bus: Bus, event: Archived) -> None:
    # The guards of the first time held for one actor's events in flight; this one holds for all of them.
    headers = {name: value for name, value in event.headers.items() if not name.lower().startswith(_GUARDS)}
    headers["Nats-Expected-Last-Sequence"] = str(event.position - 1)
    ack = await bus.publish(event.subject, event.body, headers)
    crash_point("restore.event-stored")
    if ack.seq != event.position:
        raise ArchiveRefused(
            f"Event {event.position} of the archive was taken for event {ack.seq}: its message id is not its own."
        )


async def _not_stored(bus: Bus, events: list[Archived]) -> list[Archived]:
    """Which of these consecutive events the log does not have; what it has behind them must be theirs."""
    stored = await _last(bus)
    reached = stored - events[0].position
    if reached < 0:
        return events
    if reached >= len(events) or (await bus.js.get_msg(EVENTS, stored)).data != events[reached].body:
        raise ArchiveRefused("Somebody else appends to EVENTS: stop every service and restore into an empty NATS.")
    return events[reached + 1 :]


async def _last(bus: Bus) -> int:
    for _ in range(TRIES):
        try:
            return int((await bus.js.stream_info(EVENTS)).state.last_seq)
        except NotFound:
            raise
        except (TimeoutError, NatsError):
            await asyncio.sleep(0.25)
    raise LogUnavailable("The event log does not answer: check that NATS runs and has a leader for EVENTS.")


def room_of(begun: Segment | None) -> tuple[int, int]:
    """How many bytes and messages the segment that is being written still takes."""
    if begun is None:
        return SEGMENT_BYTES, SEGMENT_EVENTS
    return SEGMENT_BYTES - begun.bytes, SEGMENT_EVENTS - begun.messages
