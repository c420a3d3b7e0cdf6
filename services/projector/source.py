"""Reading EVENTS in batches: everything behind a position, in order, each event once, and never over a gap."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from services.projector.projection.facts import Stored
from services.projector.writer import Checkpoint
from shared.event_store.envelope import hash_of
from shared.event_store.journal import LogDamaged
from shared.nats.bus import Bus, Message, Subscription
from shared.nats.consumer import Pull, Said, end_reading, reading_after, silence_s, until_done
from shared.nats.errors import NotFound
from shared.nats.raw_connection import RawConnection, RawMessage, connect_raw
from shared.nats.streams import EVENTS

AHEAD: Final = 20_000
"""How many events may wait here; more are asked for when half of them are gone."""


async def check_log(bus: Bus, known: Checkpoint) -> int:
    """The log's last sequence, when it still contains the event at ``known``.

    Raises `LogDamaged`: rows never follow a log that went backwards or that tells another story.
    """
    try:
        last = int((await bus.js.stream_info(EVENTS)).state.last_seq)
    except NotFound as error:
        raise LogDamaged("The stream EVENTS is gone: restore it from its backup.") from error
    if known.seq > last:
        raise LogDamaged(
            f"The event log ends at {last}, but the read models have seen event {known.seq}: the log went backwards. "
            "Restore EVENTS from its backup; if those events are lost for good, remove the read models to rebuild them."
        )
    if known.seq:
        try:
            found = hash_of((await bus.js.get_msg(EVENTS, known.seq, direct=True)).data or b"")
        except NotFound:
            found = "missing"
        if found != known.hash:
            raise LogDamaged(
                f"Event {known.seq} of the log is not the one that the read models have seen: the log was replaced. "
                "Restore EVENTS from its backup, or remove the read models to rebuild them from this log."
            )
    return last


class EventSource:
    """An ephemeral consumer with a standing pull, made anew behind the last event after any doubt.

    Its position is the caller's business: it starts behind ``after`` and acknowledges nothing. Ten times as fast as
    asking message by message, because a batch is handed out whole.
    """

    def __init__(self, bus: Bus, after: Checkpoint) -> None:
        self._bus = bus
        self._after = after
        self._last_body: bytes | None = None
        self._waiting: deque[RawMessage | Message] = deque()
        self._arrived = asyncio.Event()
        self._subscription: Subscription | None = None
        self._consumer = ""
        self._pull: Pull | None = None
        self._delivered = 0
        self._doubt = True
        self._connection: RawConnection | None = None
        self.pending = 0

    async def __aenter__(self) -> EventSource:
        await until_done(self._connect, "EVENTS")
        return self

    async def __aexit__(self, *exit: object) -> None:
        await self._end()
        if self._connection is not None:
            await self._connection.close()

    @property
    def has_waiting(self) -> bool:
        """Whether `batch` has something to give."""
        return bool(self._waiting)

    async def batch(self, limit: int) -> list[Stored]:
        """The next events, at least one and at most ``limit``; waits for them. Raises `LogDamaged`."""
        while True:
            if self._doubt:
                await self._begin()
            if self._waiting:
                found = self._take(limit)
                await self._ask()
                if found:
                    return found
                continue
            self._arrived.clear()
            try:
                # Not wait_for: in Python 3.11 it swallows a cancellation that comes with the message.
                async with asyncio.timeout(silence_s(self._bus.timings)):
                    await self._arrived.wait()
            except TimeoutError:
                self._doubt = True

    def _take(self, limit: int) -> list[Stored]:
        found: list[Stored] = []
        assert self._pull is not None
        position, delivered, waiting = self._after.seq, self._delivered, self._waiting
        pending = b""
        while waiting and len(found) < limit:
            message = waiting.popleft()
            if isinstance(message, Message):
                if self._pull.read(message) in (Said.HEARTBEAT, Said.PULL_ENDED):
                    continue
                self._doubt = True
                break
            # $JS.ACK.<stream>.<consumer>.<times delivered>.<stream seq>.<consumer seq>.<time>.<pending>
            tokens = message.reply.split(b".")
            if int(tokens[6]) != delivered + 1:
                self._doubt = True
                break
            delivered += 1
            if (seq := int(tokens[5])) != position + 1:
                raise LogDamaged(
                    f"The event log has a gap: after event {position} comes event {seq}. "
                    "Restore EVENTS from its backup."
                )
            position = seq
            pending = tokens[8]
            found.append(Stored(seq, message.subject.decode(), message.body))
        if found:
            self.pending = int(pending)
            self._pull.took(len(found))
            self._delivered = delivered
            self._after = Checkpoint(position, "")
            self._last_body = found[-1].body
        return found

    def _arrive(self, event: RawMessage) -> None:
        self._waiting.append(event)
        self._arrived.set()

    def _doubted(self) -> None:
        self._doubt = True
        self._arrived.set()

    async def _begin(self) -> None:
        """A new consumer behind the last event; the log is checked first, for it may have changed meanwhile."""
        await until_done(self._renew, "EVENTS")

    async def _renew(self) -> None:
        await self._end()
        await self._subscribe()

    async def _connect(self) -> None:
        self._connection = await connect_raw(self._bus, "journeyman-projector-log", self._arrive, self._doubted)

    async def _subscribe(self) -> None:
        if self._last_body is not None:
            self._after = Checkpoint(self._after.seq, hash_of(self._last_body))
        assert self._connection is not None
        self.pending = await check_log(self._bus, self._after) - self._after.seq
        waiting: deque[RawMessage | Message] = deque()
        arrived = self._arrived

        async def take_status(message: Message) -> None:
            waiting.append(message)
            arrived.set()

        self._subscription = await self._connection.subscribe(self._connection.new_inbox(), cb=take_status)
        info = await self._bus.js.add_consumer(EVENTS, reading_after(self._after.seq))
        self._waiting, self._consumer, self._doubt = waiting, info.name, False
        self._delivered = 0
        self._pull = Pull(
            self._connection,
            EVENTS,
            info.name,
            self._subscription.subject,
            self._bus.timings,
            max_bytes=self._bus.limits.max_read_bytes,
        )
        await self._ask()

    async def _ask(self) -> None:
        if self._pull is not None and (more := AHEAD - self._pull.wanted) >= AHEAD // 2:
            await self._pull.ask(more)

    async def _end(self) -> None:
        subscription, self._subscription = self._subscription, None
        consumer, self._consumer = self._consumer, ""
        self._pull = None
        self._waiting = deque()
        await end_reading(self._bus, EVENTS, consumer, subscription)
