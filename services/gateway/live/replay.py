"""A socket in a replay: what `journeyman replay` sends to its session, rendered as what happens live is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import structlog

from services.gateway.live.protocol import ReplayMoved, encode
from services.gateway.live.render import show_event
from shared.contracts.subjects import BadAddress
from shared.event_store.envelope import BadEnvelope
from shared.nats.bus import Bus, Message, Subscription
from shared.runtime.client import Client, QueryFailed
from shared.runtime.replay import (
    SEQUENCE_HEADER,
    SILENCE_S,
    SUBJECT_HEADER,
    WATCH_S,
    Moment,
    State,
    Watch,
    events_of,
    moments_of,
)

Put = Callable[[str], None]

log = structlog.get_logger(__name__)


class Replays:
    """Lets sockets take part in replays."""

    def __init__(self, bus: Bus, client: Client) -> None:
        self._bus = bus
        self._client = client

    async def join(self, session: str, put: Put) -> Attendance:
        """Send what the session is told to ``put``. Raises `BadAddress`, and `QueryFailed` when there is no session."""
        attendance = Attendance(self._bus, self._client, session, put)
        await attendance.begin()
        return attendance


class Attendance:
    """One socket in one replay. As long as it lasts, the replay knows that somebody is there."""

    def __init__(self, bus: Bus, client: Client, session: str, put: Put) -> None:
        self._bus = bus
        self._client = client
        self._session = session
        self._put = put
        self._subscriptions: list[Subscription] = []
        self._watching: asyncio.Task[None] | None = None
        self._moment = Moment(seq=0, last=0, time=None, speed=1.0, state=State.PLAYING)

    @property
    def seq(self) -> int:
        """The newest event that was told."""
        return self._moment.seq

    async def begin(self) -> None:
        """Hear the session, and say where it is."""
        for subject, take in ((events_of(self._session), self._event), (moments_of(self._session), self._moved)):
            self._subscriptions.append(await self._bus.nc.subscribe(subject, cb=take))
        try:
            # The replay starts when it is asked: a question given up too early would start it without a listener.
            self._say(await self._ask(SILENCE_S))
        except BaseException:
            await self.end()
            raise
        self._watching = asyncio.create_task(self._watch())

    async def end(self) -> None:
        """Hear it no more."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        for subscription in self._subscriptions:
            if not self._bus.nc.is_closed:
                await subscription.unsubscribe()
        self._subscriptions.clear()

    async def _watch(self) -> None:
        """Ask where it is, again and again: this is how either side knows that the other is there."""
        heard = asyncio.get_running_loop().time()
        while self._moment.state is not State.OVER:
            await asyncio.sleep(WATCH_S)
            try:
                moment = await self._ask()
            except QueryFailed:
                if asyncio.get_running_loop().time() - heard > SILENCE_S:
                    self._say(msgspec.structs.replace(self._moment, state=State.OVER))
            else:
                heard = asyncio.get_running_loop().time()
                self._say(moment)

    async def _ask(self, patience_s: float = WATCH_S) -> Moment:
        return await self._client.query(Watch(), replay=self._session, timeout=patience_s)

    async def _event(self, message: Message) -> None:
        headers = message.headers or {}
        try:
            shown = show_event(headers[SUBJECT_HEADER], message.data, int(headers[SEQUENCE_HEADER]))
        except (BadEnvelope, BadAddress, KeyError, ValueError) as error:
            log.warning("cannot be shown again", session=self._session, problem=str(error))
            return
        for frame in shown.frames if shown is not None else ():
            self._put(frame)

    async def _moved(self, message: Message) -> None:
        try:
            self._say(msgspec.json.decode(message.data, type=Moment))
        except msgspec.MsgspecError as error:
            log.warning("no moment of a replay", session=self._session, problem=str(error))

    def _say(self, moment: Moment) -> None:
        # An answer may have been overtaken by what the session has said by itself.
        if moment.seq < self._moment.seq or self._moment.state is State.OVER:
            return
        self._moment = moment
        self._put(encode(ReplayMoved(**msgspec.structs.asdict(moment))))
