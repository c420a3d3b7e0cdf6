"""The children's output: a file each of bounded size, and on request the terminal, with the child's name in front."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from pathlib import Path
from typing import Final

from shared.ops.visible import visible

MOST_BYTES: Final = 16 * 1024 * 1024
"""A log file that has grown to this becomes ``<name>.log.1``, in place of the one before it."""
LONGEST_LINE: Final = 64 * 1024

_COLOURS: Final = {
    "nats": 34,
    "demo-model": 90,
    "gateway": 36,
    "brain": 35,
    "planner": 33,
    "executor": 32,
    "projector": 94,
}


class ChildLog:
    """One child's log over all its lives.

    ``explanation`` is the line with which the newest life explained why it cannot work, ``last`` its last line.
    """

    def __init__(self, name: str, directory: Path, *, show: bool) -> None:
        self.name = name
        self.path = directory / f"{name}.log"
        self._show = show
        self.explanation = ""
        self.last = ""
        self._explains = re.compile(rf"^journeyman(?: {re.escape(name)})?: (.+)$")
        directory.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("ab")

    async def take(self, stream: asyncio.StreamReader) -> None:
        """Keep what one life of the child says, until it closes its output."""
        self.explanation = self.last = ""
        while line := await _line(stream):
            self._keep(line)

    def close(self) -> None:
        self._file.close()

    def _keep(self, line: bytes) -> None:
        if self._file.tell() > MOST_BYTES:
            self._file.close()
            self.path.replace(self.path.with_suffix(".log.1"))
            self._file = self.path.open("ab")
        self._file.write(line)
        self._file.flush()
        text = line.decode("utf-8", "replace").rstrip()
        if found := self._explains.match(text):
            self.explanation = found[1]
        self.last = text.strip()[:200] or self.last
        if self._show:
            self._print(text)

    def _print(self, text: str) -> None:
        name = f"{self.name:<10}"
        if sys.stderr.isatty():
            name = f"\x1b[{_COLOURS.get(self.name, 37)}m{name}\x1b[0m"
        with contextlib.suppress(OSError):  # the terminal may be gone while the children still drain
            print(f"{name} {visible(text)}", file=sys.stderr, flush=True)


async def _line(stream: asyncio.StreamReader) -> bytes:
    """The next line with its end; one that is too long is cut into pieces."""
    try:
        return await stream.readuntil(b"\n")
    except asyncio.IncompleteReadError as error:
        return error.partial + b"\n" if error.partial else b""
    except asyncio.LimitOverrunError:
        return await stream.read(LONGEST_LINE) + b"\n"
