"""The watcher of an actor's events on a real NATS server: it hears each event once, and is never deaf unnoticed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from shared.contracts.run import StopRequested
from shared.contracts.subjects import Actor, event_filter, event_subject
from shared.event_store.envelope import MessageMetadata, RecordedEvent, encode_event, utc_now
from shared.event_store.journal import Conflict, LogFull, LogUnavailable
from shared.nats.bus import Bus
from shared.nats.feed import Feed
from shared.nats.journal import NatsJournal
from shared.nats.streams import EVENTS
from shared.ops.timings import NatsTimings
from shared.runtime.watcher import insist, supervised, watch
from testing.eventually import eventually
from testing.nats import Nats

RUN = Actor("run", "A1")


async def store(bus: Bus, attempt: int, *, name: str = "stop-requested") -> None:
    """An event of the run; one of another name is one that a newer version has made."""
    metadata = MessageMetadata(id=f"{name}-{attempt}", source="test", time=utc_now(), principal="user:ada")
    body = encode_event(RUN, StopRequested(attempt=attempt), sequence=attempt, prevhash="", metadata=metadata)
    await bus.publish(event_subject(RUN, name), body.replace(b"stop-requested", name.encode()), {})


@contextlib.asynccontextmanager
async def hearing(bus: Bus, after: int = 0) -> AsyncIterator[list[int]]:
    """The attempts of the events that a watcher of the run has heard of."""
    heard: list[int] = []

    def hear(event: RecordedEvent) -> None:
        heard.append(event.data.attempt)

    async with supervised(watch(NatsJournal(bus), event_filter(RUN), after=after, handle=hear)):
        yield heard


async def test_a_worker_that_begins_to_listen_while_nats_is_away_hears_everything_once(
    nats_server: Nats, bus: Bus
) -> None:
    following = await Bus.connect(nats_server.url, name="worker", timings=NatsTimings(answer_s=0.3))
    await store(bus, 1)
    await nats_server.kill()
    await eventually(lambda: not following.connected)
    async with hearing(following) as heard:
        await eventually(lambda: len(following._on_reconnect) == 0 and len(following.nc._subs) <= 1, within=5)
        await nats_server.start()
        await eventually(lambda: bus.connected)
        await store(bus, 2)
        await eventually(lambda: len(heard) == 2)
        await nats_server.kill()
        await nats_server.start()
        await eventually(lambda: bus.connected)
        await store(bus, 3)
        await eventually(lambda: len(heard) >= 3)
        assert heard == [1, 2, 3]
    await following.close()


async def test_an_event_of_a_newer_version_makes_nobody_deaf(bus: Bus) -> None:
    async with hearing(bus) as heard:
        await store(bus, 1)
        await store(bus, 2, name="novelty")
        await store(bus, 3, name="novelty")
        await store(bus, 4)
        await eventually(lambda: len(heard) >= 2)
        assert heard == [1, 4]


async def test_a_body_that_no_version_has_written_makes_nobody_deaf(bus: Bus) -> None:
    await bus.publish(event_subject(RUN, "stop-requested"), b"not an envelope", {})
    async with hearing(bus) as heard:
        await store(bus, 2)
        await eventually(lambda: heard == [2])


async def test_a_bug_in_what_a_worker_does_about_an_event_ends_its_work(bus: Bus) -> None:
    def hear(event: RecordedEvent) -> None:
        raise KeyError(event.name)

    await store(bus, 1)
    with pytest.raises(KeyError, match="stop-requested"):
        async with asyncio.timeout(30), supervised(watch(NatsJournal(bus), event_filter(RUN), after=0, handle=hear)):
            await asyncio.Event().wait()  # an agent that does not end by itself
    task = asyncio.current_task()
    assert task is not None and not task.cancelling()


async def test_work_that_is_cancelled_is_cancelled_and_its_watcher_with_it(bus: Bus) -> None:
    heard: list[int] = []

    async def work() -> None:
        nonlocal heard
        async with hearing(bus) as heard:
            await asyncio.Event().wait()

    await store(bus, 1)
    before = asyncio.all_tasks()
    working = asyncio.create_task(work())
    await eventually(lambda: heard)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    await eventually(lambda: asyncio.all_tasks() <= before)


async def test_what_ends_the_work_itself_is_raised_as_it_is(bus: Bus) -> None:
    with pytest.raises(RuntimeError, match="the work"):
        async with hearing(bus):
            raise RuntimeError("the work")


async def test_a_report_is_told_until_the_log_takes_it() -> None:
    troubles: list[Exception] = [LogUnavailable(), LogFull(), Conflict(), TimeoutError()]

    async def tell() -> str:
        if troubles:
            raise troubles.pop()
        return "taken"

    assert await insist(tell) == "taken"


async def test_a_feed_that_cannot_begin_leaves_nothing_behind(bus: Bus) -> None:
    await bus.js.delete_stream(EVENTS)
    subscriptions = len(bus.nc._subs)
    for _ in range(3):
        with pytest.raises(Exception, match="stream not found"):
            async with Feed(bus, EVENTS, event_filter(RUN), after=0):
                pass
    assert len(bus.nc._subs) == subscriptions
    assert not bus._on_reconnect
