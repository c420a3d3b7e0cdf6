"""What SIGTERM does to a benchmark."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def until_terminated(work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work``. SIGTERM cancels it as Ctrl-C does, so that no server and no process is left behind."""
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task
