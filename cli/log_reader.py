"""Reading the log from a stream sequence on: to its end as of now, or for ever."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final

from cli.failures import Failure
from shared.contracts import EVENTS as CONTRACTS
from shared.contracts.subjects import actor
from shared.nats.bus import Bus
from shared.nats.errors import NotFound
from shared.nats.feed import Feed, FeedMessage
from shared.nats.streams import EVENTS

NO_MESSAGE: Final = 10037


def subject_filter(kind: str | None, id: str | None) -> str:
    """``evt.<kind>.<id>.>``; raises `Failure` for a kind that no actor has, `BadAddress` for an impossible id."""
    if kind is not None and kind not in CONTRACTS:
        raise Failure(f"There are no {kind!r} actors; there are: {', '.join(CONTRACTS)}.")
    if id is not None:
        actor(kind or "task", id)
    return f"evt.{kind or '*'}.{id or '*'}.>"


async def read(bus: Bus, subject: str, *, start: int, follow: bool) -> AsyncGenerator[FeedMessage, None]:
    """The stored messages from ``start`` on, in order; without ``follow`` it ends where the log ends now.

    Whoever may stop in the middle closes it (`contextlib.aclosing`) while the connection is open.
    """
    newest = None if follow else await _newest(bus, subject)
    if newest is not None and newest < start:
        return
    async with Feed(bus, EVENTS, subject, after=start - 1) as feed:
        async for message in feed:
            yield message
            if newest is not None and message.position >= newest:
                return


async def _newest(bus: Bus, subject: str) -> int:
    """The stream sequence of the newest message under a filter, 0 when there is none."""
    try:
        message = await bus.js.get_last_msg(EVENTS, subject)
    except NotFound as error:
        if error.err_code == NO_MESSAGE:
            return 0
        raise
    return int(message.seq or 0)
