"""A Journeyman whose services a test starts, kills and starts again one by one, each with its own environment."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

from shared.claude.demo.repo import create_demo_repository
from shared.contracts.queries import GetStatus
from shared.event_store.envelope import RecordedEvent
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.nats.streams import StreamLimits, provision
from shared.ops.config import NetworkOf
from shared.ops.timings import PRODUCTION, Timings
from shared.runtime.client import Client, QueryFailed
from shared.workspace.mirror import HEAD_REF
from testing.demo_model import CountingModel
from testing.door import lay_token
from testing.eventually import eventually
from testing.fast_timings import command_of, hurried
from testing.nats import Nats, free_port
from testing.processes import end_processes_of, processes_of
from testing.slow_timings import connect_patiently
from testing.stream_limits import SMALL
from testing.system import REPO, plain_environment

ROOT: Final = Path(__file__).parents[1]
SERVICES: Final = ("projector", "brain", "planner", "executor", "gateway")
ACK_WAIT_S: Final = 10.0


class Member:
    """One service process over all its lives. ``name`` is its own, ``service`` what it is."""

    def __init__(
        self, name: str, service: str, data: Path, environment: dict[str, str], timings: Timings, tree: Path = ROOT
    ) -> None:
        self.name = name
        self.service = service
        self.data = data
        self.deaths = 0
        self._environment = environment
        self._command = command_of(service, timings)
        self._tree = tree
        self._ready = data / f"{name}.ready"
        self.log = data / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def was_started(self) -> bool:
        """Whether it has had a life yet."""
        return self._process is not None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def code(self) -> int | None:
        """How its last life ended; None while it goes on."""
        return self._poll()

    @property
    def facts(self) -> dict[str, Any]:
        """What it said when it became ready."""
        found: dict[str, Any] = json.loads(self._ready.read_text())
        return found

    async def start(self, *, keep: bool = False) -> None:
        """Begin a life and wait until it is ready; with ``keep``, each death begins another one."""
        self._launch()
        if keep:
            self._keeping = asyncio.create_task(self._keep())
        await self.ready()

    async def ready(self) -> None:
        """Wait until it says that it is ready, in whichever life."""

        def look() -> bool:
            self.check()
            try:
                return bool(self.facts["pid"] == self.pid)
            except (OSError, ValueError):
                assert self._keeping is not None or self._poll() is None, self.log.read_text()[-3000:]
                return False

        await eventually(look, within=90.0)

    def send(self, number: signal.Signals) -> None:
        """Signal the process."""
        os.kill(self.pid, number)

    async def kill(self) -> None:
        """As by a power cut of the process; its agents go on."""
        self.send(signal.SIGKILL)
        await self.gone()

    async def gone(self, *, within: float = 30.0) -> None:
        """Wait until this life has ended."""
        await eventually(lambda: self._poll() is not None, within=within)

    async def leave(self) -> None:
        """Let no further life begin before the next `start`."""
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def stop(self) -> None:
        """Drain it, for good."""
        await self.leave()
        if self._process is not None and self._poll() is None:
            self.send(signal.SIGCONT)
            self.send(signal.SIGTERM)
            try:
                await eventually(lambda: self._poll() is not None, within=60.0)
            finally:
                if self._poll() is None:
                    self._process.kill()
                    self._process.wait()

    def _launch(self) -> None:
        self._ready.unlink(missing_ok=True)
        with self.log.open("ab") as told:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._tree,
                env=self._environment | {"JOURNEYMAN_READY_FILE": str(self._ready)},
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=told,
                start_new_session=True,
            )

    def _poll(self) -> int | None:
        return None if self._process is None else self._process.poll()

    async def _keep(self) -> None:
        while True:
            code = self._poll()
            if code is not None:
                assert code == -signal.SIGKILL, f"{self.name} ended with {code}: {self.log.read_text()[-3000:]}"
                self.deaths += 1
                self._launch()
            await asyncio.sleep(0.02)

    def check(self) -> None:
        """Raise what its keeper saw: an end that was no kill."""
        if self._keeping is not None and self._keeping.done():
            self._keeping.result()


class LogServer(Protocol):
    """What a service group needs of its NATS: one server, or several that are taken for one."""

    @property
    def url(self) -> str: ...

    @property
    def pid(self) -> int: ...

    async def start(self) -> None: ...

    async def kill(self) -> None: ...

    async def stop(self) -> None: ...


class ServiceGroup:
    """NATS, the scripted model, one repository, and services by name."""

    def __init__(
        self,
        folder: Path,
        *,
        ack_wait_s: float = ACK_WAIT_S,
        timings: Timings | None = None,
        checks: Iterable[str] | None = None,
        setup: Iterable[str] | None = None,
        network: NetworkOf | None = None,
        limits: StreamLimits = SMALL,
        nats: LogServer | None = None,
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.model = CountingModel()
        self.nats: LogServer = nats or Nats(folder / "nats")
        self.members: dict[str, Member] = {}
        self.port = free_port()
        self.secret = secrets.token_hex(16)
        self.repository = folder / "repository"
        self._timings = timings or (PRODUCTION if ack_wait_s == ACK_WAIT_S else hurried(ack_wait_s))
        commands = {"checks": checks, "setup": setup}
        self._told: dict[str, object] = {key: list(told) for key, told in commands.items() if told is not None}
        if network is not None:
            self._told["network"] = network
        self._limits = limits
        self._bus: Bus | None = None

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        create_demo_repository(self.repository)
        said = (f"{key} = {json.dumps(told)}\n" for key, told in self._told.items())
        (self.folder / "journeyman.toml").write_text(
            f'[repos."{REPO}"]\npath = {json.dumps(str(self.repository))}\nbase = "main"\n{"".join(said)}'
        )
        self.model.__enter__()
        await self.nats.start()
        self._bus = await connect_patiently(self.nats.url, name="test")
        await provision(self._bus, self._limits)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(member.stop() for member in self.members.values()), return_exceptions=True)
        if self._bus is not None:
            await self._bus.close()
        await self.nats.stop()
        self.model.__exit__(None, None, None)
        end_processes_of(self.folder)

    @property
    def bus(self) -> Bus:
        """The test's own connection."""
        assert self._bus is not None
        return self._bus

    @property
    def journal(self) -> NatsJournal:
        """The log."""
        return NatsJournal(self.bus)

    @property
    def http(self) -> str:
        """The gateway's address; the same in each of its lives."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def webhook_secret(self) -> str:
        """What GitHub would sign with."""
        return self.secret

    def add(
        self, service: str, *, name: str = "", data: Path | None = None, tree: Path = ROOT, **environment: str
    ) -> Member:
        """A service that is to be started; ``environment`` is as it is, settings come by themselves.

        ``tree`` has its source: another one is another version.
        """
        data = data or self.data
        lay_token(data)
        settings = plain_environment(
            data,
            nats_url=self.nats.url,
            config=str(self.folder / "journeyman.toml"),
            http_port=str(self.port),
            health_port="0",
            demo_model="1",
            anthropic_base_url=self.model.url,
            github_webhook_secret=self.secret if service == "gateway" else "",
            log_format="console",
        )
        member = Member(name or service, service, data, settings | environment, self._timings, tree)
        self.members[member.name] = member
        return member

    async def start(self, *services: str) -> None:
        """Start these services, all at once."""
        await asyncio.gather(*(self.add(service).start() for service in services))

    def run_dir(self, task_id: str, kind: str = "run", *, member: str = "executor") -> Path:
        """The newest process's run directory for a task at one service; raises AssertionError when there is none."""
        found = sorted((self.members[member].data / "runs").glob(f"{kind}-{task_id}-*-*/run.json"))
        assert found, f"no {kind} process of {task_id} at {member}"
        return found[-1].parent

    async def until(self, task_id: str, what: str, *, after: int = 0, within: float = 90.0) -> RecordedEvent:
        """The first event of this name (``run.started``) behind a position; waits for it."""
        seen: list[str] = []
        try:
            async with (
                asyncio.timeout(within),
                contextlib.aclosing(self.journal.follow(f"evt.*.{task_id}.>", after=after)) as events,  # type: ignore[type-var]  # an async generator behind the protocol
            ):
                async for event in events:
                    seen.append(f"{event.position} {event.kind}.{event.name}")
                    if f"{event.kind}.{event.name}" == what:
                        return event
        except TimeoutError:
            raise AssertionError(f"no {what} within {within:g} s: {seen}") from None
        raise AssertionError("the log ended")

    async def has_projected(self, seq: int) -> bool:
        """Whether the read models have the log up to there."""
        try:
            return bool((await Client(self.bus, source="test").query(GetStatus(), timeout=5)).seq >= seq)
        except QueryFailed:
            return False

    def left_over(self) -> list[str]:
        """What is still here of agents: their processes, run directories, worktrees and scratch files."""
        places = {self.data, *(member.data for member in self.members.values())}
        own = {member.pid for member in self.members.values() if member.was_started}
        found = []
        for place in sorted(places):
            for folder in ("runs", "worktrees", "scratch", "publishing"):
                found += [str(path) for path in sorted((place / folder).glob("*"))]
            found += [each for each in processes_of(place) if int(each.split()[0]) not in own]
        return found

    def refs_left(self) -> list[str]:
        """What the mirrors still keep of worktrees: refs of work that is over, which hold its objects."""
        found = []
        for mirror in sorted(
            path for member in self.members.values() for path in (member.data / "mirrors").glob("*.git")
        ):
            loose = (str(path.relative_to(mirror)) for path in (mirror / "refs").rglob("*") if path.is_file())
            packed = (line.split()[-1] for line in _lines(mirror / "packed-refs"))
            found += [ref for ref in (*loose, *packed) if ref.startswith("refs/journeyman/") and ref != HEAD_REF]
        return sorted(set(found))


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
