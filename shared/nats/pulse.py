"""Whether NATS still says something.

A connection that stands proves nothing: its server may be frozen, or the network swallows what is sent. nats-py finds
that out after ten seconds and more, and each call waits for a deadline of its own, one after the other.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

import nats.errors
from nats.aio.msg import Msg

from shared.nats.bus import Bus

EVERY_S: Final = 0.5
WITHIN_S: Final = 1.5
MISSED: Final = 2
"""How many answers in a row are missed by a server that is silent: one may come late because we were busy ourselves."""
GRACE_S: Final = 0.5
"""What needs no NATS is done by then, also while NATS is silent."""


class Pulse:
    """Asks the server of a connection for a sign of life, for as long as `run` runs."""

    def __init__(self, bus: Bus, *, every_s: float = EVERY_S, within_s: float = WITHIN_S) -> None:
        self._bus = bus
        self._every_s = every_s
        self._within_s = within_s
        self._deadlines: dict[asyncio.Timeout, float] = {}
        self._silent = asyncio.Event()
        self._heard = asyncio.Event()
        self._heard.set()
        self._draining = asyncio.Event()
        self._beat = asyncio.Event()
        self._inbox = ""

    @property
    def silent(self) -> bool:
        """Whether the server has said nothing for some seconds, or the connection was lost for as long."""
        return self._silent.is_set()

    async def until_silent(self) -> None:
        """Wait until the server says nothing."""
        await self._silent.wait()

    async def until_heard(self) -> None:
        """Wait until the server says something again."""
        await self._heard.wait()

    @contextlib.asynccontextmanager
    async def beating(self, *, grace_s: float = 0.0) -> AsyncIterator[asyncio.Timeout]:
        """Raises `TimeoutError` out of its body ``grace_s`` after the server has fallen silent; `let_be` calls it off.

        A body that begins in the middle of a silence has `GRACE_S` more.
        """
        async with asyncio.timeout(None) as deadline:
            self._deadlines[deadline] = grace_s
            if self.silent:
                deadline.reschedule(asyncio.get_running_loop().time() + GRACE_S + grace_s)
            try:
                yield deadline
            finally:
                self._deadlines.pop(deadline, None)

    def let_be(self, deadline: asyncio.Timeout) -> None:
        """Let what has begun end by itself."""
        self._deadlines.pop(deadline, None)
        deadline.reschedule(None)

    async def run(self) -> None:
        """Ask until `drain`."""
        # Not by nats-py's own PING: a PONG that comes after its caller has given up ends the connection's reading.
        self._inbox = self._bus.nc.new_inbox()
        subscription = await self._bus.nc.subscribe(self._inbox, cb=self._echo)
        try:
            missed = 0
            while not self._draining.is_set():
                missed = 0 if await self._answers() else missed + 1
                self._say(silent=missed >= MISSED)
                if not missed:
                    # Not `asyncio.wait_for`: a cancellation that comes with the end of the wait is lost in it.
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(self._every_s):
                            await self._draining.wait()
        finally:
            with contextlib.suppress(nats.errors.Error):
                await subscription.unsubscribe()

    async def _echo(self, _: Msg) -> None:
        self._beat.set()

    def drain(self) -> None:
        """Ask no longer."""
        self._draining.set()

    async def _answers(self) -> bool:
        began = self._bus.nc.stats["in_bytes"]
        try:
            if self._bus.connected:
                self._beat.clear()
                await self._bus.nc.publish(self._inbox)
                async with asyncio.timeout(self._within_s):
                    await self._beat.wait()
                return True
        except (TimeoutError, nats.errors.Error):
            # The answer comes behind what the server is sending.
            return bool(self._bus.nc.stats["in_bytes"] > began)
        await asyncio.sleep(self._within_s)
        return self._bus.connected

    def _say(self, *, silent: bool) -> None:
        if silent == self.silent:
            return
        if silent:
            self._silent.set()
            self._heard.clear()
            now = asyncio.get_running_loop().time()
            for deadline, grace_s in self._deadlines.items():
                deadline.reschedule(now + grace_s)
        else:
            self._silent.clear()
            self._heard.set()
