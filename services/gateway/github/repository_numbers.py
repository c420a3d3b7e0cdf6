"""Asking GitHub for the numbers of the configured repositories: by these they are known when they are renamed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final

import structlog

from services.gateway.github.client import GitHub
from services.gateway.github.errors import GitHubError, NotThere
from shared.ops.config import Config

LOOK_S: Final = 15.0
KEPT_S: Final = 600.0
"""A name can become another repository's; so long the number that it had is believed."""

log = structlog.get_logger(__name__)


class RepositoryNumbers:
    """Asks for each repository without ``id``, and tells ``known`` its name on GitHub and its number.

    GitHub answers by the former name, too. A repository that is not there is told as 0, and asked for again as late as
    the others.
    """

    def __init__(
        self,
        github: GitHub,
        config: Callable[[], Config],
        known: Callable[[str, int], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._github = github
        self._config = config
        self._known = known
        self._clock = clock
        self._asked: dict[str, float] = {}
        self._leaving = asyncio.Event()

    async def run(self) -> None:
        """Ask for what is new or old until `drain`."""
        while not self._leaving.is_set():
            await self.ask()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), LOOK_S)

    def drain(self) -> None:
        """End."""
        self._leaving.set()

    async def ask(self) -> None:
        """Ask once for what is due; what GitHub does not answer is logged, and asked for at the next look."""
        config = self._config()
        for name in dict.fromkeys(filter(None, map(config.on_github, config.repos))):
            asked = self._asked.get(name)
            if asked is not None and self._clock() - asked < KEPT_S:
                continue
            try:
                number = (await self._github.repository(name)).id
            except NotThere:
                number = 0
            except GitHubError as error:
                log.warning("GitHub does not say a repository's number", repo=name, reason=str(error))
                continue
            self._asked[name] = self._clock()
            self._known(name, number)
