"""How every consumer ends a message: done, once more later, or parked so that its neighbours go on."""

from __future__ import annotations

import errno
import time
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import nats.errors
import structlog
from nats.aio.msg import Msg

from shared.contracts.subjects import BadAddress
from shared.event_store.envelope import BadEnvelope
from shared.event_store.journal import LogDamaged, LogFull, LogUnavailable
from shared.nats.bus import Bus
from shared.nats.dead_letters import REASON_CHARS, store_dead_letter
from shared.ops import metrics
from shared.ops.crash_points import crash_point

log = structlog.get_logger(__name__)

TRANSIENT: Final = (LogFull, LogUnavailable, TimeoutError, OSError, nats.errors.Error)
"""Nobody's fault in the message: it is tried for ever, every few seconds, unless the fault is this machine's."""

_OF_A_MACHINE: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENOENT, errno.ENOTDIR}
    | {errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ENAMETOOLONG, errno.ELOOP, errno.EMFILE, errno.ENFILE}
    | {errno.ENOMEM, errno.E2BIG, errno.ENOEXEC, errno.ETXTBSY, errno.EFBIG, errno.ENXIO, errno.ENODEV}
    | {errno.EINVAL, errno.ESTALE, errno.EXDEV, errno.EBUSY}
)
"""Errors of files, disks and processes. What is away on the network has others, and is waited for."""

PERMANENT: Final = (BadEnvelope, BadAddress, LogDamaged)
"""Trying again cannot help."""


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often a message is tried, and how long it waits in between, in seconds (the last wait repeats).

    ``most_here`` and ``waits_here_s`` are for errors of this machine, such as a full disk, of work whose failure can be
    told: somebody may make room, so it is tried for five minutes; then it fails, and a person may have it done again.
    A stop is heard at the next try, so no wait is longer than the five seconds in which one is promised to be heard.
    Where a try alone takes longer than ``long_try_s``, ``most`` of them are enough.
    """

    most: int = 5
    waits_s: tuple[float, ...] = (0.1, 0.3, 0.5, 1.0)
    most_here: int = 60
    waits_here_s: tuple[float, ...] = (1.0, 2.0, 5.0)
    long_try_s: float = 30.0

    def wait_s(self, delivered: int) -> float:
        """The wait after the delivery with this number (1, 2, 3 …)."""
        return self.waits_s[min(delivered, len(self.waits_s)) - 1]

    def most_tries_here(self, took_s: float) -> int:
        """How often a message is tried in spite of errors of this machine, by how long the last try took."""
        return self.most_here if took_s < self.long_try_s else min(self.most, self.most_here)

    def wait_here_s(self, delivered: int) -> float:
        """The wait after an error of this machine."""
        return self.waits_here_s[min(delivered, len(self.waits_here_s)) - 1]


GiveUp = Callable[[Msg, str], Awaitable[None]]
"""Called with the reason before a message is parked, so that the waiting actor is told that it failed."""

HandleEvent = Callable[[str, bytes, int], Awaitable[None]]
"""Called with a stored event: its subject, its body and its stream sequence."""


async def acknowledge(
    bus: Bus,
    message: Msg,
    handle: Callable[[Msg], Awaitable[None]],
    *,
    consumer: str,
    retry: RetryPolicy,
    give_up: GiveUp | None = None,
) -> None:
    """Handle a message and tell the server how it went. Never raises for what the handler did."""
    delivered, began = message.metadata.num_delivered, time.monotonic()
    try:
        with metrics.HANDLING.labels(consumer).time():
            await handle(message)
    except TRANSIENT as error:
        if give_up is None or not is_of_this_machine(error):
            log.warning("not now", consumer=consumer, subject=message.subject, error=_words(error))
            await message.nak(delay=min(5.0, 0.25 * delivered))
        elif delivered < retry.most_tries_here(time.monotonic() - began):
            log.warning("not on this machine now", consumer=consumer, subject=message.subject, error=_words(error))
            await message.nak(delay=retry.wait_here_s(delivered))
        else:
            await _to_dead_letters(bus, message, consumer, f"{_words(error)}, {delivered} times", give_up)
    except PERMANENT as error:
        await _to_dead_letters(bus, message, consumer, str(error), give_up)
    except Exception as error:
        if delivered < retry.most:
            log.warning("failed, will try again", consumer=consumer, subject=message.subject, exc_info=True)
            await message.nak(delay=retry.wait_s(delivered))
        else:
            await _to_dead_letters(bus, message, consumer, f"{type(error).__name__}: {error}", give_up)
    else:
        crash_point("acknowledge.done")
        await message.ack()
        crash_point("acknowledge.acknowledged")


def is_of_this_machine(error: BaseException) -> bool:
    """Whether it is an error of a disk, a file or a process, and none of the network."""
    return isinstance(error, OSError) and not isinstance(error, TimeoutError) and error.errno in _OF_A_MACHINE


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


async def acknowledge_event(bus: Bus, message: Msg, handle: HandleEvent, *, consumer: str, retry: RetryPolicy) -> None:
    """`acknowledge` for a message that is a stored event."""

    async def handle_message(message: Msg) -> None:
        await handle(message.subject, message.data, message.metadata.sequence.stream)

    await acknowledge(bus, message, handle_message, consumer=consumer, retry=retry)


async def _to_dead_letters(bus: Bus, message: Msg, consumer: str, reason: str, give_up: GiveUp | None) -> None:
    try:
        if give_up is not None:
            await _report(give_up, message, reason[:REASON_CHARS])
            crash_point("dead-letters.reported")
        await store_dead_letter(bus, message, consumer=consumer, reason=reason)
        crash_point("dead-letters.stored")
    except TRANSIENT as error:
        why = _words(error)
        log.error("cannot be parked, so its neighbours wait", consumer=consumer, subject=message.subject, error=why)
        await message.nak(delay=1.0)
        return
    metrics.PARKED.labels(consumer).inc()
    log.error("parked", consumer=consumer, subject=message.subject, reason=reason)
    await message.ack()


async def _report(give_up: GiveUp, message: Msg, reason: str) -> None:
    try:
        await give_up(message, reason)
    except TRANSIENT:
        raise
    except Exception:
        log.exception("giving up failed as well", subject=message.subject)
