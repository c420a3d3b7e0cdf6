"""One service alone, as containers run it: `journeyman service NAME` with nothing but its environment."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from testing.door import lay_token
from testing.system import JOURNEYMAN, plain_environment, run_to_end


class SingleService:
    """A service that runs while the context lasts; ``facts`` is what it said when it was ready."""

    def __init__(self, name: str, data: Path, nats: str, **settings: str) -> None:
        self._ready = data / f"{name}.ready"
        self._name = name
        self._log = data / f"{name}.log"
        self._environment = plain_environment(
            data, nats_url=nats, health_port="0", http_port="0", ready_file=str(self._ready), **settings
        )
        self._data = data
        self.facts: dict[str, Any] = {}

    def __enter__(self) -> SingleService:
        lay_token(self._data)
        with self._log.open("ab") as told:
            self._process = subprocess.Popen(
                [str(JOURNEYMAN), "service", self._name],
                env=self._environment,
                cwd=self._data,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=told,
            )
        deadline = time.monotonic() + 90
        while not self._ready.exists():
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)
        self.facts = msgspec.json.decode(self._ready.read_bytes())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(40)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    @property
    def log(self) -> str:
        """What it has said so far."""
        return self._log.read_text(errors="replace")

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `journeyman …` in the same environment, to the end."""
        return run_to_end(self._data, self._environment, *arguments)
