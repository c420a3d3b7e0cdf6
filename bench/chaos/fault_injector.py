"""One fault is done to the system, and it is measured how long it takes until work goes on behind it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from typing import Final

import msgspec
import nats.errors

from bench.chaos.faults import SERVICES, Fault, Kind
from bench.chaos.nodes import Nodes
from bench.chaos.target_system import SHARE, TargetSystem
from bench.chaos.watch import Sort, Watch
from bench.chaos.work import Work
from shared.contracts import plan, run
from shared.contracts.queries import GetStatus
from shared.event_store.envelope import RecordedEvent
from shared.runtime.client import Client, QueryFailed
from testing.eventually import eventually

LIMIT_S: Final = 90.0
"""After that the system counts as one that does not recover."""
TAKEN_S: Final = 45.0
"""How long runs of a lost machine may take to be taken over before the machine comes back all the same."""

NEVER: Final = "no recovery"


class InflictedFault(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, and the seconds until the system had recovered: None when there was nothing to measure.

    The note `NEVER` says that it did not recover.
    """

    name: str
    recovery_s: float | None
    note: str = ""


class FaultInjector:
    """Does faults, one after the other."""

    def __init__(self, stage: TargetSystem, watch: Watch, work: Work) -> None:
        self._stage = stage
        self._watch = watch
        self._work = work
        self._client = Client(stage.group.bus, source="chaos")

    async def do(self, fault: Fault) -> InflictedFault:
        """Do it and wait for the recovery; raises `TimeoutError` when there is none within `LIMIT_S`."""
        async with asyncio.timeout(LIMIT_S + fault.seconds):
            match fault.kind:
                case Kind.KILL:
                    return await self._kill(fault)
                case Kind.PAUSE:
                    return await self._pause(fault)
                case Kind.OVERSLEEP:
                    return await self._oversleep(fault)
                case Kind.POWER_CUT:
                    return await self._cut_power(fault)
                case Kind.ALL:
                    return await self._kill_all(fault)
                case Kind.AGENT:
                    return await self._kill_agent(fault)
                case Kind.NATS:
                    return await self._kill_nats(fault)
                case Kind.NATS_PAUSE:
                    return await self._pause_nats(fault)
                case Kind.ACKS:
                    return await self._lose_acks(fault)

    # ---- services --------------------------------------------------------------------------------------------------

    async def _kill(self, fault: Fault) -> InflictedFault:
        began = time.monotonic()
        await self._kill_and_see(fault.target)
        return InflictedFault(name=fault.name, recovery_s=time.monotonic() - began)

    async def _kill_and_see(self, name: str) -> None:
        """Kill, and wait until its next life is ready and has handled something that came behind the kill."""
        member = self._stage.member(name)
        pid = member.pid
        member.send(signal.SIGKILL)
        await eventually(lambda: member.pid != pid, within=LIMIT_S)
        head = await self._head()
        await asyncio.gather(member.ready(), self._works(name, head))

    async def _pause(self, fault: Fault) -> InflictedFault:
        member = self._stage.member(fault.target)
        member.send(signal.SIGSTOP)
        try:
            await asyncio.sleep(fault.seconds)
            head = await self._head()
        finally:
            member.send(signal.SIGCONT)
        began = time.monotonic()
        await self._works(fault.target, head)
        return InflictedFault(name=fault.name, recovery_s=time.monotonic() - began)

    async def _kill_all(self, fault: Fault) -> InflictedFault:
        began = time.monotonic()
        await asyncio.gather(*(self._kill_and_see(name) for name in SERVICES))
        return InflictedFault(name=fault.name, recovery_s=time.monotonic() - began)

    async def _works(self, name: str, head: int) -> None:
        """Wait until a service has handled something: seen in the log behind ``head``, or by its answer."""
        match name:
            case "gateway":
                await self._work.knock()
            case "projector":
                await self._answered(head)
            case "brain":
                await self._watch.first(_of_kind("task"), after=head)
            case _:
                await self._claims(name, head)

    async def _claims(self, name: str, head: int) -> None:
        """The planner or an executor claims work, or there is none that waits to be claimed."""
        member = self._stage.member(name)
        claimed = asyncio.ensure_future(self._watch.first(_claimed_by(member.pid), after=head))
        try:
            await member.ready()
            await eventually(lambda: claimed.done() or not self._watch.unclaimed[member.service], within=LIMIT_S)
        finally:
            claimed.cancel()

    async def _answered(self, seq: int) -> None:
        """The projector tells a state that includes an event."""
        while True:
            with contextlib.suppress(QueryFailed):
                await self._client.query(GetStatus(min_seq=seq), timeout=1.0)
                return
            await asyncio.sleep(0.05)

    # ---- machines and agents ---------------------------------------------------------------------------------------

    async def _cut_power(self, fault: Fault) -> InflictedFault:
        """Everything of an executor's machine dies; another executor takes its runs over before it comes back."""
        place, began = await self._at_work(fault.target), time.monotonic()
        await self._stage.cut_power(fault.target)
        took, note = await self._taken_over(place, began)
        await self._stage.member(fault.target).start(keep=True)
        return InflictedFault(name=fault.name, recovery_s=took, note=note)

    async def _oversleep(self, fault: Fault) -> InflictedFault:
        """An executor stands still until its runs are another's, and wakes up then."""
        member, place, began = self._stage.member(fault.target), await self._at_work(fault.target), time.monotonic()
        member.send(signal.SIGSTOP)
        try:
            took, note = await self._taken_over(place, began)
            await asyncio.sleep(max(0.0, began + fault.seconds - time.monotonic()))
        finally:
            member.send(signal.SIGCONT)
        await self._works(fault.target, await self._head())
        return InflictedFault(name=fault.name, recovery_s=took, note=note)

    async def _at_work(self, name: str) -> str:
        """The place of an executor, as soon as it holds a run: else there would be nothing to see."""
        place = self._stage.place(name)
        await eventually(lambda: self._watch.held_at(place), within=LIMIT_S)
        return place

    async def _taken_over(self, place: str, began: float) -> tuple[float | None, str]:
        """Seconds until the last run that was held there is held elsewhere or has ended."""
        head = await self._head()
        await eventually(lambda: self._watch.position >= head, within=LIMIT_S)
        held = self._watch.held_at(place)
        try:
            await eventually(lambda: not held & self._watch.held_at(place), within=TAKEN_S)
        except AssertionError:
            return TAKEN_S, f"{len(held & self._watch.held_at(place))} of {len(held)} runs were not taken over"
        return (time.monotonic() - began if held else None), f"{len(held)} runs taken over"

    async def _kill_agent(self, fault: Fault) -> InflictedFault:
        while True:
            head, began = await self._head(), time.monotonic()
            # One whose run has gone elsewhere, or has ended, is only waiting to be cleared away.
            agents = [each for each in self._stage.agents() if each[0] != "run" or each[1] in self._watch.holders]
            if agents:
                kind, id, pid = agents[int(fault.pick * len(agents))]
                with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile: another one, then
                    os.kill(pid, signal.SIGKILL)
                    break
            await asyncio.sleep(0.01)
        seen = await self._watch.first(_of_actor(kind, id), after=head)
        return InflictedFault(name=fault.name, recovery_s=seen - began)

    # ---- NATS ------------------------------------------------------------------------------------------------------

    async def _kill_nats(self, fault: Fault) -> InflictedFault:
        nats, began = self._stage.group.nats, time.monotonic()
        await nats.kill()
        if not isinstance(nats, Nodes):
            await nats.start()
            return InflictedFault(name=fault.name, recovery_s=await self._all_work() - began)
        try:
            return InflictedFault(name=fault.name, recovery_s=await self._all_work() - began, note="the leader")
        finally:
            await nats.start()

    async def _pause_nats(self, fault: Fault) -> InflictedFault:
        pid = self._stage.group.nats.pid
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(fault.seconds)
        os.kill(pid, signal.SIGCONT)
        began = time.monotonic()
        return InflictedFault(name=fault.name, recovery_s=await self._all_work() - began)

    async def _lose_acks(self, fault: Fault) -> InflictedFault:
        proxy = self._stage.proxy
        before, proxy.share = proxy.eaten, SHARE
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            proxy.share = 0.0
        began = time.monotonic()
        return InflictedFault(
            name=fault.name, recovery_s=await self._all_work() - began, note=f"{proxy.eaten - before} were lost"
        )

    async def _all_work(self) -> float:
        """When (monotonic) each service that all work goes through had handled something after now."""
        head = await self._head()
        await asyncio.gather(*(self._works(name, head) for name in ("gateway", "brain", "projector")))
        return time.monotonic()

    async def _head(self) -> int:
        """The log's head, as soon as NATS tells it."""
        while True:
            with contextlib.suppress(TimeoutError, nats.errors.Error):
                return await self._watch.head()
            await asyncio.sleep(0.05)


def _of_kind(kind: str) -> Sort:
    return lambda event: event.kind == kind


def _of_actor(kind: str, id: str) -> Sort:
    return lambda event: event.kind == kind and event.actor.id == id


def _claimed_by(pid: int) -> Sort:
    def is_claim(event: RecordedEvent) -> bool:
        return isinstance(event.data, plan.Claimed | run.Claimed) and f":{pid}@" in event.data.worker

    return is_claim
