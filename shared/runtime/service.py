"""A service: settings, connection, consumers, health, announcement, and an orderly end on SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import msgspec
import nats.errors
import nats.micro
import nats.micro.service
import structlog

from shared.contracts.decider import Decider
from shared.contracts.messages import Command
from shared.contracts.roles import is_for_people
from shared.contracts.subjects import Actor
from shared.nats.bus import Bus, NatsUnreachable
from shared.nats.journal import NatsJournal
from shared.nats.login import login_of
from shared.nats.objects import Artifacts
from shared.nats.snapshots import NatsSnapshots
from shared.nats.streams import GuardsOff, check_guards, check_log
from shared.ops import logs, metrics
from shared.ops.config import BadConfig
from shared.ops.crash_points import name_service
from shared.ops.files import write_atomically
from shared.ops.health import BusyPort, Health, HealthServer
from shared.ops.private import private_directory
from shared.ops.settings import BadSettings, Settings, load_settings
from shared.ops.timings import PRODUCTION, Timings
from shared.ops.version import VERSION
from shared.ops.visible import visible
from shared.runtime.acknowledge import TRANSIENT
from shared.runtime.activity import Activity, ActivityHandler, GiveUp
from shared.runtime.actor_host import ActorHost, Check
from shared.runtime.client import Client
from shared.runtime.command_requests import CommandRequests
from shared.runtime.dead_letters import answer_replays
from shared.runtime.mailbox import Mailboxes
from shared.runtime.people import People
from shared.runtime.reactor import React, Reactor
from shared.runtime.timers import DueTimers, SetTimers, Timekeeper
from shared.runtime.watcher import ended

DRAIN_S: Final = 25.0
"""How long the parts of a service may take to come to their end, beside the agents' own time."""
LEAVE_S: Final = 5.0
"""How long the service may take to be off the list of services."""

GUARDS_LOOK_S: Final = 5.0
"""How often a service that runs looks whether the log still has its guards."""


class CannotStart(Exception):
    """The service cannot work; one line says why and the mend."""


EXPLAINED: Final[tuple[type[Exception], ...]] = (
    BadConfig,
    BadSettings,
    BusyPort,
    CannotStart,
    GuardsOff,
    NatsUnreachable,
)

Wire = Callable[[Settings, Timings], Awaitable[None]]

log = structlog.get_logger(__name__)


