"""Hearing of an actor's events while work on it goes on: a stop, an input, another worker that took over.

Watching is liveness, not a fold. What it misses while the log is away it hears later, and an event that this version
cannot read is not for this worker. A worker that does not hear any more must not go on unnoticed: an error of its
watcher ends the work.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from typing import Any, Final, TypeVar

import structlog

from shared.event_store.envelope import BadEnvelope, RecordedEvent
from shared.event_store.journal import Conflict, Journal
from shared.runtime import acknowledge

FIRST_WAIT_S: Final = 0.25
LONGEST_WAIT_S: Final = 2.0
TRANSIENT: Final = (*acknowledge.TRANSIENT, Conflict)
"""What passes by itself: the same is tried again."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


async def watch(journal: Journal, subject_filter: str, *, after: int, handle: Callable[[RecordedEvent], None]) -> None:
    """Give ``handle`` every event that fits the filter behind a stream position, in order and once, until cancelled.

    Trouble with the log interrupts this and never ends it. ``handle`` does no I/O, because what it does must not be
    done twice: what it raises, and a damaged log, ends the watch.
    """
    position, wait_s = after, FIRST_WAIT_S
    while True:
        try:
            async for event in journal.follow(subject_filter, after=position):
                position, wait_s = event.position, FIRST_WAIT_S
                handle(event)
        except BadEnvelope as error:
            if error.position <= position:
                raise
            log.warning("an event that this version cannot read is not for this worker", reason=str(error))
            position = error.position
        except TRANSIENT as error:
            log.warning("the log cannot be followed now", after=position, reason=str(error) or type(error).__name__)
            wait_s = await _pause(wait_s)


async def until_draining(draining: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do the work until it ends or ``draining`` is set. Raises what ends it."""
    working, leaving = asyncio.create_task(work), asyncio.create_task(draining.wait())
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        await ended((working, leaving))


async def insist(attempt: Callable[[], Awaitable[T]]) -> T:
    """Try until there is no trouble with the log any more, and return the result; other errors are raised."""
    wait_s = FIRST_WAIT_S
    while True:
        try:
            return await attempt()
        except TRANSIENT as error:
            log.warning("the log takes nothing now, trying again", reason=str(error) or type(error).__name__)
            wait_s = await _pause(wait_s)


@contextlib.asynccontextmanager
async def supervised(*helpers: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run helpers of the caller's work while the context lasts.

    An error of a helper ends the work at once and is raised from the context, whatever the work waits for.
    """
    worker = asyncio.current_task()
    assert worker is not None
    tasks = [asyncio.create_task(helper) for helper in helpers]
    failed: list[BaseException] = []

    def end_work(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            failed.append(error)
            if len(failed) == 1:
                worker.cancel()

    for task in tasks:
        task.add_done_callback(end_work)
    try:
        try:
            yield
        finally:
            await ended(tasks)
    except asyncio.CancelledError:
        if not failed:
            raise
        worker.uncancel()
        raise failed[0] from None
    finally:
        for task in tasks:
            task.remove_done_callback(end_work)


async def ended(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel the tasks until they have ended: `asyncio.wait_for`, which nats-py uses, may swallow a cancellation."""
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=1.0)


async def _pause(wait_s: float) -> float:
    """Wait, and say how long to wait the next time."""
    await asyncio.sleep(wait_s)
    return min(2 * wait_s, LONGEST_WAIT_S)
