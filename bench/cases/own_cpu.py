"""What a whole task costs in processor time of our own, against the agent and the checks alone."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import resource
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from statistics import median
from typing import Final

import httpx
import msgspec

from bench.payload import issue_opened, signature, task_of
from bench.result import Found, Goal, Line, Result, rounded
from bench.sizes import Sizes
from bench.world import ROOT, WEBHOOK_SECRET, CannotMeasure, connected, nats_server, service
from shared.claude.demo.repo import create_demo_repository
from shared.contracts.messages import wire_name
from shared.contracts.rules import ENDS
from shared.nats.bus import Bus
from shared.nats.server import NatsServer
from testing.door import BEARER

REPO: Final = "octo/ledger"
PEER: Final = "the same agent and checks alone"
AGENT: Final = ROOT / "testing" / "noop_agent.sh"
TEXT: Final = "Write one file.\n@agent implement\n"
SERVICES: Final = ("brain", "planner", "projector", "executor")
SETUP: Final = "true"
CHECKS: Final = ("true", "echo red; exit 3")
"""One passes, the other one is red at the base commit too: what is known of that is asked."""
PATIENCE_S: Final = 120.0
QUIET_S: Final = 0.3

ABOUT: Final = (
    "All five services and NATS run, each its own process; issues go one after the other from the webhook through "
    "triage by rules, a worktree, an agent that does next to nothing, the commit, set-up and two checks in a clean "
    "checkout, and the publication of the branch. What the processes and their children have used until the machine is "
    "quiet again is divided by the number of tasks. The base commit's verdicts are known, the mirror is there, and "
    "nobody looks at a dashboard. The peer is the agent and the commands of set-up and checks, started by themselves, "
    "as often as a task starts them. Then the same with all files in memory, because what a file costs on a disk "
    "depends on what others have removed from it: the difference is the file system's."
)
MEMORY: Final = Path("/dev/shm")
PROBES: Final = 100


class Used(msgspec.Struct, frozen=True):
    """Seconds of processor time for each task, by process; those of its ended children are among them."""

    by_process: dict[str, float]
    alone: float
    git: float
    file: float
    """What a bare `git version` and a file that is made and removed cost just then, on this machine."""

    @property
    def own(self) -> float:
        """Without the agent and the checks."""
        return sum(self.by_process.values()) - self.alone


async def run(sizes: Sizes, directory: Path) -> Found:
    """Batches of tasks on the disk, and in memory where there is a file system for it."""
    lines, remarks = [], []
    for where, folder in (("", directory), (", files in memory", MEMORY)):
        if not os.access(folder, os.W_OK):
            continue
        with tempfile.TemporaryDirectory(prefix="own-cpu-", dir=folder) as place:
            rounds = await _rounds(sizes, Path(place))
        lines.append(_line(rounds, where))
        remarks.append(_parts(rounds, where))
    return Found(title="Processor time of our own", lines=lines, about=ABOUT, remarks=remarks)


async def _rounds(sizes: Sizes, directory: Path) -> list[Used]:
    """Batches of tasks, after one that nobody counts."""
    numbers = itertools.count(1)
    data = directory / "data"
    data.mkdir()
    create_demo_repository(data / "ledger")
    checks = ", ".join(f'"{check}"' for check in CHECKS)
    (data / "journeyman.toml").write_text(
        f'[repos."{REPO}"]\npath = "ledger"\nbase = "main"\nsetup = ["{SETUP}"]\nchecks = [{checks}]\n'
    )
    async with (
        nats_server(directory / "nats") as server,
        _all(server, data) as (http, pids),
        connected(server, "bench-watch") as bus,
        httpx.AsyncClient(base_url=http, trust_env=False, headers=BEARER) as client,
    ):
        await _task(next(numbers), client, bus)
        await _quiet(pids)
        rounds = []
        for _ in range(sizes.rounds):
            before = _cpu(pids)
            for _ in range(sizes.tasks):
                await _task(next(numbers), client, bus)
            await _quiet(pids)
            after = _cpu(pids)
            by_process = {name: (after[name] - before[name]) / sizes.tasks for name in pids}
            alone = await asyncio.to_thread(_alone, directory, sizes.tasks)
            rounds.append(Used(by_process, alone, *await asyncio.to_thread(_probes, directory)))
    return rounds


def _line(rounds: list[Used], where: str) -> Line:
    own, alone = [each.own for each in rounds], [each.alone for each in rounds]
    goal, value, peer = Goal(value_most=0.3), median(own), median(alone)
    result = Result(
        name=f"processor time per task beyond agent and checks{where}",
        value=rounded(value),
        unit="s",
        peer=PEER,
        peer_value=rounded(peer),
        ratio=rounded(value / peer),
        goal=goal.said("s"),
        met=goal.met(value, None),
        runs=len(rounds),
    )
    return Line(
        result=result,
        spread=(rounded(min(own)), rounded(max(own))),
        peer_spread=(rounded(min(alone)), rounded(max(alone))),
    )


def _parts(rounds: list[Used], where: str) -> str:
    names = rounds[0].by_process
    parts = ", ".join(f"{name} {1000 * median(each.by_process[name] for each in rounds):.0f}" for name in names)
    git, file = (1000 * median(values) for values in zip(*((each.git, each.file) for each in rounds), strict=True))
    return (
        f"Milliseconds per task by process, with its children, medians{where}: {parts}. A bare `git version` took "
        f"{git:.2f} ms meanwhile, to make and remove a file {file:.3f} ms."
    )


async def _task(number: int, client: httpx.AsyncClient, bus: Bus) -> None:
    """One task from its webhook to its end; raises `CannotMeasure` when that is not its completion."""
    body = issue_opened(number, title=f"File {number}", text=TEXT, repo=REPO)
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": signature(body, WEBHOOK_SECRET),
    }
    events = await bus.nc.subscribe(f"evt.task.{task_of(number, REPO)}.>")
    answer = await client.post("/webhooks/github", content=body, headers=headers)
    if answer.status_code != 202:
        raise CannotMeasure(f"The gateway did not take the webhook ({answer.status_code}): {answer.text[:300]}")
    name, ends = "", {wire_name(end) for end in ENDS}
    try:
        async with asyncio.timeout(PATIENCE_S):
            while name not in ends:
                name = (await anext(events.messages)).subject.rpartition(".")[2]
    except TimeoutError as error:
        raise CannotMeasure(f"The task has not ended within {PATIENCE_S:g} s; what happened last: {name}.") from error
    await events.unsubscribe()
    if name != "completed":
        raise CannotMeasure(f"The task did not complete, but ended as {name}.")


@contextlib.asynccontextmanager
async def _all(server: NatsServer, data: Path) -> AsyncIterator[tuple[str, dict[str, int]]]:
    """Every service of the product; yields the gateway's address, and the process ids by name."""
    settings = {"claude_cli": str(AGENT), "anthropic_api_key": "none"}
    pids = {"nats": server.pid}
    async with contextlib.AsyncExitStack() as stack:
        for name in (*SERVICES, "gateway"):
            facts = await stack.enter_async_context(service(name, server, data, **settings))
            pids[name] = facts["pid"]
        yield facts["http"], pids


