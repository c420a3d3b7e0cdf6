"""The system that is tormented: NATS behind a proxy that may lose acknowledgements, the services, two machines."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from bench.chaos.faults import EXECUTORS, SERVICES
from bench.chaos.nodes import NODES, Nodes
from bench.chaos.options import Agent, Options
from shared.claude.demo.repo import create_demo_repository
from shared.nats.streams import MEBI, StreamLimits
from shared.ops.proc import is_alive, parse_stat
from testing.nats import Nats
from testing.processes import processes_of
from testing.proxy import AckDroppingProxy
from testing.service_group import ACK_WAIT_S, Member, ServiceGroup

REPOSITORIES: Final = 16
"""Target repositories: thousands of branches in one would be another test."""
NOOP: Final = Path(__file__).parents[2] / "testing" / "noop_agent.sh"
LIMITS: Final = StreamLimits(
    events_bytes=4096 * MEBI,
    commands_bytes=256 * MEBI,
    output_bytes=1024 * MEBI,
    parked_bytes=64 * MEBI,
    artifacts_bytes=2048 * MEBI,
)
"""Room for a day with a task a second."""
SHARE: Final = 0.3
"""Of the acknowledgements that get lost while they do."""


class TargetSystem:
    """One service group with two executors, every member kept running, and what faults need to take hold of it."""

    def __init__(self, group: ServiceGroup, proxy: AckDroppingProxy, repositories: dict[str, Path]) -> None:
        self.group = group
        self.proxy = proxy
        self.repositories = repositories

    def member(self, name: str) -> Member:
        """A service by its own name."""
        return self.group.members[name]

    def place(self, name: str) -> str:
        """What the claims of a member's machine end with."""
        return f"@{(self.member(name).data / 'place').read_text().strip()}"

    def agents(self) -> list[tuple[str, str, int]]:
        """Every agent that runs now: its actor's kind and id, and its CLI's pid; in a stable order."""
        found = []
        for data in sorted({member.data for member in self.group.members.values()}):
            for file in sorted((data / "runs").glob("*/cli")):
                kind, _, rest = file.parent.name.partition("-")
                with contextlib.suppress(OSError, IndexError, ValueError):  # it ends while we look
                    stat = file.read_text().split("\n")[1]
                    pid = int(stat.split()[0])
                    if is_alive(pid, parse_stat(stat).started):
                        found.append((kind, rest.rsplit("-", 2)[0], pid))
        return found

    async def cut_power(self, name: str) -> None:
        """A machine and everything on it, at the same moment; it stays away until it is started again."""
        member = self.member(name)
        await member.leave()
        own = [int(each.split()[0]) for each in processes_of(member.data)]
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in {member.pid, *own}:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        await member.gone()

    async def revive(self) -> list[str]:
        """Start what has ended without being killed, which is a fault of its own; says what that was."""
        found = []
        for member in self.group.members.values():
            try:
                member.check()
            except AssertionError as error:
                found.append(str(error))
                await member.leave()
                await member.start(keep=True)
        return found


@contextlib.asynccontextmanager
async def target_system(folder: Path, terms: Options) -> AsyncIterator[TargetSystem]:
    """Everything started and ready."""
    folder.mkdir(parents=True, exist_ok=True)
    nats = Nodes(folder / "nats") if terms.nodes == NODES else Nats(folder / "nats")
    limits = msgspec.structs.replace(LIMITS, replicas=terms.nodes)
    async with ServiceGroup(folder, ack_wait_s=ACK_WAIT_S, limits=limits, nats=nats) as group:
        repositories = _repositories(folder)
        async with AckDroppingProxy(
            int(group.nats.url.rpartition(":")[2]), share=0.0, random=Random(terms.seed)
        ) as proxy:
            stage = TargetSystem(group, proxy, repositories)
            for name in SERVICES:
                service, data = ("executor", folder / name) if name in EXECUTORS else (name, group.data)
                group.add(
                    service,
                    name=name,
                    data=data,
                    # The projector reads everything; it alone goes without the proxy, which costs as much as NATS.
                    # Three servers have three addresses, and clients that know them all.
                    JOURNEYMAN_NATS_URL=group.nats.url if name == "projector" or terms.nodes == NODES else proxy.url,
                    JOURNEYMAN_APPROVAL="auto",
                    JOURNEYMAN_MAX_CONCURRENT_RUNS=str(terms.runs),
                    JOURNEYMAN_CLAUDE_CLI=str(NOOP) if terms.agent is Agent.NOOP else "",
                )
            await asyncio.gather(*(group.members[name].start(keep=True) for name in SERVICES))
            yield stage
            await asyncio.gather(*(member.stop() for member in group.members.values()))


def _repositories(folder: Path) -> dict[str, Path]:
    """Make the target repositories and the configuration that names them; by name."""
    made = {}
    config = []
    for number in range(REPOSITORIES):
        name, path = f"octo/ledger-{number}", folder / "repositories" / str(number)
        create_demo_repository(path)
        config.append(f'[repos."{name}"]\npath = {json.dumps(str(path))}\nbase = "main"\nchecks = []\n')
        made[name] = path
    (folder / "journeyman.toml").write_text("\n".join(config))
    return made
