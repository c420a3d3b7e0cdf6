"""The scripted model in a thread of the test, so that what it counted can be compared with what the system counted."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from types import TracebackType
from typing import Self

from shared.claude.demo.model import DemoModel, Request


class CountingModel:
    """A demo model that listens while the context lasts."""

    def __init__(self, latency_s: float = 0.0) -> None:
        self._model = DemoModel(latency_s)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="demo-model", daemon=True)
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        self.url = asyncio.run_coroutine_threadsafe(self._model.start(), self._loop).result(60)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._model.stop(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    def requests(self, *sessions: str) -> list[Request]:
        """What was answered to these conversations, oldest first."""
        return [each for each in list(self._model.requests) if each.session in sessions]

    def tokens(self, *sessions: str) -> Counter[str]:
        """The tokens that the answers to these conversations were said to cost, by sort."""
        total: Counter[str] = Counter()
        for each in self.requests(*sessions):
            total["input_tokens"] += each.input_tokens
            total["output_tokens"] += each.output_tokens
            total["cache_read_tokens"] += each.cache_read_tokens
            total["cache_write_tokens"] += each.cache_write_tokens
        return total
