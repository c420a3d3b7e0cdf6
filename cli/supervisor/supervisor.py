"""All children of one `up`: started in order, kept running, and drained in order."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from cli.connection import connect
from cli.supervisor import record
from cli.supervisor.children import LaunchPlan, launch_model, launch_nats, launch_service
from cli.supervisor.logs import ChildLog
from cli.supervisor.names import SERVICES
from cli.supervisor.process import Running
from cli.supervisor.restarts import DRAIN_S, Change, Restarts
from shared.claude.process.reaper import marks, sweep
from shared.claude.work_dirs import node_id_of
from shared.nats.requirements import require
from shared.nats.streams import StreamLimits, provision, stream_limits_of
from shared.ops.addresses import all_on_this_machine, without_credentials
from shared.ops.proc import start_time
from shared.ops.settings import load_settings

STOP_ORDER: Final = ("gateway", "brain", "planner", "executor", "projector", "demo-model", "nats")
"""Who takes work in leaves first; the log leaves last."""
_SHARE: Final = 0.5
"""Of the free disk that the streams may reserve: NATS itself refuses more than three quarters."""


class Supervisor:
    """Runs what a plan says. ``changed`` hears of every start, end and restart."""

    def __init__(self, plan: LaunchPlan, changed: Callable[[Change], None], *, show_logs: bool = False) -> None:
        self.plan = plan
        self.restarts: dict[str, Restarts] = {}
        self._changed = changed
        self._logs: dict[str, ChildLog] = {}
        self._show_logs = show_logs
        self.complete = False

    @property
    def http(self) -> str:
        """The dashboard's address as this machine reaches it."""
        host = "127.0.0.1" if self.plan.http_host in ("0.0.0.0", "::") else self.plan.http_host
        scheme = "https" if self.plan.certificate else "http"
        return f"{scheme}://{host}:{self.plan.http_port}"

    async def start(self) -> None:
        """Everything, until it is ready; raises `CannotLaunch` and what the connection to NATS raises."""
        plan = self.plan
        plan.run_dir.mkdir(parents=True, exist_ok=True)
        if not plan.nats_url:
            await self._keep("nats", partial(launch_nats, plan))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._provision())
            if plan.scripted_model:
                group.create_task(self._keep("demo-model", partial(launch_model, plan, self._log("demo-model"))))
        async with asyncio.TaskGroup() as group:
            for name in SERVICES:
                group.create_task(self._keep(name, partial(launch_service, name, plan, self._log(name))))
        self.complete = True
        self._write_record()

    async def stop(self) -> None:
        """Drain the children one after the other; returns when none is left, and no agent of theirs."""
        for name in STOP_ORDER:
            if name in self.restarts:
                await self.restarts[name].stop()
        # With nobody to watch it, an agent would go on spending; the next `up` goes on from its last checkpoint.
        await asyncio.to_thread(end_agents, self.plan.data)
        for log in self._logs.values():
            log.close()
        record.remove(self.plan.data)

    def kill(self) -> None:
        """End all of them at once."""
        for child in self.restarts.values():
            child.kill()

    async def _keep(self, name: str, launch: Callable[[], Awaitable[Running]]) -> None:
        drain_s = DRAIN_S + load_settings(data_dir=self.plan.data).drain_seconds
        child = self.restarts[name] = Restarts(name, launch, self._note, drain_s=drain_s)
        await child.start()

    def _log(self, name: str) -> ChildLog:
        log = self._logs[name] = ChildLog(name, self.plan.data / "logs", show=self._show_logs)
        return log

    def _note(self, change: Change) -> None:
        # Also while the others still start: should we be killed now, the next `up` finds what we leave behind.
        self._write_record()
        self._changed(change)

    def _write_record(self) -> None:
        pids = {name: child.pid for name, child in self.restarts.items() if child.pid is not None}
        processes = [os.getpid(), *pids.values()]
        record.write(
            self.plan.data,
            record.Record(
                http=self.http if self.complete else "",
                nats=without_credentials(self.plan.nats_url),
                data=str(self.plan.data),
                pid=os.getpid(),
                demo=self.plan.demo,
                pids=pids,
                certificate=str(self.plan.certificate or ""),
                health=dict(self.plan.health_ports) if self.complete else {},
                started={pid: started for pid in processes if (started := start_time(pid)) is not None},
            ),
        )

    async def _provision(self) -> None:
        bus = await connect(self.plan.nats_url, name="journeyman-up", login=self.plan.login, patience_s=10.0)
        try:
            here = all_on_this_machine(self.plan.nats_url)
            limits = limits_for(self.plan.data) if here else stream_limits_of(load_settings(data_dir=self.plan.data))
            await require(bus, limits)
            await provision(bus, limits)
        finally:
            await bus.close()


def end_agents(data: Path) -> int:
    """End every agent that runs for this data directory; returns how many processes there were."""
    node_id = node_id_of(data)
    return sum(sweep(mark) for mark in sorted(set(marks())) if f"@{node_id}-" in mark)


def limits_for(data: Path) -> StreamLimits:
    """The streams' sizes, smaller where the disk has too little room: JetStream reserves them when they are made."""
    limits = stream_limits_of(load_settings(data_dir=data))
    names = ("events_bytes", "commands_bytes", "output_bytes", "parked_bytes", "artifacts_bytes")
    wanted = sum(getattr(limits, name) for name in names)
    room = int(shutil.disk_usage(data).free * _SHARE)
    if wanted <= room:
        return limits
    return msgspec.structs.replace(limits, **{name: int(getattr(limits, name) * room / wanted) for name in names})