class Service:
    """What a service's ``__main__`` wires together. Nothing runs before `run`."""

    def __init__(self, name: str, settings: Settings, bus: Bus, timings: Timings = PRODUCTION) -> None:
        self.name = name
        self.settings = settings
        self.bus = bus
        self.timings = timings
        self.journal = NatsJournal(bus)
        self.artifacts = Artifacts(bus)
        self.client = Client(bus, source=f"journeyman/{name}")
        self.people = People(self.journal)
        self.draining = asyncio.Event()
        self.problems: dict[str, str] = {}
        self.told: dict[str, str] = {}
        """What the service says of itself to whoever asks which services there are, beside machine and process."""
        self.health = Health(name, self._problems)
        self._host: ActorHost | None = None
        self._loops: list[Callable[[], Awaitable[None]]] = []
        self._drains: list[Callable[[], None]] = []
        self._replays: list[tuple[str, Callable[[str, bytes, int], Awaitable[None]]]] = []
        self._own_http = False

    @classmethod
    async def connect(cls, name: str, settings: Settings, timings: Timings = PRODUCTION) -> Service:
        """Connect to NATS and check the guards of the log; raises what `EXPLAINED` lists."""
        logs.configure(name, level=settings.log_level, format=settings.log_format)
        name_service(name)
        private_directory(settings.data_dir)
        bus = await Bus.connect(
            settings.nats_url,
            name=f"journeyman-{name}",
            login=login_of(settings),
            limits=settings,
            timings=timings.nats,
        )
        await check_guards(bus)
        return cls(name, settings, bus, timings)

    def host(self, *deciders: Decider[Any], check: Check | None = None) -> ActorHost:
        """Take commands for these actor kinds; ``check`` refuses some that their sender may give."""

        async def let_pass(actor: Actor, command: Command, principal: str) -> None:
            await self.people.check(actor, command, principal)
            if check is not None:
                await check(actor, command, principal)

        self._host = ActorHost(
            self.journal,
            deciders,
            source=f"journeyman/{self.name}",
            limits=self.settings,
            snapshots=NatsSnapshots(self.bus),
            snapshot_every=self.timings.snapshot_every,
            check=let_pass,
        )
        if any(is_for_people(decider.kind) for decider in deciders):
            self.loop(self.people.run, drain=self.people.drain)
        mailboxes = Mailboxes(self.bus, self._host, service=self.name, ack_wait_s=self.timings.message_ack_wait_s)
        for pull in mailboxes.pulls:
            self._loops.append(pull.run)
            self._drains.append(pull.drain)
        requests = CommandRequests(self.bus, self.client, service=self.name, kinds=self._host.kinds)
        self.loop(requests.run, drain=requests.drain)
        return self._host

    def react(self, react: React, filters: Sequence[str]) -> None:
        """Turn events into commands."""
        reactor = Reactor(self.bus, react, filters, service=self.name, ack_wait_s=self.timings.message_ack_wait_s)
        self._loops.append(reactor.pull.run)
        self._drains.append(reactor.pull.drain)
        self._replays.append((f"{self.name}-reactor", reactor.handle))

    def keep_time(self, host: ActorHost, timers: SetTimers, filters: Sequence[str]) -> None:
        """Set the timers of events, and tell the hosted actors what is due."""
        ack_wait_s = self.timings.timer_ack_wait_s
        keeper = Timekeeper(self.bus, timers, filters, service=self.name, ack_wait_s=ack_wait_s)
        due = DueTimers(self.bus, host, service=self.name, ack_wait_s=ack_wait_s)
        for pull in (keeper.pull, due.pull):
            self._loops.append(pull.run)
            self._drains.append(pull.drain)
        self._replays.append((keeper.name, keeper.handle))

    def activity(self, name: str, event: str, work: ActivityHandler, *, slots: int, give_up: GiveUp) -> None:
        """Do work that an event asks for, ``slots`` pieces at once; ``give_up`` reports what failed again and again."""
        activity = Activity(
            self.bus,
            work,
            service=self.name,
            name=name,
            event=event,
            slots=slots,
            give_up=give_up,
            ack_wait_s=self.timings.activity_ack_wait_s,
        )
        self._loops.append(activity.run)
        self._replays.append((activity.name, activity.handle))
        self._drains.append(activity.drain)

    def loop(self, loop: Callable[[], Awaitable[None]], *, drain: Callable[[], None] | None = None) -> None:
        """Run something else for the service's whole life; ``drain`` asks it to end."""
        self._loops.append(loop)
        if drain is not None:
            self._drains.append(drain)

    def serves_http(self) -> None:
        """The service answers /health and /metrics itself."""
        self._own_http = True

    async def run(self, ready: Callable[[], dict[str, Any]] | None = None) -> None:
        """Run until SIGTERM or SIGINT, drain, and leave. A loop that fails ends the service with its error."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.draining.set)
        metrics.BUILD.labels(self.name, VERSION, platform.python_version()).set(1)
        server = None
        if not self._own_http:
            server = HealthServer(self.health, self.settings.health_host, self.settings.health_port)
        announcement = await self._announce()
        for consumer, handle in self._replays:
            await answer_replays(self.bus, consumer, handle)
        tasks = [asyncio.ensure_future(start()) for start in self._loops]
        side = [
            asyncio.create_task(watch) for watch in (self.health.beat(), self._watch_connection(), self._watch_guards())
        ]
        stopping = asyncio.create_task(_until(self.draining))
        try:
            await asyncio.sleep(0)
            self._say_ready({} if server is None else {"health": server.port}, ready)
            done, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
            failed = next((t for t in done if t is not stopping and t.exception() is not None), None)
            if failed is not None:
                log.error("a part of the service failed; leaving", error=repr(failed.exception()))
                failed.result()
            log.info("draining")
        finally:
            self.draining.set()
            for drain in self._drains:
                drain()
            if tasks:
                _, late = await asyncio.wait(tasks, timeout=DRAIN_S + self.settings.drain_seconds)
                for task in late:
                    task.cancel()
            await ended([*side, stopping])
            with contextlib.suppress(Exception):
                async with asyncio.timeout(LEAVE_S):
                    await announcement.stop()
            await self.bus.close()
            if server is not None:
                server.close()
            if self.settings.ready_file is not None:
                self.settings.ready_file.unlink(missing_ok=True)

    def _problems(self) -> dict[str, str]:
        problems = dict(self.problems)
        if not self.bus.connected:
            problems["nats"] = "not connected"
        if self.draining.is_set():
            problems["draining"] = "the service is about to leave"
        return problems

    def _say_ready(self, facts: dict[str, Any], ready: Callable[[], dict[str, Any]] | None) -> None:
        facts = {"service": self.name, "pid": os.getpid(), **facts, **(ready() if ready else {})}
        log.info("ready", **{key: value for key, value in facts.items() if key != "service"})
        path = self.settings.ready_file
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, msgspec.json.encode(facts))

    async def _announce(self) -> nats.micro.service.Service:
        """So that `nats micro ls` shows who is there."""
        return await nats.micro.add_service(
            self.bus.nc,
            name=f"journeyman-{self.name}",
            version=VERSION,
            description=f"The {self.name} of Journeyman",
            metadata={"machine": self.settings.machine_id, "pid": str(os.getpid()), **self.told},
        )

    async def _watch_connection(self) -> None:
        while True:
            metrics.CONNECTED.set(1 if self.bus.connected else 0)
            await asyncio.sleep(1)

    async def _watch_guards(self) -> None:
        """A log that is gone, or that can change, makes the service not ready until it is set right."""
        while True:
            try:
                await check_log(self.bus)
            except GuardsOff as error:
                if "log" not in self.problems:
                    log.error("the log has lost a guard", problem=str(error))
                self.problems["log"] = str(error)
            except TRANSIENT as error:
                # Nobody has said how the log is: what was known last stands, and `nats` says what is wrong.
                log.debug("cannot look at the log", problem=str(error) or type(error).__name__)
            else:
                self.problems.pop("log", None)
            await asyncio.sleep(GUARDS_LOOK_S)


async def _until(event: asyncio.Event) -> None:
    await event.wait()


def main(name: str, wire: Wire, timings: Timings = PRODUCTION) -> None:
    """Run a service's ``wire`` coroutine with these timings; what can be explained ends in one line and exit code 1."""
    try:
        asyncio.run(_run(wire, timings))
    except EXPLAINED as error:
        print(visible(f"journeyman {name}: {error}"), file=sys.stderr)  # noqa: T201  # the one line a person reads
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


async def _run(wire: Wire, timings: Timings) -> None:
    await wire(load_settings(), timings)
