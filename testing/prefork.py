"""Services that start fast: a process that has imported one already and forks at every word, for tests with many lives.

Each life is a real process with its own pid, environment and exit code, and may be killed as one.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import selectors
import signal
import sys
import traceback
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

ROOT: Final = Path(__file__).parents[1]


class Life:
    """One life of a service, with the surface of `asyncio.subprocess.Process` that tests use."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._over = asyncio.Event()

    def send_signal(self, number: int) -> None:
        """Nothing when it is over."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    async def wait(self) -> int:
        """Its exit code, or the negative number of its signal."""
        await self._over.wait()
        assert self.returncode is not None
        return self.returncode

    def ended(self, code: int) -> None:
        self.returncode = code
        self._over.set()


class Prefork:
    """Lives of ``services.<service>``; those that still run end with it."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._lives: dict[int, Life] = {}
        self._born: asyncio.Queue[Life] = asyncio.Queue()
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "testing.prefork", self._service, stdin=PIPE, stdout=PIPE, cwd=ROOT
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None and self._process.stdin is not None and self._reading is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._reading

    @property
    def pid(self) -> int:
        """Whose limits every new life inherits."""
        assert self._process is not None
        return self._process.pid

    async def bear(self, environment: dict[str, str], errors: Path) -> Life:
        """Begin a life; its stderr goes to the end of a file."""
        assert self._process is not None and self._process.stdin is not None
        order = {"environment": environment, "errors": str(errors)}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        return await self._born.get()

    async def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        async for line in self._process.stdout:
            match json.loads(line):
                case {"pid": pid, "code": code}:
                    self._lives.pop(pid).ended(code)
                case {"pid": pid}:
                    self._lives[pid] = Life(pid)
                    self._born.put_nowait(self._lives[pid])


def main() -> None:
    """Fork a life for each line on stdin, tell of each death; at the end of stdin all of them end.

    Deaths are read from pidfds: a handler of SIGCHLD that is called just before stdin is read would wait for a line.
    """
    service = importlib.import_module(f"services.{sys.argv[1]}.__main__")
    stdin = sys.stdin.fileno()
    living: dict[int, int] = {}
    rest, more = b"", True
    with selectors.DefaultSelector() as events:
        events.register(stdin, selectors.EVENT_READ)
        while more:
            for key, _ in events.select():
                if key.fd != stdin:
                    events.unregister(key.fd)
                    _bury(key.fd, living.pop(key.fd))
                    continue
                read = os.read(stdin, 1 << 16)
                more = bool(read)
                *orders, rest = (rest + read).split(b"\n")
                for order in orders:
                    handle, pid = _bear(service, order)
                    living[handle] = pid
                    events.register(handle, selectors.EVENT_READ)
    for pid in living.values():
        os.kill(pid, signal.SIGKILL)


def _bear(service: Any, order: bytes) -> tuple[int, int]:
    """A pidfd of a new life, and its pid."""
    if (pid := os.fork()) == 0:
        _live(service, json.loads(order))
    _say({"pid": pid})
    return os.pidfd_open(pid), pid


def _bury(handle: int, pid: int) -> None:
    os.close(handle)
    _, status = os.waitpid(pid, 0)
    _say({"pid": pid, "code": os.waitstatus_to_exitcode(status)})


def _live(service: Any, order: dict[str, Any]) -> None:
    """The child: what ``python -m services.<service>`` does."""
    code = 1
    try:
        os.setsid()
        os.environ.update(order["environment"])
        errors = os.open(order["errors"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        os.dup2(errors, 2)
        service.main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _say(fact: dict[str, int]) -> None:
    os.write(1, json.dumps(fact).encode() + b"\n")


if __name__ == "__main__":
    main()
