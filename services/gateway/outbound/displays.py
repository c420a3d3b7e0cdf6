"""Showing people where they are what happens to their task: claimed, looked up, shown, recorded.

Who shows is fenced by the claim; what is shown is found again by its hidden mark and its author. So a gateway that
died in between has left nothing that the next one does not find, and nothing is shown a second time.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol, TypeVar

import msgspec
import structlog

from services.gateway.outbound.report import Report
from shared.contracts import reply
from shared.contracts.decider import Rejected
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent
from shared.ops.crash_points import crash_point
from shared.runtime.activity import ActivityContext, HandOver
from shared.runtime.actor_host import ActorHost

SHOWN_AT_ONCE: Final = 32
"""Most of them wait for their turn in the sender's budget."""
WAITING_AT_ONCE: Final = 6
"""So many of one kind wait in their slots for the same sender; further ones are given back, or those that could be
shown would find no slot: comments that wait for the read models must not hold up marks."""
OTHERS_TURN_S: Final = 15.0
"""So long a claim of another gateway is waited for; then that one is taken for dead."""
SETTLE_S: Final = 1.0
"""So long a task's comment waits for what follows at once: a task that arrives is being planned a moment later."""
LOOK_S: Final = 0.1
MOST_WAIT_S: Final = 900.0
"""So long an effect is held for a sender that is away or takes no more; then it comes again."""
BACKOFF_S: Final = (0.1, 0.5, 1.0, 3.0, 10.0, 30.0)

log = structlog.get_logger(__name__)
T = TypeVar("T")


