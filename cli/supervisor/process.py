"""A child process that ends with us, whose output is kept, and that says when it is ready."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from cli.supervisor.logs import ChildLog

READY_S: Final = 60.0
POLL_S: Final = 0.02
_PR_SET_PDEATHSIG: Final = 1
_libc: Final = ctypes.CDLL(None, use_errno=True)


class CannotLaunch(Exception):
    """The child ended before it was ready, or never became ready; the text is its own explanation where it gave one."""


class Running(Protocol):
    """What `Restarts` needs of a child that runs."""

    @property
    def pid(self) -> int: ...

    @property
    def facts(self) -> dict[str, Any]: ...

    async def wait(self) -> int: ...

    def signal(self, number: int) -> None: ...


class ChildProcess:
    """A started Python child; ``facts`` is what it wrote into its ready file."""

    def __init__(self, process: asyncio.subprocess.Process, reading: asyncio.Task[None], facts: dict[str, Any]) -> None:
        self._process = process
        self._reading = reading
        self.facts = facts

    @property
    def pid(self) -> int:
        return self._process.pid

    async def wait(self) -> int:
        """Its exit code, negative for a signal; what it said until then is in its log."""
        code = await self._process.wait()
        # A grandchild may hold the output open for as long as it likes.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._reading, 0.5)
        return code

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)


async def launch(
    name: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    log: ChildLog,
    *,
    ready_file: Path,
    read_ready: Callable[[bytes], dict[str, Any]] = msgspec.json.decode,
    patience_s: float = READY_S,
) -> ChildProcess:
    """Start ``python -m …`` and wait until its ready file is there; raises `CannotLaunch`.

    The child has its own session, so that Ctrl-C reaches only us and we choose the order in which the children end.
    """
    ready_file.unlink(missing_ok=True)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # a folder `services` in the directory we were started from is not ours
        "-m",
        *arguments,
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=end_with(os.getpid()),
        limit=1 << 20,
    )
    assert process.stdout is not None
    reading = asyncio.create_task(log.take(process.stdout))
    child = ChildProcess(process, reading, {})
    ended = asyncio.create_task(child.wait())
    try:
        async with asyncio.timeout(patience_s):
            while not ended.done():
                if ready_file.exists():
                    child.facts = read_ready(ready_file.read_bytes())
                    return child
                await asyncio.sleep(POLL_S)
        said = f" ({log.last})" if log.last else ""
        raise CannotLaunch(log.explanation or f"{name} ended at once with code {ended.result()}{said}: see {log.path}.")
    except TimeoutError:
        child.signal(signal.SIGKILL)
        raise CannotLaunch(f"{name} is not ready after {patience_s:g} s: see {log.path}.") from None
    except asyncio.CancelledError:
        child.signal(signal.SIGKILL)
        raise
    finally:
        if child.facts:
            ended.cancel()
        else:
            await ended


def end_with(parent: int) -> Callable[[], None]:
    """Runs in the child before it becomes the program: SIGTERM when the supervisor is gone, however it went."""

    def before_exec() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return before_exec
