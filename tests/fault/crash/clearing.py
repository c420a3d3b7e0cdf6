"""Services are killed while they give work up, park what nobody can read, and clear up after forgotten agents."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from cli.audit import audit
from services.gateway.actors import reply as reply_actor
from shared.claude.work_dirs import node_id_of
from shared.contracts import reply, task
from shared.contracts.ids import new_task_id
from shared.contracts.subjects import Actor
from shared.nats.objects import Artifacts
from shared.ops.proc import MARK
from shared.runtime.actor_host import ActorHost
from shared.runtime.dead_letters import listing
from testing.checker import story_of
from testing.crash_points import Point
from testing.eventually import eventually
from testing.service_group import ServiceGroup
from testing.system import REPO
from tests.fault.crash.campaign import submit
from tests.fault.crash.verdict import Deaths, Verdict

ACK_WAIT_S: Final = 2.0
"""Shorter than in earnest, because every death waits for it."""
WITHIN_S: Final = 150.0
"""For a machine that does much else at the same time; alone it takes 20 s."""
AUTO: Final = task.Directive.AUTO
PERMANENT: Final = {"task": "brain", "plan": "planner", "run": "executor", "reply": "gateway"}
"""Whose work is to fail, and who gives it up."""


async def clearing(points: Sequence[Point], folder: Path) -> Verdict:
    """Each service has work that always fails, a command that is none, and an agent that outlives its work."""
    deaths = Deaths(points, folder)
    problems: list[str] = []
    async with ServiceGroup(folder, ack_wait_s=ACK_WAIT_S, checks=[]) as group:
        victims = [
            group.add(service, JOURNEYMAN_MAX_ACTIVITY_TRIES="1", **deaths.environment)
            for service in PERMANENT.values()
        ]
        work = await _bring_work(group)
        await asyncio.gather(*(victim.start(keep=True) for victim in victims))

        async def given_up() -> bool:
            for victim in victims:
                victim.check()
            failed = [await _failures(group, id) == _due(kind) for kind, id in work.items()]
            return all(failed) and len([each for each in await _parked(group) if each.startswith("cmd.")]) == len(work)

        try:
            await eventually(given_up, within=WITHIN_S, every=0.25)
            with Forgotten(group.data, work) as agents:

                def all_cleared() -> bool:
                    for victim in victims:
                        victim.check()
                    for kind, service in PERMANENT.items():
                        if any(each.startswith(f"{service}.orphans.") for each in deaths.points - deaths.happened):
                            agents.leave(kind)
                    return deaths.over and not group.left_over()

                await eventually(all_cleared, within=WITHIN_S, every=0.25)
        except AssertionError as error:
            problems.append(f"not in time: {error}; left over: {group.left_over()}, died at {sorted(deaths.happened)}")
        await asyncio.gather(*(victim.stop() for victim in victims))
        for kind, id in work.items():
            if (failures := await _failures(group, id)) != _due(kind):
                problems.append(f"{kind} {id} failed as {failures}")
        problems += [f"{each} was parked {times} times" for each, times in (await _parked(group)).items() if times > 1]
        if (damage := (await audit(group.bus)).damage) is not None:
            problems.append(str(damage))
    return Verdict(died_at=deaths.happened, problems=problems)


def _due(kind: str) -> dict[str, int]:
    """How often what has failed. What nobody works for any more fails its task as well, if it has one."""
    return {f"{kind}.failed": 1} | ({} if kind == "reply" else {"task.failed": 1})


async def _bring_work(group: ServiceGroup) -> dict[str, str]:
    """The ids by the kind of actor whose work fails, and a command for each that nobody can read."""
    work = {kind: new_task_id() for kind in PERMANENT}
    for kind, id in work.items():
        await group.bus.publish(f"cmd.{kind}.{id}.unheard-of", b"{}", {})
        if kind != "reply":
            agent = group.data / "runs" / f"{kind}-{id}-1-1"
            agent.mkdir(parents=True)
            (agent / "run.json").write_text("not what was written here")
    for kind, directive in (("task", AUTO), ("plan", task.Directive.PLAN), ("run", task.Directive.IMPLEMENT)):
        await submit(group, "Write a note", directive, id=work[kind])
    request = reply.Request(
        effect=reply.branch_effect(1),
        repo=REPO,
        base_commit="",
        commit="no commit at all",
        branch="journeyman/note",
        bundle=await Artifacts(group.bus).put("result.bundle", b"no bundle either"),
    )
    host = ActorHost(group.journal, [reply_actor.DECIDER], source="journeyman/test")
    await host.execute(Actor("reply", work["reply"]), request, id="request", principal="service:test")
    return work


async def _failures(group: ServiceGroup, id: str) -> dict[str, int]:
    """How often what has failed of a task."""
    return Counter(f"{each.kind}.{each.name}" for each in await story_of(group.bus, id) if each.name == "failed")


async def _parked(group: ServiceGroup) -> Counter[str]:
    """How often each message was parked, by its subject and place."""
    return Counter([f"{entry.subject} {entry.position}" async for _, entry in listing(group.bus)])


class Forgotten:
    """A process and a directory of each kind of agent, as they are there when a service has forgotten them."""

    def __init__(self, data: Path, work: Mapping[str, str]) -> None:
        self._data = data
        self._work = work
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def leave(self, kind: str) -> None:
        """Another one, if there is none: the one before may have gone with the work, when that came again."""
        directory = self._data / "runs" / f"{kind}-{self._work[kind]}-1-2"
        if not directory.exists():
            directory.mkdir()
            mark = f"{kind}-{self._work[kind]}@{node_id_of(self._data)}-1"
            environment = {MARK: mark, "PLACE": str(self._data), "PATH": os.environ["PATH"]}
            self._processes.append(subprocess.Popen(["sleep", "600"], env=environment, start_new_session=True))
