"""Every call of every door as it was answered: counted, and the newest kept with their bodies where people can look.

Senders wait for nothing of it: a call is noted in memory, and what was noted is written at most once a second.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

import msgspec
import structlog
from msgspec.structs import replace

from services.gateway.inbound.receiver import Answered
from services.gateway.inbound.redaction import shown_body
from services.gateway.inbound.text import one_line
from shared.contracts.calls import MOST_RECENT, Call, Outcome, Tally
from shared.nats.calls import CallBucket
from shared.ops.visible import visible
from shared.runtime.acknowledge import TRANSIENT

WRITE_S: Final = 1.0
MAX_HEADERS: Final = 40
MAX_BYTES: Final = 512 * 1024
"""Of all calls of a door: a message of NATS has a megabyte."""

log = structlog.get_logger(__name__)


@dataclass
class _Noted:
    at: datetime
    outcome: Outcome
    answered: Answered
    call: Call | None = None


class _Door:
    def __init__(self, day: date) -> None:
        self.day = day
        self.counts: Counter[Outcome] = Counter()
        self.refusals: Counter[str] = Counter()
        self.newest: dict[Outcome, deque[_Noted]] = {}


class CallLog:
    """What this gateway has answered (``gateway`` is its own name), written to the bucket of all of them."""

    def __init__(
        self, bucket: CallBucket, gateway: str, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._bucket = bucket
        self._gateway = gateway
        self._clock = clock
        self._doors: dict[str, _Door] = {}
        self._unwritten: set[str] = set()
        self._writing = asyncio.Lock()
        self._draining = asyncio.Event()

    def note(self, answered: Answered) -> None:
        """Remember a call; quick, for a sender waits."""
        now = self._clock()
        outcome = _outcome(answered)
        door = self._doors.setdefault(answered.door, _Door(now.date()))
        if door.day != now.date():
            door.day, door.counts, door.refusals = now.date(), Counter(), Counter()
        door.counts[outcome] += 1
        if outcome is Outcome.REFUSED:
            door.refusals[answered.told.get("code", "")] += 1
        door.newest.setdefault(outcome, deque(maxlen=MOST_RECENT)).appendleft(_Noted(now, outcome, answered))
        self._unwritten.add(answered.door)

    async def run(self) -> None:
        """Write what was noted, until `drain`."""
        while not self._draining.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._draining.wait(), WRITE_S)
            await self.write()

    def drain(self) -> None:
        """Write once more, and no longer."""
        self._draining.set()

    async def write(self) -> None:
        """Write what was noted and not written yet. Where it cannot be, it is kept for the next time."""
        async with self._writing:
            for name in sorted(self._unwritten):
                door = self._doors[name]
                self._unwritten.discard(name)
                try:
                    calls = await asyncio.to_thread(_shown, [list(each) for each in door.newest.values()])
                    await self._bucket.put(name, self._gateway, _tally(door, calls), calls)
                except TRANSIENT as error:
                    self._unwritten.add(name)
                    log.warning("calls of webhooks are not written", problem=str(error) or type(error).__name__)
                    return


def _outcome(answered: Answered) -> Outcome:
    if answered.status >= 400:
        return Outcome.REFUSED
    if answered.status == 202:
        return Outcome.ACCEPTED
    return Outcome.DUPLICATE if answered.told.get("status") == "duplicate" else Outcome.IGNORED


def _shown(noted: list[list[_Noted]]) -> tuple[Call, ...]:
    room = MAX_BYTES
    calls: list[Call] = []
    for each in sorted((each for newest in noted for each in newest), key=lambda each: each.at, reverse=True):
        call = _call(each)
        room -= len(msgspec.json.encode(call))
        calls.append(call if room > 0 else replace(call, body="", headers=()))
    return tuple(calls)


def _call(noted: _Noted) -> Call:
    if noted.call is None:
        noted.call = _made(noted)
    return noted.call


def _made(noted: _Noted) -> Call:
    answered = noted.answered
    return Call(
        at=noted.at,
        outcome=noted.outcome,
        status=answered.status,
        code=answered.told.get("code", ""),
        reason=one_line(visible(answered.told.get("reason", ""))),
        delivery=answered.told.get("delivery", ""),
        event=one_line(visible(answered.event), 100),
        client=answered.client[:64],
        headers=tuple(one_line(visible(name), 60) for name in answered.headers[:MAX_HEADERS]),
        body=shown_body(answered.body, answered.secrets),
        body_bytes=answered.body_bytes,
    )


def _tally(door: _Door, calls: tuple[Call, ...]) -> Tally:
    last: dict[Outcome, Call] = {}
    for call in calls:
        last.setdefault(call.outcome, replace(call, body="", headers=()))
    return Tally(day=door.day, counts=dict(door.counts), refusals=dict(door.refusals), last=last)
