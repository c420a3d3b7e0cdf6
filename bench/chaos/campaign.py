"""One campaign: work comes, faults come, everything comes to its end, and it is decided whether all went well."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from bench import machine
from bench.chaos.fault_injector import NEVER, FaultInjector, InflictedFault
from bench.chaos.faults import Kind, faults
from bench.chaos.nodes import NODES
from bench.chaos.options import Options
from bench.chaos.target_system import TargetSystem, target_system
from bench.chaos.verdict import ChaosVerdict, judge
from bench.chaos.watch import Watch
from bench.chaos.work import Work
from testing.eventually import end, eventually
from testing.service_group import ACK_WAIT_S

STUCK_S: Final = 300.0
"""Without a task that ends for so long, what is open counts as lost."""
CLEARED_S: Final = 90.0
"""How long orphans may stay: they are looked for every 20 s, and only what has been over for 10 s is cleared."""
SAY_EVERY_S: Final = 30.0


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """What was done and what came of it. ``seconds`` are those in which work was brought or open."""

    began: datetime
    seconds: float
    terms: Options
    machine: list[str]
    blows: list[InflictedFault]
    questions: int
    deliveries: int
    in_vain: int
    verdict: ChaosVerdict

    @property
    def good(self) -> bool:
        """Nothing lost, nothing doubled, nothing left over, and recovered from every fault."""
        return self.verdict.good


class _Run:
    """A campaign under way."""

    def __init__(self, stage: TargetSystem, terms: Options, say: Callable[[str], None]) -> None:
        self.stage = stage
        self.watch = Watch(stage.group.journal)
        self.work = Work(stage, self.watch, terms)
        self.blows: list[InflictedFault] = []
        self.problems: list[str] = []
        self.began = time.monotonic()
        self._terms = terms
        self._say = say
        self._is_striking = False
        self._hand = FaultInjector(stage, self.watch, self.work)

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.began

    async def lead(self) -> None:
        """Bring the work and do the faults until all work is done, or stands still."""
        watching = asyncio.create_task(self.watch.run())
        bringing = asyncio.create_task(self.work.run(self._wanted))
        side = [watching, asyncio.create_task(self._tell())]
        tormenting = asyncio.create_task(self._torment())
        try:
            while not (bringing.done() and tormenting.done() and self.work.open == 0):
                await asyncio.sleep(0.2)
                self.problems += await self.stage.revive()
                for task in (bringing, tormenting, *side):
                    if task.done():
                        task.result()
                if time.monotonic() - self.watch.last_progress > STUCK_S:
                    self.problems.append(f"{self.work.open} tasks stand still")
                    return
        finally:
            await asyncio.gather(*map(end, (bringing, tormenting, *side)))

    def _wanted(self, brought: int) -> bool:
        """Whether more work is to come; a recovery shows only in work, so a fault is never left without."""
        terms = self._terms
        return self._is_striking or (
            brought < terms.tasks and self.seconds < terms.minutes * 60 and len(self.blows) < terms.most_faults
        )

    async def _torment(self) -> None:
        """One fault after the other while work is brought; a fault is begun with work under way."""
        await eventually(lambda: self.watch.ended, within=120.0)
        for fault in faults(self._terms.seed, rest_s=self._terms.rest_s, ack_wait_s=ACK_WAIT_S):
            if not self._wanted(self.work.brought):
                return
            if fault.kind is Kind.ACKS and self._terms.nodes == NODES:
                continue  # no proxy stands before three servers
            self._is_striking = True
            try:
                self.blows.append(await self._hand.do(fault))
            except (TimeoutError, AssertionError) as error:
                self.blows.append(InflictedFault(name=fault.name, recovery_s=None, note=NEVER))
                self.problems.append(f"no recovery from {fault}: {error}")
            finally:
                self._is_striking = False
            await asyncio.sleep(fault.rest)

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(SAY_EVERY_S)
            ended = len(self.watch.ended)
            last = self.blows[-1] if self.blows else None
            self._say(
                f"{self.seconds:.0f} s: {ended} tasks done ({ended / self.seconds:.1f}/s), {self.work.open} open, "
                f"{len(self.blows)} faults; {'' if last is None else f'{last.name}: {last.recovery_s} {last.note}'}"
            )


async def campaign(terms: Options, folder: Path, say: Callable[[str], None]) -> Campaign:
    """Lead one in a new folder; raises when a service ends by itself."""
    began, facts = datetime.now(UTC), machine.facts(folder.parent)
    facts.append(f"before: {machine.load().said()}")
    async with target_system(folder, terms) as stage:
        run = _Run(stage, terms, say)
        await run.lead()
        seconds = run.seconds
        facts.append(f"after: {machine.load().said()}")
        say("All work is done; looking at what is left …")
        try:
            await eventually(lambda: not stage.group.left_over(), within=CLEARED_S, every=0.5)
        except AssertionError:
            run.problems.append(f"left over: {stage.group.left_over()[:5]}")
        group = stage.group
        await asyncio.gather(*(member.stop() for name, member in group.members.items() if name != "projector"))
        # What has come last may still be gathering for its transaction: a question brings it in.
        last = await group.journal.last_position()
        await eventually(lambda: group.has_projected(last))
        await group.members["projector"].stop()
        verdict = await judge(stage.group.bus, stage.group.data, stage.repositories, run.work.accepted)
    news = [id for id, answers in run.work.answers.items() if answers.count(202) > 1]
    run.problems += [f"{id}: its delivery was taken for a new one more than once" for id in news]
    run.problems += [f"{times} deliveries were answered with {status}" for status, times in run.work.strange.items()]
    return Campaign(
        began=began,
        seconds=seconds,
        terms=terms,
        machine=facts,
        blows=run.blows,
        questions=sum(each.is_question for each in run.work.accepted.values()),
        deliveries=sum(map(len, run.work.answers.values())),
        in_vain=run.work.failed,
        verdict=msgspec.structs.replace(verdict, problems=run.problems + verdict.problems),
    )
