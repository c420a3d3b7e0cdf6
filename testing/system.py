"""A whole Journeyman in processes of its own, started and ended as people do it: by `journeyman up`."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from cli.supervisor import record
from shared.claude.demo.repo import create_demo_repository
from shared.claude.process.reaper import marked
from shared.ops.proc import pids, stat_of
from testing.door import SETTINGS, lay_token
from testing.eventually import eventually
from testing.nats import free_port
from testing.processes import end_processes_of, processes_of

REPO: Final = "octo/ledger"
"""The one repository of a system without the demo."""
READY_S: Final = 120.0
STOP_S: Final = 150.0
JOURNEYMAN: Final = Path(sys.executable).parent / "journeyman"
SERVICES: Final = ("projector", "brain", "planner", "executor", "gateway")


class Ready(msgspec.Struct, frozen=True):
    """The line that `up` prints when every service is ready."""

    event: str
    http: str
    nats: str
    data: str


class NotReady(Exception):
    """`up` ended or stayed silent; the text has what it said."""


class System:
    """One `journeyman up` over one data directory; made by `start`, ended by `stop`."""

    def __init__(self, process: subprocess.Popen[bytes], ready: Ready, data: Path, environment: dict[str, str]) -> None:
        self.process = process
        self.http = ready.http
        self.nats = ready.nats
        self.data = data
        self._environment = environment

    @classmethod
    def start(cls, data: Path, *, demo: bool = False, repository: bool = True, **settings: str) -> System:
        """Start it and wait until it is ready; raises `NotReady`.

        ``settings`` are names of `shared.ops.settings.Settings`, without the prefix. Without the demo there is one
        repository, `REPO`, with the demo's bug in it.
        """
        lay_token(data)
        if repository and not demo and not (data / "repository").exists():
            create_demo_repository(data / "repository")
            (data / "journeyman.toml").write_text(f'[repos."{REPO}"]\npath = "repository"\nbase = "main"\n')
        # Other systems of the tests ask for the fixed ports at the same time.
        environment = plain_environment(data, **{"health_port": "0"} | settings)
        with (data / "up.log").open("ab") as told:
            process = subprocess.Popen(
                [str(JOURNEYMAN), "up", "--port", str(free_port()), "--data", str(data), *(["--demo"] if demo else [])],
                env=environment,
                cwd=data,  # no `.env` of the checkout
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=told,
                start_new_session=True,
            )
        try:
            ready = _ready(process)
        except NotReady as error:
            process.kill()
            process.wait()
            raise NotReady(f"{error}: {(data / 'up.log').read_text()[-2000:]}") from None
        return cls(process, ready, data, environment)

    @property
    def repository(self) -> Path:
        """Where the target repository is."""
        demo = self.data / "demo-repository"
        return demo if demo.exists() else self.data / "repository"

    @property
    def webhook_secret(self) -> str:
        """What GitHub would sign with."""
        own = self._environment.get("JOURNEYMAN_GITHUB_WEBHOOK_SECRET", "")
        return own or (self.data / "webhook-secret").read_text().strip()

    # ---- its processes ---------------------------------------------------------------------------------------------

    def pids(self) -> dict[str, int]:
        """The children that are ready, by name: the services, ``nats``, and ``demo-model`` with the demo."""
        found = record.read(self.data)
        return {} if found is None else dict(found.pids)

    def send(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Signal one child; returns its pid."""
        pid = self.pids()[name]
        os.kill(pid, number)
        return pid

    async def back(self, name: str, before: int, *, within: float = 90.0) -> float:
        """Wait until a child that had the pid ``before`` is gone and ready again; returns the seconds from its end."""
        await eventually(lambda: not Path(f"/proc/{before}").exists(), within=within)
        ended = time.monotonic()
        await eventually(lambda: self.pids().get(name, before) != before, within=within)
        return time.monotonic() - ended

    async def hit(self, name: str, number: signal.Signals = signal.SIGKILL) -> float:
        """Signal one child and wait until the supervisor has it back; returns the seconds that it was away."""
        return await self.back(name, self.send(name, number))

    def agents(self, task_id: str) -> set[int]:
        """Every living process of the task's agents: those that carry a mark of theirs, and what descends from them."""
        found = {pid for kind in ("task", "plan", "run") for pid in marked(f"{kind}-{task_id}")}
        parents = {pid: stat.parent for pid in pids() if (stat := stat_of(pid))}
        while children := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= children
        return found

    def agent_runs(self, kind: str, task_id: str) -> list[Path]:
        """The directories of the processes that were started for one of the task's actors, and are still needed."""
        return sorted(each.parent for each in self.data.glob(f"**/{kind}-{task_id}-*/run.json"))

    def processes(self) -> list[str]:
        """Every living process that belongs to this system: its environment or its arguments name the directory."""
        return processes_of(self.data)

    # ---- its other doors -------------------------------------------------------------------------------------------

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `journeyman …` next to it, to the end."""
        return run_to_end(self.data, self._environment, *arguments)

    def log(self, name: str) -> str:
        """What a child has said so far."""
        return (self.data / "logs" / f"{name}.log").read_text(errors="replace")

    # ---- its end ---------------------------------------------------------------------------------------------------

    def stop(self) -> list[str]:
        """End it as Ctrl-C does; returns the processes that are left, which ought to be none."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        left = self.processes()
        end_processes_of(self.data)
        return left


def plain_environment(data: Path, **settings: str) -> dict[str, str]:
    """What a service is started with: no variable of this process but the path, no proxy, no key of the machine."""
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": str(data),
        "JOURNEYMAN_DATA_DIR": str(data),
        "JOURNEYMAN_MACHINE_ID": "test",
        **SETTINGS,
        **{f"JOURNEYMAN_{name.upper()}": value for name, value in settings.items()},
    }


def run_to_end(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `journeyman …` in a directory, with nothing but this environment."""
    return subprocess.run(
        [str(JOURNEYMAN), *arguments],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _ready(process: subprocess.Popen[bytes]) -> Ready:
    assert process.stdout is not None
    deadline = time.monotonic() + READY_S
    heard = b""
    while not heard.endswith(b"\n"):
        if not select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise NotReady(f"not ready after {READY_S:g} s")
        chunk = os.read(process.stdout.fileno(), 65536)
        if not chunk:
            raise NotReady(f"it ended with {process.wait()}")
        heard += chunk
    told: dict[str, Any] = json.loads(heard)
    return msgspec.convert(told, Ready)
