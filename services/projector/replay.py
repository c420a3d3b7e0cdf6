"""Telling history again to one dashboard session: its events at their own pace, and answers as of each moment."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import duckdb
import msgspec

from services.projector.projection.facts import Stored
from services.projector.projection.facts import read as read_fact
from services.projector.queries import QUERIES
from services.projector.queries.params import Refused, read_question
from services.projector.query_server import read, refusal
from services.projector.read_model_db import ReadModelDb
from services.projector.source import EventSource
from services.projector.writer import Checkpoint
from shared.contracts.queries import GetStatus
from shared.nats.bus import Bus, Message, Subscription
from shared.nats.errors import NatsError
from shared.runtime.replay import (
    SEQUENCE_HEADER,
    SILENCE_S,
    SUBJECT_HEADER,
    GetMoment,
    Moment,
    State,
    Watch,
    events_of,
    moments_of,
    question_of,
)

LONGEST_PAUSE_S: Final = 5.0
"""Nights and weekends are cut to this."""
TICK_S: Final = 0.1
MOST_AT_ONCE: Final = 50
"""Events of one tick: 500 a second are as much as a page can follow."""
READERS: Final = 2
MOST_ASKED: Final = 64


class Script(NamedTuple):
    """What is told: the session, the sequences from ``start`` to ``last``, and times the original pace.

    ``wanted`` says by its subject whether an event is told, ``tell`` hears of each that is. All others are folded, too.
    """

    session: str
    start: int
    last: int
    speed: float
    wanted: Callable[[str], bool]
    tell: Callable[[Stored], None]


class Replay:
    """One session over one log: `of` makes it."""

    def __init__(self, bus: Bus, views: ReadModelDb, source: EventSource, script: Script) -> None:
        self._bus = bus
        self._views = views
        self._source = source
        self._script = script
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._answering: set[asyncio.Task[None]] = set()
        self._subscription: Subscription | None = None
        self._watched = asyncio.Event()
        self._watched_at = 0.0
        self.moment = Moment(seq=0, last=script.last, time=None, speed=script.speed, state=State.PLAYING)

    @classmethod
    @contextlib.asynccontextmanager
    async def of(cls, bus: Bus, script: Script) -> AsyncIterator[Replay]:
        """A session that answers as of the event before ``start``; when the context ends, its dashboard is told so."""
        with tempfile.TemporaryDirectory(prefix="journeyman-replay-") as folder:
            views = await ReadModelDb.open(Path(folder) / "views.duckdb")
            try:
                async with EventSource(bus, Checkpoint(0, "")) as source:
                    replay = cls(bus, views, source, script)
                    try:
                        await replay._begin()
                        yield replay
                    finally:
                        await replay._end()
            finally:
                await views.close()

    async def attended(self) -> None:
        """Wait for the session's dashboard."""
        await self._watched.wait()

    async def left(self) -> None:
        """Wait until the session has had a dashboard and has heard nothing of it for `SILENCE_S` seconds."""
        await self.attended()
        while True:
            left = self._watched_at + SILENCE_S - asyncio.get_running_loop().time()
            if left <= 0:
                return
            await asyncio.sleep(left)

    async def play(self) -> None:
        """Tell everything. Raises `LogDamaged`."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        before: datetime | None = None
        batch: list[Stored] = []
        told = 0
        async for stored, time in self._events():
            wanted = self._script.wanted(stored.subject)
            if wanted and time is not None:
                pause = 0.0 if before is None else (time - before).total_seconds() / self._script.speed
                due += min(max(pause, 0.0), LONGEST_PAUSE_S)
                before = time
            if due > loop.time() or told >= MOST_AT_ONCE:
                await self._send(batch)
                batch, told = [], 0
                await asyncio.sleep(max(due - loop.time(), TICK_S))
            elif len(batch) >= self._bus.limits.max_projected_events:
                await self._send(batch)
                batch = []
            batch.append(stored)
            told += wanted
        await self._send(batch)
        await self._move(msgspec.structs.replace(self.moment, state=State.DONE))

    async def _events(self) -> AsyncIterator[tuple[Stored, datetime | None]]:
        position, last = self._views.checkpoint.seq, self._script.last
        while position < last:
            for stored in await self._source.batch(min(self._bus.limits.max_projected_events, last - position)):
                position = stored.seq
                yield stored, read_fact(stored).time

    async def _begin(self) -> None:
        while (left := self._script.start - 1 - self._views.checkpoint.seq) > 0:
            await self._fold(await self._source.batch(min(left, self._bus.limits.max_projected_events)))
        self._subscription = await self._bus.nc.subscribe(question_of(self._script.session, ">"), cb=self._take)

    async def _end(self) -> None:
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)
        self._threads.shutdown()
        if self._bus.connected:
            await self._move(msgspec.structs.replace(self.moment, state=State.OVER))
            if self._subscription is not None:
                await self._subscription.unsubscribe()

    async def _fold(self, batch: Sequence[Stored]) -> None:
        await self._views.write(batch)
        times = [time for stored in batch if (time := read_fact(stored).time) is not None]
        self.moment = msgspec.structs.replace(
            self.moment, seq=batch[-1].seq, time=times[-1] if times else self.moment.time
        )

    async def _send(self, batch: Sequence[Stored]) -> None:
        """Fold, then tell: who asks because of an event gets an answer that has it."""
        if not batch:
            return
        await self._fold(batch)
        for stored in batch:
            if self._script.wanted(stored.subject):
                headers = {SUBJECT_HEADER: stored.subject, SEQUENCE_HEADER: str(stored.seq)}
                await self._bus.nc.publish(events_of(self._script.session), stored.body, headers=headers)
                self._script.tell(stored)
        await self._move(self.moment)

    async def _move(self, moment: Moment) -> None:
        self.moment = moment
        await self._bus.nc.publish(moments_of(self._script.session), msgspec.json.encode(moment))

    async def _take(self, message: Message) -> None:
        if len(self._answering) >= MOST_ASKED:
            await message.respond(refusal("busy", "Too many questions at once: try again in a moment."))
            return
        task = asyncio.create_task(self._respond(message))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _respond(self, message: Message) -> None:
        try:
            answer = await self._answer(message.subject.partition(".qry.")[2], message.data)
        except Refused as refused:
            answer = refusal(refused.code, str(refused))
        except duckdb.Error as error:
            answer = refusal("views-failed", f"The replay could not answer: {str(error).splitlines()[0]}")
        with contextlib.suppress(NatsError):
            await message.respond(answer)

    async def _answer(self, name: str, body: bytes) -> bytes:
        if name == Watch.name:
            self._watched_at = asyncio.get_running_loop().time()
            self._watched.set()
        if name in (GetMoment.name, Watch.name):
            return msgspec.json.encode(self.moment)
        if name not in QUERIES:
            raise Refused("unknown-query", f"There is no query {name!r}; there are: {', '.join(QUERIES)}.")
        asked = read_question(QUERIES[name], body)
        if asked.min_seq > self._views.checkpoint.seq:
            raise Refused("not-caught-up", f"The replay is at {self._views.checkpoint.seq}, not yet so far.")
        if isinstance(asked, GetStatus) and self.moment.time is not None:
            asked = msgspec.structs.replace(asked, day=self.moment.time.date())
        return await read(self._views, self._threads, asked)
