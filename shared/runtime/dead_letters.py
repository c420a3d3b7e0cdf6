"""What to do about parked messages: look at them, have them handled again, or let them go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import msgspec
import nats.errors
import nats.js.errors
import structlog
from nats.aio.msg import Msg

from shared.nats.bus import Bus
from shared.nats.dead_letters import DeadLetter, body_of
from shared.nats.feed import Feed
from shared.nats.streams import COMMANDS, EVENTS, PARKED
from shared.ops.crash_points import crash_point

REPLAY_TIMEOUT_S: Final = 30.0

log = structlog.get_logger(__name__)


class CannotReplay(Exception):
    """The message could not be handled again; it stays parked. The text says why."""


class ReplayResult(msgspec.Struct, frozen=True, kw_only=True):
    """A service's answer to being asked to handle an event again."""

    ok: bool
    reason: str = ""


async def count(bus: Bus) -> int:
    """How many messages are parked."""
    return int((await bus.js.stream_info(PARKED)).state.messages)


async def listing(bus: Bus) -> AsyncIterator[tuple[int, DeadLetter]]:
    """Every parked message with its number in PARKED, oldest first."""
    if not await count(bus):
        return
    async with Feed(bus, PARKED, "parked.>", after=0, batch=100) as feed:
        async for message in feed:
            yield message.position, msgspec.json.decode(message.data, type=DeadLetter)
            if message.pending == 0:
                return


async def find(bus: Bus, number: int) -> DeadLetter:
    """One parked message; raises `CannotReplay` when there is none with this number."""
    try:
        message = await bus.js.get_msg(PARKED, number, direct=True)
    except nats.js.errors.NotFoundError as error:
        raise CannotReplay(f"Nothing is parked under {number}: see `journeyman parked list`.") from error
    return msgspec.json.decode(message.data or b"", type=DeadLetter)


async def replay(bus: Bus, number: int) -> None:
    """Have it handled again, and take it out of PARKED when it was; raises `CannotReplay`."""
    parked = await find(bus, number)
    if parked.stream == COMMANDS:
        await _send_again(bus, number, parked)
    elif parked.stream == EVENTS:
        await _ask_again(bus, parked)
    else:
        raise CannotReplay(f"{number} was parked from {parked.stream}, which nobody handles: drop it.")
    crash_point("parked.handled")
    await drop(bus, number)


async def drop(bus: Bus, number: int) -> None:
    """Let it go for good; raises `CannotReplay` when there is none with this number."""
    try:
        await bus.js.delete_msg(PARKED, number)
    except nats.js.errors.APIError as error:
        raise CannotReplay(f"Nothing is parked under {number}: see `journeyman parked list`.") from error


async def _send_again(bus: Bus, number: int, parked: DeadLetter) -> None:
    """A command goes back to its mailbox; its own id, in its envelope, keeps it from taking effect twice."""
    subject = ".".join(["cmd", *parked.subject.split(".")[2:]])
    headers = {**parked.headers, "Nats-Msg-Id": f"replay:{number}"}
    await bus.publish(subject, await body_of(bus, parked), headers)


async def _ask_again(bus: Bus, parked: DeadLetter) -> None:
    """An event is in the log for ever: its consumer's service is asked to look at it again."""
    try:
        answer = await bus.request(
            replay_subject(parked.consumer), str(parked.position).encode(), timeout=REPLAY_TIMEOUT_S
        )
    except (TimeoutError, nats.errors.Error) as error:
        raise CannotReplay(f"No service answers for the consumer {parked.consumer}: start it and try again.") from error
    verdict = msgspec.json.decode(answer.data, type=ReplayResult)
    if not verdict.ok:
        raise CannotReplay(f"It failed again: {verdict.reason}")


def replay_subject(consumer: str) -> str:
    """Where the service of a consumer is asked to handle an event again."""
    return f"replay.{consumer}"


async def answer_replays(bus: Bus, consumer: str, handle: Callable[[str, bytes, int], Awaitable[None]]) -> None:
    """Handle events again when asked: ``handle(subject, body, position)``. Ends with the connection."""

    async def again(request: Msg) -> None:
        try:
            message = await bus.js.get_msg(EVENTS, int(request.data), direct=True)
            await handle(message.subject or "", message.data or b"", message.seq or 0)
        except Exception as error:
            log.warning("failed again", consumer=consumer, exc_info=True)
            await request.respond(
                msgspec.json.encode(ReplayResult(ok=False, reason=f"{type(error).__name__}: {error}"))
            )
        else:
            await request.respond(msgspec.json.encode(ReplayResult(ok=True)))

    await bus.nc.subscribe(replay_subject(consumer), queue=consumer, cb=again)
