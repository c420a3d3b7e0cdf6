from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, cast

from services.gateway.security.sessions import Sessions
from shared.nats.session_bucket import Change


class Swallowing:
    """A bucket whose connection loses the first cancellation, as `asyncio.wait_for` in nats-py does at times."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.lost = 0

    async def changes(self) -> AsyncIterator[Change]:
        while True:
            self.asked.set()
            with contextlib.suppress(asyncio.CancelledError):
                if self.lost:
                    break
                self.lost += 1
                await asyncio.Event().wait()
        await asyncio.Event().wait()
        yield Change("session.x", b"")


async def test_a_cancellation_that_is_lost_on_the_way_keeps_no_gateway_that_leaves() -> None:
    bucket = Swallowing()
    sessions = Sessions(cast(Any, bucket))
    following = asyncio.create_task(sessions.run())
    await bucket.asked.wait()
    await asyncio.sleep(0)
    sessions.drain()
    async with asyncio.timeout(60):
        await following
    assert bucket.lost == 1
