"""Asking senders which account is ours there: what it says starts no work, and assigning to it does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from services.gateway.outbound.channels.board import Board
from services.gateway.outbound.displays import CannotShow, NotNow

AGAIN_S: Final = 15.0

log = structlog.get_logger(__name__)


class OwnAccounts:
    """Asks each until it has said so, and tells ``known`` the sender and the names of our account."""

    def __init__(
        self, boards: Mapping[str, Board], known: Callable[[str, tuple[str, ...]], None], *, again_s: float = AGAIN_S
    ) -> None:
        self._missing = dict(boards)
        self._known = known
        self._again_s = again_s
        self._leaving = asyncio.Event()

    async def run(self) -> None:
        """Ask, then wait for `drain`."""
        while not self._leaving.is_set():
            for name, board in list(self._missing.items()):
                await self._ask(name, board)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), self._again_s if self._missing else None)

    async def _ask(self, name: str, board: Board) -> None:
        try:
            names = await board.own_names()
        except (CannotShow, NotNow) as error:
            log.warning("a sender does not say which account is ours", sender=name, reason=str(error))
            return
        self._known(name, names)
        del self._missing[name]
        log.info("our account at a sender is known", sender=name, names=names)

    def drain(self) -> None:
        """End."""
        self._leaving.set()
