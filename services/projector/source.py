"""Reading EVENTS in batches: everything behind a position, in order, each event once, and never over a gap."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import Final

import msgspec
import nats.errors
import nats.js.errors
import structlog
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, ReplayPolicy

from services.projector.lane import Arrived, Lane, open_lane
from services.projector.projection.facts import Stored
from services.projector.writer import Checkpoint
from shared.envelope import hash_of
from shared.journal import LogDamaged
from shared.nats.bus import Bus
from shared.nats.streams import EVENTS

HEARTBEAT_S: Final = 1.0
EXPIRES_S: Final = 30.0
INACTIVE_S: Final = 60.0
AHEAD: Final = 20_000
"""How many events may wait here; more are asked for when half of them are gone."""

log = structlog.get_logger(__name__)


async def check_log(bus: Bus, known: Checkpoint) -> int:
    """The log's last sequence, when it still contains the event at ``known``.

    Raises `LogDamaged`: rows never follow a log that went backwards or that tells another story.
    """
    try:
        last = int((await bus.js.stream_info(EVENTS)).state.last_seq)
    except nats.js.errors.NotFoundError as error:
        raise LogDamaged("The stream EVENTS is gone: restore it from its backup.") from error
    if known.seq > last:
        raise LogDamaged(
            f"The event log ends at {last}, but the read models have seen event {known.seq}: the log went backwards. "
            "Restore EVENTS from its backup; if those events are lost for good, remove the read models to rebuild them."
        )
    if known.seq:
        try:
            found = hash_of((await bus.js.get_msg(EVENTS, known.seq, direct=True)).data or b"")
        except nats.js.errors.NotFoundError:
            found = "missing"
        if found != known.hash:
            raise LogDamaged(
                f"Event {known.seq} of the log is not the one that the read models have seen: the log was replaced. "
                "Restore EVENTS from its backup, or remove the read models to rebuild them from this log."
            )
    return last


class Source:
    """An ephemeral consumer with a standing pull, made anew behind the last event after any doubt.

    Its position is the caller's business: it starts behind ``after`` and acknowledges nothing. Ten times as fast as
    asking message by message, because a batch is handed out whole.
    """

    def __init__(self, bus: Bus, after: Checkpoint) -> None:
        self._bus = bus
        self._after = after
        self._last_body: bytes | None = None
        self._waiting: deque[Arrived | Msg] = deque()
        self._arrived = asyncio.Event()
        self._subscription: Subscription | None = None
        self._consumer = ""
        self._delivered = 0
        self._wanted = 0
        self._doubt = True
        self._lane: Lane | None = None
        self.pending = 0

    async def __aenter__(self) -> Source:
        while self._lane is None:
            try:
                self._lane = await open_lane(self._bus, self._arrive, self._doubted)
            except (TimeoutError, OSError, nats.errors.Error) as error:
                log.debug("cannot connect to the log yet", error=str(error))
                await asyncio.sleep(0.25)
        return self

    async def __aexit__(self, *exit: object) -> None:
        await self._end()
        if self._lane is not None:
            await self._lane.close()

    async def batch(self, limit: int) -> list[Stored]:
        """The next events, at least one and at most ``limit``; waits for them. Raises `LogDamaged`."""
        while True:
            if self._doubt:
                await self._begin()
            if self._waiting:
                found = self._take(limit)
                await self._pull()
                if found:
                    return found
                continue
            self._arrived.clear()
            try:
                # Not wait_for: in Python 3.11 it swallows a cancellation that comes with the message.
                async with asyncio.timeout(HEARTBEAT_S * 2.5):
                    await self._arrived.wait()
            except TimeoutError:
                self._doubt = True

    def _take(self, limit: int) -> list[Stored]:
        found: list[Stored] = []
        position, delivered, waiting = self._after.seq, self._delivered, self._waiting
        pending = b""
        while waiting and len(found) < limit:
            message = waiting.popleft()
            if isinstance(message, Msg):
                if self._ends_pull(message):
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
            self._wanted -= len(found)
            self._delivered = delivered
            self._after = Checkpoint(position, "")
            self._last_body = found[-1].body
        return found

    def _ends_pull(self, status: Msg) -> bool:
        """Whether a message without an event is an ordinary one: a heartbeat, or the end of a pull."""
        headers = status.headers or {}
        match headers.get("Status"):
            case "100":
                return True
            case "404" | "408" | "409" if "Consumer" not in headers.get("Description", ""):
                self._wanted -= int(headers.get("Nats-Pending-Messages", self._wanted))
                return True
            case _:
                return False

    def _arrive(self, event: Arrived) -> None:
        self._waiting.append(event)
        self._arrived.set()

    def _doubted(self) -> None:
        self._doubt = True
        self._arrived.set()

    async def _begin(self) -> None:
        """A new consumer behind the last event; the log is checked first, for it may have changed meanwhile."""
        while True:
            await self._end()
            try:
                await self._subscribe()
                return
            except (TimeoutError, OSError, nats.errors.Error) as error:
                log.debug("cannot read the log yet", error=str(error))
                await asyncio.sleep(0.25)

    async def _subscribe(self) -> None:
        if self._last_body is not None:
            self._after = Checkpoint(self._after.seq, hash_of(self._last_body))
        assert self._lane is not None
        self.pending = await check_log(self._bus, self._after) - self._after.seq
        waiting: deque[Arrived | Msg] = deque()
        arrived = self._arrived

        async def take_status(message: Msg) -> None:
            waiting.append(message)
            arrived.set()

        self._subscription = await self._lane.subscribe(self._lane.new_inbox(), cb=take_status)
        info = await self._bus.js.add_consumer(
            EVENTS,
            ConsumerConfig(
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=self._after.seq + 1,
                ack_policy=AckPolicy.NONE,
                replay_policy=ReplayPolicy.INSTANT,
                inactive_threshold=INACTIVE_S,
                mem_storage=True,
                num_replicas=1,
                max_waiting=16,
            ),
        )
        self._waiting, self._consumer, self._doubt = waiting, info.name, False
        self._delivered = self._wanted = 0
        await self._pull()

    async def _pull(self) -> None:
        more = AHEAD - self._wanted
        if self._lane is None or self._subscription is None or more < AHEAD // 2:
            return
        self._wanted += more
        request = {
            "batch": more,
            "max_bytes": self._bus.bounds.max_read_bytes,
            "expires": int(EXPIRES_S * 1e9),
            "idle_heartbeat": int(HEARTBEAT_S * 1e9),
        }
        await self._lane.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{EVENTS}.{self._consumer}",
            msgspec.json.encode(request),
            reply=self._subscription.subject,
        )

    async def _end(self) -> None:
        subscription, self._subscription = self._subscription, None
        consumer, self._consumer = self._consumer, ""
        self._waiting = deque()
        with contextlib.suppress(TimeoutError, nats.errors.Error):
            if subscription is not None:
                await subscription.unsubscribe()
            if consumer and self._bus.connected:
                await self._bus.js.delete_consumer(EVENTS, consumer)
