"""How many results of one repository are checked at the same time: two may want the same port."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


class CheckSlots:
    """One executor's. A repository has as many places as its settings say when nobody is checked."""

    def __init__(self) -> None:
        self._busy: dict[str, int] = {}
        self._changed = asyncio.Condition()

    @contextlib.asynccontextmanager
    async def slot(self, repo: str, most: int) -> AsyncIterator[None]:
        """Wait until fewer than ``most`` checks of the repository run, and be one of them."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._busy.get(repo, 0) < most)
            self._busy[repo] = self._busy.get(repo, 0) + 1
        try:
            yield
        finally:
            async with self._changed:
                self._busy[repo] -= 1
                if not self._busy[repo]:
                    del self._busy[repo]
                self._changed.notify_all()
