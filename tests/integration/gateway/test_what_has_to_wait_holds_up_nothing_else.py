"""What cannot be shown now waits beside what can: neither slots nor the log are used up by it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from services.gateway.actors.reply import DECIDER
from services.gateway.outbound.displays import WAITING_AT_ONCE, Displays, NotNow, Visible
from shared.contracts import reply
from shared.contracts.ids import new_task_id
from shared.contracts.reply import Display, Mark, Want
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent
from shared.event_store.in_memory import MemoryJournal
from shared.runtime.activity import ActivityContext
from shared.runtime.actor_host import ActorHost
from testing.eventually import eventually

AT = datetime(2026, 1, 2, tzinfo=UTC)


class Shown:
    """A sender that takes marks, and comments only from a moment on."""

    def __init__(self) -> None:
        self.takes_comments = False

    async def show(self, task: str, display: Display) -> Visible:
        if display.wanted.effect == reply.COMMENT and not self.takes_comments:
            raise NotNow("The read models are not there.")
        return Visible(revision=display.wanted.revision)


async def test_comments_that_wait_leave_slots_for_marks_and_are_claimed_once() -> None:
    journal, sender = MemoryJournal(), Shown()
    host = ActorHost(journal, [DECIDER], source="journeyman/gateway")
    displays = Displays(host, {"github": sender}, worker="g1")

    async def wanted(effect: str, text: str = "") -> RecordedEvent:
        actor = Actor("reply", new_task_id())
        want = Want(effect=effect, thread="github:1#7", repo="octo/app", text=text, at=AT)
        event = await host.execute(actor, want, id=actor.id, principal="service:gateway")
        assert event is not None
        return event

    def show(event: RecordedEvent, delivered: int = 2) -> asyncio.Task[None]:
        return asyncio.create_task(displays.show(event, ActivityContext(delivered, asyncio.Event())))

    waiting = [show(await wanted(reply.COMMENT)) for _ in range(WAITING_AT_ONCE)]
    await eventually(lambda: sum(isinstance(each.data, reply.Claimed) for each in journal.log) == WAITING_AT_ONCE)
    late = await wanted(reply.COMMENT)
    for delivered in (1, 2, 3):
        with pytest.raises(NotNow):
            await show(late, delivered)
    assert sum(isinstance(each.data, reply.Claimed) and each.actor == late.actor for each in journal.log) == 1
    await show(await wanted("reaction/thing", Mark.AT_WORK))
    assert isinstance(journal.log[-1].data, reply.Shown)

    sender.takes_comments = True
    await asyncio.gather(*waiting)
    await show(late, 4)
    assert sum(isinstance(each.data, reply.Shown) for each in journal.log) == WAITING_AT_ONCE + 2
