"""Services that start fast: a process that has imported them already and forks at every word.

Each life is a real process with its own pid, environment and exit code, and may be killed as one. It saves what
importing costs, half a second of processor time. All tests of a process share `the_prefork`; a test that changes the
limits that lives inherit starts one of its own.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import gc
import importlib
import json
import math
import os
import queue
import selectors
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from services.projector.schema import projection_hash
from shared.contracts.kinds import KINDS
from shared.event_store.snapshots import fold_of
from shared.ops.timings import PRODUCTION, Timings
from testing.eventually import eventually

ROOT: Final = Path(__file__).parents[1]
SERVICES: Final = ("projector", "brain", "planner", "executor", "gateway")


class Order(msgspec.Struct, frozen=True):
    """What a life is to be: ``environment`` is all of its environment, ``errors`` the file of its stderr."""

    service: str
    environment: dict[str, str]
    errors: str
    timings: Timings


class Life:
    """One life of a service, with the surface of `asyncio.subprocess.Process` that tests use."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

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
        await eventually(lambda: self.returncode is not None, within=math.inf)
        assert self.returncode is not None
        return self.returncode


class Prefork:
    """Lives of services, whose source is in ``tree``. It ends with this process, and its lives end with it."""

    def __init__(self, *services: str, tree: Path = ROOT) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "testing.prefork", *services],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=tree,
        )
        self._lives: dict[int, Life] = {}
        self._born: queue.SimpleQueue[Life | None] = queue.SimpleQueue()
        self._one_at_a_time = threading.Lock()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it, and wait until it has ended."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._reading.join()

    @property
    def pid(self) -> int:
        """Whose limits every new life inherits."""
        return self._process.pid

    async def bear(
        self, service: str, environment: Mapping[str, str], errors: Path, timings: Timings = PRODUCTION
    ) -> Life:
        """Begin a life with this environment and no other; its stderr goes to the end of a file."""
        order = Order(service, dict(environment), str(errors), timings)
        return await asyncio.to_thread(self._bear, msgspec.json.encode(order))

    def _bear(self, order: bytes) -> Life:
        assert self._process.stdin is not None
        with self._one_at_a_time:
            self._process.stdin.write(order + b"\n")
            self._process.stdin.flush()
            life = self._born.get()
        assert life is not None, f"the prefork server has ended with {self._process.wait()}"
        return life

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            match json.loads(line):
                case {"pid": pid, "code": code}:
                    self._lives.pop(pid).returncode = code
                case {"pid": pid}:
                    self._lives[pid] = Life(pid)
                    self._born.put(self._lives[pid])
        self._born.put(None)


@functools.cache
def the_prefork() -> Prefork:
    """The one of this process, with every service in it."""
    prefork = Prefork(*SERVICES)
    atexit.register(prefork.close)
    return prefork


def main() -> None:
    """Fork a life for each line on stdin, tell of each death; at the end of stdin all of them end.

    Deaths are read from pidfds: a handler of SIGCHLD that is called just before stdin is read would wait for a line.
    """
    services = {name: importlib.import_module(f"services.{name}.__main__") for name in sys.argv[1:]}
    _warm_up(services)
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
                    handle, pid = _bear(services, order)
                    living[handle] = pid
                    events.register(handle, selectors.EVENT_READ)
    for pid in living.values():
        os.kill(pid, signal.SIGKILL)


def _warm_up(services: Mapping[str, Any]) -> None:
    """Do once what each life would do again at its start: it takes a gateway half of its time until it is ready."""
    importlib.import_module("litestar.plugins.pydantic")  # which Litestar imports when an application is made
    for kind in KINDS.values():
        if kind.owner in services and kind.commands is not None:
            fold_of(importlib.import_module(f"services.{kind.owner}.actors.{kind.name}").DECIDER)
    if "projector" in services:
        projection_hash()
    # Nothing of all this is ever garbage in a life, so its collector need not look through it.
    gc.collect()
    gc.freeze()


def _bear(services: Mapping[str, Any], line: bytes) -> tuple[int, int]:
    """A pidfd of a new life, and its pid."""
    order = msgspec.json.decode(line, type=Order)
    if (pid := os.fork()) == 0:
        _live(services[order.service], order)
    _say({"pid": pid})
    return os.pidfd_open(pid), pid


def _bury(handle: int, pid: int) -> None:
    os.close(handle)
    _, status = os.waitpid(pid, 0)
    _say({"pid": pid, "code": os.waitstatus_to_exitcode(status)})


def _live(service: Any, order: Order) -> None:
    """The child: what ``python -m services.<service>`` does."""
    code = 1
    try:
        os.setsid()
        os.environ.clear()
        os.environ.update(order.environment)
        errors = os.open(order.errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        os.dup2(errors, 2)
        service.main(order.timings)
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
