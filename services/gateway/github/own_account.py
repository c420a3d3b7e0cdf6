"""Asking GitHub which account is ours: what it says starts no work, and assigning to it does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

import structlog

from services.gateway.github.client import GitHub
from services.gateway.github.errors import GitHubError

AGAIN_S: Final = 15.0

log = structlog.get_logger(__name__)


class OwnAccount:
    """Asks until GitHub has said it, and tells ``known`` the login and the App's id, which is 0 without an App."""

    def __init__(self, github: GitHub, known: Callable[[str, int], None], *, again_s: float = AGAIN_S) -> None:
        self._github = github
        self._known = known
        self._again_s = again_s
        self._leaving = asyncio.Event()

    async def run(self) -> None:
        """Ask, then wait for `drain`."""
        while not self._leaving.is_set():
            try:
                own = await self._github.identity()
            except GitHubError as error:
                log.warning("GitHub does not say which account is ours", reason=str(error))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._leaving.wait(), self._again_s)
            else:
                self._known(own.login, own.app_id)
                log.info("our account on GitHub is known", login=own.login)
                await self._leaving.wait()

    def drain(self) -> None:
        """End."""
        self._leaving.set()
