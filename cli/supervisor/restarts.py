"""Keeps one child running: starts it, waits for its end, starts it again with growing waits in between."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from cli.supervisor.process import CannotLaunch, Running

FIRST_WAIT_S: Final = 0.2
LONGEST_WAIT_S: Final = 5.0
STEADY_S: Final = 10.0
"""A child that ran this long has recovered: its next restart waits the first wait again."""
DRAIN_S: Final = 35.0
"""A service's own drain and a little more, not counting what its agents get; after that it is killed."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to a child, for the console: ``ready``, ``ended``, ``failed`` (a restart that did not work)."""

    name: str
    what: str
    seconds: float = 0.0
    first: bool = False
    detail: str = ""


class Restarts:
    """One child over all its lives. ``facts`` is what its newest life said when it became ready.

    After SIGTERM it has ``drain_s`` seconds to leave.
    """

    def __init__(
        self,
        name: str,
        launch: Callable[[], Awaitable[Running]],
        changed: Callable[[Change], None],
        *,
        drain_s: float = DRAIN_S,
    ) -> None:
        self.name = name
        self.facts: dict[str, Any] = {}
        self.restarts = 0
        self._launch = launch
        self._changed = changed
        self._drain_s = drain_s
        self._running: Running | None = None
        self._task: asyncio.Task[None] | None = None
        self._leaving = False

    @property
    def pid(self) -> int | None:
        return None if self._running is None else self._running.pid

    async def start(self) -> None:
        """The first life; raises `CannotLaunch`. From then on it is kept running."""
        await self._begin(first=True)
        self._task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End it for good: SIGTERM, and SIGKILL for its whole session when it does not drain."""
        self._leaving = True
        if self._task is None:
            return
        running = self._running
        if running is None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            return
        running.signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(asyncio.shield(self._task), self._drain_s)
        except TimeoutError:
            self.kill()
            await self._task

    def kill(self) -> None:
        """Without another word."""
        self._leaving = True
        if self._running is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._running.pid, signal.SIGKILL)
            self._running.signal(signal.SIGKILL)

    async def _begin(self, *, first: bool) -> None:
        began = time.monotonic()
        self._running = await self._launch()
        self.facts = self._running.facts
        self._changed(Change(name=self.name, what="ready", seconds=time.monotonic() - began, first=first))

    async def _keep(self) -> None:
        wait = FIRST_WAIT_S
        while self._running is not None:
            began = time.monotonic()
            code = await self._running.wait()
            self._running = None
            if self._leaving:
                return
            if time.monotonic() - began > STEADY_S:
                wait = FIRST_WAIT_S
            self._changed(Change(name=self.name, what="ended", seconds=wait, detail=_reason(code)))
            while self._running is None and not self._leaving:
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT_S)
                self.restarts += 1
                try:
                    await self._begin(first=False)
                except CannotLaunch as error:
                    self._changed(Change(name=self.name, what="failed", seconds=wait, detail=str(error)))


def _reason(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