async def _quiet(pids: Mapping[str, int]) -> None:
    """Wait until what follows the last task is done: nobody uses more than one tick of the clock for a while."""
    used = sum(_cpu(pids).values())
    while True:
        await asyncio.sleep(QUIET_S)
        before, used = used, sum(_cpu(pids).values())
        if used - before <= len(pids) / os.sysconf("SC_CLK_TCK"):
            return


def _cpu(pids: Mapping[str, int]) -> dict[str, float]:
    """Seconds that each process and its ended children have used so far. Source: proc_pid_stat(5)."""
    tick = os.sysconf("SC_CLK_TCK")
    found = {}
    for name, pid in pids.items():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        found[name] = sum(int(field) for field in fields[11:15]) / tick
    return found


def _alone(directory: Path, times: int) -> float:
    """Seconds of processor time that one agent, one set-up and the checks take by themselves."""
    folder = directory / "alone"
    folder.mkdir(exist_ok=True)
    message = '{"type": "user", "uuid": "1", "message": {"role": "user", "content": "Write one file."}}\n'
    environment = {
        "PATH": os.environ["PATH"],
        "JOURNEYMAN_RUN_MARK": "run-bench@0-1",
        "CLAUDE_CONFIG_DIR": str(folder),
    }
    before = _own(resource.RUSAGE_CHILDREN)
    for _ in range(times):
        agent = [str(AGENT), "--session-id", str(uuid.uuid4())]
        subprocess.run(agent, cwd=folder, env=environment, input=message, text=True, capture_output=True, check=True)
        for command in (SETUP, *CHECKS):
            subprocess.run(["/bin/sh", "-c", command], cwd=folder, env=environment, capture_output=True, check=False)
    return (_own(resource.RUSAGE_CHILDREN) - before) / times


def _probes(directory: Path) -> tuple[float, float]:
    """Seconds of processor time of a bare git, and of a file that is made and removed."""
    before = _own(resource.RUSAGE_CHILDREN)
    for _ in range(PROBES):
        subprocess.run(["git", "version"], capture_output=True, check=True)
    git = (_own(resource.RUSAGE_CHILDREN) - before) / PROBES
    before = _own(resource.RUSAGE_SELF)
    for number in range(PROBES):
        (directory / f"probe-{number}").touch()
    for number in range(PROBES):
        (directory / f"probe-{number}").unlink()
    return git, (_own(resource.RUSAGE_SELF) - before) / PROBES


def _own(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime
