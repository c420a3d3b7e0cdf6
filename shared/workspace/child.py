"""Child processes that begin and end cheaply, whatever event loop runs.

asyncio starts a thread for the end of each child, and uvloop copies the whole memory map of its process for each start:
1.9 and 7.5 ms of processor time for a git call that takes 1.1 ms itself (measured). `subprocess` uses vfork(2), and the
kernel tells the end through a descriptor.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

from shared.ops.proc import end_descriptor


class Child:
    """A process in a session of its own, so that its helpers can be signalled with it. Made by `begin`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._ended = asyncio.Event()
        self.pid = process.pid

    @classmethod
    def begin(
        cls,
        *argv: str,
        cwd: Path | str,
        env: Mapping[str, str],
        stdin: int,
        stdout: int,
        stderr: int,
        more: tuple[int, ...] = (),
    ) -> Child:
        """Start a program; the descriptors are open ones or `subprocess.DEVNULL`. Raises ``OSError``.

        Those in ``more`` it inherits by their numbers.
        """
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=env,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=more,
            start_new_session=True,
        )
        child = cls(process)
        loop = asyncio.get_running_loop()
        if (descriptor := end_descriptor(process.pid)) is None:
            threading.Thread(target=child._wait_in_thread, args=(loop,), daemon=True).start()
        else:
            loop.add_reader(descriptor, child._reap, descriptor)
        return child

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None until `wait` can return."""
        return self._process.returncode if self._ended.is_set() else None

    async def wait(self) -> int:
        """Wait for the end of the process itself, not for the end of its output."""
        await self._ended.wait()
        return self._process.wait()

    def _reap(self, descriptor: int) -> None:
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)
        self._process.wait()
        self._ended.set()

    def _wait_in_thread(self, loop: asyncio.AbstractEventLoop) -> None:
        self._process.wait()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(self._ended.set)
