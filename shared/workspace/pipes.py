"""Listening to a process without depending on when everybody else lets go of its output.

asyncio's own subprocess pipes have two traps: ``wait()`` returns only after all pipes are closed, so a server left in
the background (or ssh's connection sharing) delays it for ever; and a pipe nobody drains is never seen to close.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Final

_CHUNK: Final = 256 * 1024


class Pipe:
    """A pipe whose bytes go to ``take`` as they come. Give ``writable`` to a process, then call ``given``."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._readable, self.writable = os.pipe()
        self._given = False
        os.set_blocking(self._readable, False)
        self._loop.add_reader(self._readable, self._read)

    def given(self) -> None:
        """The process has its copy: close ours, so that the end can be seen."""
        if not self._given:
            self._given = True
            os.close(self.writable)

    async def ended(self, within: float) -> bool:
        """Wait until all writers are gone, at most ``within`` seconds; whether they are."""
        if not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await self._ended.wait()
        return self._ended.is_set()

    def close(self) -> None:
        """Read nothing more."""
        self.given()
        if self._readable >= 0:
            self._loop.remove_reader(self._readable)
            os.close(self._readable)
            self._readable = -1
        self._ended.set()

    def _read(self) -> None:
        try:
            part = os.read(self._readable, _CHUNK)
        except BlockingIOError:
            return
        if part:
            self._take(part)
        else:
            self.close()


@contextlib.contextmanager
def listen(take: Callable[[bytes], None]) -> Iterator[Pipe]:
    """An open ``Pipe``; both ends are closed at the end of the block."""
    pipe = Pipe(take)
    try:
        yield pipe
    finally:
        pipe.close()


class Tail:
    """The last ``limit`` bytes of what it takes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.data = b""

    def take(self, part: bytes) -> None:
        """Add a piece."""
        self.data = (self.data + part)[-self._limit :]


class Ends:
    """The first and the last ``limit`` bytes of what it takes, and how many there were."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._head = b""
        self._tail = bytearray()
        self.size = 0

    def take(self, part: bytes) -> None:
        """Add a piece."""
        self.size += len(part)
        if (room := self._limit - len(self._head)) > 0:
            self._head += part[:room]
            part = part[room:]
        self._tail += part
        if len(self._tail) > 2 * self._limit:  # not at every piece: that would copy all of it each time
            del self._tail[: -self._limit]

    @property
    def text(self) -> str:
        """Both, with a line between them where something was left out; bytes that are not UTF-8 are replaced."""
        tail = bytes(self._tail[-self._limit :])
        left_out = self.size - len(self._head) - len(tail)
        between = f"\n[{left_out} bytes left out here]\n".encode() if left_out else b""
        return (self._head + between + tail).decode("utf-8", "replace")


class Head:
    """The first ``limit`` bytes of what it takes; ``overflow`` is called once, when there is more."""

    def __init__(self, limit: int, overflow: Callable[[], None]) -> None:
        self._limit = limit
        self._overflow = overflow
        self._parts: list[bytes] = []
        self._size = 0
        self.cut = False

    def take(self, part: bytes) -> None:
        """Add a piece."""
        if self.cut:
            return
        self._parts.append(part)
        self._size += len(part)
        if self._size > self._limit:
            self.cut = True
            self._overflow()

    @property
    def data(self) -> bytes:
        """What was kept."""
        return b"".join(self._parts)[: self._limit]
