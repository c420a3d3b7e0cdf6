"""`python -m bench.queue`: very many tasks wait, five executors work them off with an agent that does next to nothing.

Every task goes its whole way (triage by rules, a worktree, an agent, a commit, a branch). Three promises are checked:
no service's memory grows with what waits or with what is done, tasks are begun in the order in which they were asked
for, and each executor has its share. Exit code 0 when they hold.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import contextlib
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import nats.errors

from bench.termination import until_terminated
from cli.supervisor.supervisor import limits_for
from shared.claude.demo.repo import create_demo_repository
from shared.contracts import task
from shared.contracts.ids import new_task_id
from shared.contracts.subjects import Actor, read_event_subject
from shared.nats.feed import Feed
from shared.nats.streams import EVENTS
from shared.ops import logs
from shared.runtime.client import Client, NoAnswer
from testing.eventually import eventually
from testing.service_group import ServiceGroup

NOOP: Final = Path(__file__).parents[1] / "testing" / "noop_agent.sh"
EXECUTORS: Final = 5
SENDERS: Final = 32
REPOSITORIES: Final = 16
"""Target repositories: thousands of branches in one would be another test."""
SAMPLE_S: Final = 2.0
TOLD_EVERY: Final = 15
WARM: Final = 0.2
"""The part of the work after which memory is held against its end: caches fill up first."""
MOST_GROWTH_MB: Final = 48.0
PATIENCE_S: Final = 3600.0
SUBJECTS: Final = [
    "evt.task.*.execution-requested",
    "evt.run.*.requested",
    "evt.run.*.claimed",
    "evt.task.*.completed",
    "evt.task.*.failed",
]


class Sample(msgspec.Struct, frozen=True):
    """Resident memory in MB by process, when so many tasks were done."""

    done: int
    memory: dict[str, float]


class Seen:
    """What the log says of the queue."""

    def __init__(self) -> None:
        self.waiting: set[str] = set()
        self.requested: list[str] = []
        self.claimed: list[str] = []
        self.workers: Counter[str] = Counter()
        self.completed: set[str] = set()
        self.failed: set[str] = set()

    def take(self, subject: str, body: bytes) -> None:
        """One event."""
        actor, name = read_event_subject(subject)
        match name:
            case "execution-requested":
                self.waiting.add(actor.id)
            case "requested":
                self.requested.append(actor.id)
            case "claimed" if actor.id not in self.claimed[-EXECUTORS * 64 :]:
                self.claimed.append(actor.id)
                self.workers[json.loads(body)["data"]["worker"].rpartition("@")[2]] += 1
            case "completed":
                self.completed.add(actor.id)
            case "failed":
                self.failed.add(actor.id)

    def out_of_order(self) -> int:
        """The most tasks that had been asked for earlier, and still waited, when one was begun."""
        place = {id: number for number, id in enumerate(self.requested)}
        begun: list[int] = []
        worst = 0
        for id in self.claimed:
            worst = max(worst, place[id] - bisect.bisect(begun, place[id]))
            bisect.insort(begun, place[id])
        return worst


async def run(folder: Path, tasks: int, wanted: int, slots: int) -> bool:
    """Let them wait, let ``wanted`` of them be worked off; whether the promises held."""
    seen, samples = Seen(), list[Sample]()
    async with ServiceGroup(folder, limits=limits_for(folder)) as group:
        repositories = _repositories(folder)
        add = partial(group.add, JOURNEYMAN_CLAUDE_CLI=str(NOOP), JOURNEYMAN_MAX_CONCURRENT_RUNS=str(slots))
        for service in ("brain", "gateway", "projector"):
            add(service)
        for number in range(EXECUTORS):
            add("executor", name=f"executor-{number}", data=folder / f"executor-{number}")
        others = [member for name, member in group.members.items() if not name.startswith("executor")]
        executors = [member for name, member in group.members.items() if name.startswith("executor")]
        await asyncio.gather(*(member.start() for member in others))
        watching = asyncio.create_task(_watch(group, seen))
        try:
            began = time.monotonic()
            await _submit(group, tasks, repositories)
            await eventually(lambda: len(seen.waiting) == tasks, within=PATIENCE_S)
            _say(f"{tasks:,} tasks wait after {time.monotonic() - began:.0f} s")
            await asyncio.gather(*(member.start() for member in executors))
            began = time.monotonic()
            while len(seen.completed | seen.failed) < wanted:
                samples.append(Sample(len(seen.completed), dict(_memory(group))))
                if len(samples) % TOLD_EVERY == 1:
                    _say(f"{samples[-1].done:>7,} done  " + _shown(samples[-1].memory))
                await asyncio.sleep(SAMPLE_S)
            samples.append(Sample(len(seen.completed), dict(_memory(group))))
            seconds = time.monotonic() - began
        finally:
            watching.cancel()
            await asyncio.gather(*(member.stop() for member in group.members.values()))
    return _verdict(seen, samples, wanted, slots, seconds)


async def _submit(group: ServiceGroup, tasks: int, repositories: list[str]) -> None:
    client, room = Client(group.bus, source="bench"), asyncio.Semaphore(SENDERS)

    async def send(number: int) -> None:
        submit = task.Submit(
            title=f"Task {number}",
            text="Write one file.",
            source=task.Source(kind="api"),
            repo=repositories[number % len(repositories)],
            directive=task.Directive.IMPLEMENT,
            approval=task.Approval.AUTO,
        )
        actor, id = Actor("task", new_task_id()), f"submit-{number}"
        async with room:
            while True:
                # Sent again with its own id, it is the same command.
                with contextlib.suppress(NoAnswer, TimeoutError, nats.errors.Error):
                    await client.send(actor, submit, principal="user:bench", id=id, timeout=120)
                    return

    await asyncio.gather(*(send(number) for number in range(tasks)))


async def _watch(group: ServiceGroup, seen: Seen) -> None:
    async with Feed(group.bus, EVENTS, SUBJECTS, after=0) as feed:
        async for message in feed:
            seen.take(message.subject, message.data)


def _memory(group: ServiceGroup) -> Iterator[tuple[str, float]]:
    pids = {"nats": group.nats.pid} | {name: member.pid for name, member in group.members.items()}
    for name, pid in pids.items():
        with contextlib.suppress(OSError):
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            yield name, pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _repositories(folder: Path) -> list[str]:
    config, names = [], []
    for number in range(REPOSITORIES):
        names.append(f"octo/queue-{number}")
        path = folder / "repositories" / str(number)
        create_demo_repository(path)
        config.append(f'[repos."{names[-1]}"]\npath = {json.dumps(str(path))}\nbase = "main"\nchecks = []\n')
    (folder / "journeyman.toml").write_text("\n".join(config))
    return names


def _verdict(seen: Seen, samples: list[Sample], tasks: int, slots: int, seconds: float) -> bool:
    warm = next(sample for sample in samples if sample.done >= tasks * WARM)
    last = samples[-1]
    growth = {name: last.memory[name] - before for name, before in warm.memory.items() if name in last.memory}
    worst = max((grown, name) for name, grown in growth.items() if name != "nats")
    shares = sorted(seen.workers.values())
    held = {
        f"every task is completed ({len(seen.completed):,} of {tasks:,})": len(seen.completed) >= tasks,
        f"memory is flat (most growth: {worst[1]} by {worst[0]:.0f} MB)": worst[0] <= MOST_GROWTH_MB,
        f"order is kept (most that waited while a later one was begun: {seen.out_of_order()})": seen.out_of_order()
        < EXECUTORS * slots,
        f"nobody starves (least and most of an executor: {shares[0]:,}, {shares[-1]:,})": len(shares) == EXECUTORS
        and shares[0] * 2 >= tasks / EXECUTORS,
    }
    _say(
        f"{tasks:,} tasks in {seconds:.0f} s with {EXECUTORS} executors of {slots}: {tasks / seconds * 60:.0f} a minute"
    )
    _say("memory, warm: " + _shown(warm.memory))
    _say("memory, end:  " + _shown(last.memory))
    for promise, kept in held.items():
        _say(f"{'kept  ' if kept else 'BROKEN'} {promise}")
    return all(held.values())


def _shown(memory: dict[str, float]) -> str:
    return "  ".join(f"{name} {size:.0f}" for name, size in memory.items()) + " MB"


def _say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    """0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m bench.queue", description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--done", type=int, default=0, help="how many of them are worked off; all without it")
    parser.add_argument("--slots", type=int, default=2, help="agents at once per executor")
    options = parser.parse_args()
    logs.configure("bench", level="error", format="console")
    with tempfile.TemporaryDirectory(prefix="journeyman-queue-") as folder:
        try:
            work = run(Path(folder), options.tasks, options.done or options.tasks, options.slots)
            kept = asyncio.run(until_terminated(work))
        except (KeyboardInterrupt, asyncio.CancelledError):
            return 130
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