class Visible(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown, as of ``revision``: where, and the sender's own name for it."""

    revision: int
    url: str = ""
    external: str = ""


class CannotShow(Exception):
    """It cannot be shown for good. ``code`` is stable; the text says what to do."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class NotNow(OSError):
    """The sender is away, takes no more, or did not say what happened: ``until`` is when to look again, 0 for soon.

    An `OSError`, because such a message is tried for ever.
    """

    def __init__(self, sentence: str, until: float = 0.0) -> None:
        super().__init__(sentence)
        self.until = until


class Effects(Protocol):
    """What one sender can show."""

    async def show(self, task: str, display: reply.Display) -> Visible:
        """Make visible what is wanted, or find it; raises `CannotShow` and `NotNow`."""
        ...


class Displays:
    """The activity behind `reply.wanted`. ``effects`` are those of each sender that we have credentials for."""

    def __init__(self, host: ActorHost, effects: Mapping[str, Effects], *, worker: str) -> None:
        self._host = host
        self._effects = effects
        self._worker = worker
        self._working: set[tuple[str, str]] = set()
        self._waiting: Counter[str] = Counter()

    async def show(self, event: RecordedEvent, turn: ActivityContext) -> None:
        """Claim the effect, show its newest revision, report. What is shown already is left as it is."""
        wanted: reply.Wanted = event.data
        key = event.actor.id, wanted.effect
        if turn.delivered > 1 and self._is_crowded(wanted):
            # Not claimed again each time: that would be an event for every look.
            raise NotNow("Others of its kind wait already.")
        if wanted.effect == reply.COMMENT and turn.delivered == 1:
            await _pause(SETTLE_S, turn)
        if not await self._is_ours_to_show(event.actor, wanted, key, turn.delivered):
            return
        report = Report(self._host, event, turn)
        attempt = 0
        self._working.add(key)
        try:
            attempt = await report.claim(wanted.effect, self._worker)
            crash_point("display.claimed")
            try:
                visible = await self._visible(event.actor, wanted, turn)
            except CannotShow as failure:
                log.warning("something cannot be shown", effect=wanted.effect, code=failure.code, why=failure.sentence)
                fail = reply.Fail(effect=wanted.effect, attempt=attempt, code=failure.code, message=failure.sentence)
                await report.tell(fail)
            else:
                crash_point("display.visible")
                await report.tell(
                    reply.Show(
                        effect=wanted.effect,
                        attempt=attempt,
                        revision=visible.revision,
                        url=visible.url,
                        external=visible.external,
                    )
                )
                crash_point("display.reported")
        except Rejected as rejection:
            # Shown before, or somebody else's by now.
            log.info("not ours to show", effect=wanted.effect, code=rejection.code)
            if attempt and rejection.code == "attempt-stale":
                raise HandOver from rejection
        finally:
            self._working.discard(key)

    async def give_up(self, event: RecordedEvent, reason: str) -> None:
        """Report an effect that failed again and again for a reason of ours; a newer one is tried again."""
        wanted: reply.Wanted = event.data
        report = Report(self._host, event, ActivityContext(0, asyncio.Event()))
        try:
            attempt = await report.claim(wanted.effect, self._worker)
            sentence = f"The gateway could not show it ({reason}): see its log."
            fail = reply.Fail(effect=wanted.effect, attempt=attempt, code="internal-error", message=sentence)
            await report.tell(fail)
        except Rejected as rejection:
            log.info("nobody waits for this effect", effect=wanted.effect, code=rejection.code)

    async def _is_ours_to_show(self, actor: Actor, wanted: reply.Wanted, key: tuple[str, str], delivered: int) -> bool:
        """Whether nothing newer is wanted, which is shown instead; waits while another one is at it.

        What is delivered again is not: who had it then is gone.
        """
        deadline = time.monotonic() + (OTHERS_TURN_S if delivered == 1 else 0.0)
        while True:
            display = await self._display(actor, wanted.effect)
            if display is None or display.wanted.revision != wanted.revision or display.shown >= wanted.revision:
                return False
            is_anothers = display.status is reply.EffectStatus.CLAIMED and display.worker != self._worker
            if key not in self._working and not (is_anothers and time.monotonic() < deadline):
                return True
            await asyncio.sleep(LOOK_S)

    async def _display(self, actor: Actor, effect: str) -> reply.Display | None:
        state: reply.Reply = await self._host.state(actor)
        return state.displays.get(effect)

    async def _visible(self, actor: Actor, wanted: reply.Wanted, turn: ActivityContext) -> Visible:
        """Shown as of its newest revision, patiently; raises `CannotShow`, `HandOver`, and `NotNow` in the end."""

        async def once() -> Visible:
            display = await self._display(actor, wanted.effect)
            if display is None:
                raise CannotShow("effect-forgotten", "So much was shown since that nobody remembers what this was.")
            effects = self._effects.get(reply.sender_of(display.wanted.thread))
            if effects is None:
                raise CannotShow("no-credentials", f"There are no credentials any more for {display.wanted.thread}.")
            return await effects.show(actor.id, display)

        try:
            return await once()
        except NotNow:
            if self._is_crowded(wanted):
                raise
        line = _line_of(wanted)
        self._waiting[line] += 1
        try:
            return await patiently(once, turn)
        finally:
            self._waiting[line] -= 1

    def _is_crowded(self, wanted: reply.Wanted) -> bool:
        return self._waiting[_line_of(wanted)] >= WAITING_AT_ONCE


def _line_of(wanted: reply.Wanted) -> str:
    """What waits for the same: effects of one kind at one sender."""
    return f"{reply.sender_of(wanted.thread)} {reply.kind_of_effect(wanted.effect)}"


async def patiently(work: Callable[[], Awaitable[T]], turn: ActivityContext, *, most_s: float = MOST_WAIT_S) -> T:
    """Do it again while the sender is away or takes no more, for ``most_s`` seconds.

    Raises what the work raises, the last `NotNow`, and `HandOver` when the service leaves meanwhile.
    """
    deadline = time.monotonic() + most_s
    tries = 0
    while True:
        try:
            return await work()
        except NotNow as error:
            if time.monotonic() >= deadline:
                raise
            pause = max(error.until - time.time(), BACKOFF_S[min(tries, len(BACKOFF_S) - 1)])
            log.info("waiting for a sender", why=str(error), seconds=round(pause, 1))
            await _pause(min(pause * random.uniform(1.0, 1.2), max(0.0, deadline - time.monotonic()) + 1.0), turn)
            tries += 1


async def _pause(seconds: float, turn: ActivityContext) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if turn.draining.is_set():
            raise HandOver
        await asyncio.sleep(min(left, 0.25))
