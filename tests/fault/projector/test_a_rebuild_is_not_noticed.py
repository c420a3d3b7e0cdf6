"""Rebuilds while events arrive and questions are asked: each is answered, none from an older state than before."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Final

import pytest

from shared.nats.bus import Bus
from shared.runtime.client import QueryFailed
from testing.eventually import end, eventually
from testing.nats import Nats
from testing.prefork import Prefork
from testing.reference_fold import Fold
from tests.integration.projector.projector_process import Projector, a_long_log, expected, folded, publish
from tests.unit.projector.projector_support import Log

pytestmark = [pytest.mark.xdist_group("projector"), pytest.mark.timeout(300)]

EVENTS = 2400
EARLY = 1600
SESSIONS = 3
REBUILDS = 3
STATUS: Final = 6
COST: Final = 13
"""Columns of a task and of a usage row."""


class Session:
    """Somebody who asks one question after the other; ``answers`` holds sequence, tasks by status, and all costs."""

    def __init__(self, projector: Projector, *, remembers: bool) -> None:
        self.answers: list[tuple[int, dict[str, int] | None, int | None]] = []
        self._projector = projector
        self._remembers = remembers

    async def ask(self) -> None:
        while True:
            status = await self._ask("status")
            self.answers.append((status["seq"], status["tasks"], None))
            costs = await self._ask("costs", group_by="model")
            self.answers.append((costs["seq"], None, costs["total"]["cost_microusd"]))

    async def _ask(self, name: str, **params: Any) -> dict[str, Any]:
        if self._remembers and self.answers:
            params["min_seq"] = self.answers[-1][0]
        while True:
            try:
                return await self._projector.ask(name, **params)
            except QueryFailed as failure:
                # A machine that stands still for as long as a question waits: it is asked again, as the answer says.
                assert failure.code == "not-caught-up", failure


async def test_every_question_during_a_rebuild_gets_an_answer_that_is_true_for_its_sequence_and_never_an_older_one(
    bus: Bus, projector: Projector
) -> None:
    log = await _early(bus)
    await projector.start()
    sessions = await _ask_during_rebuilds(bus, projector, log, remembers=False)
    await projector.reaches(len(log.stored))
    await projector.stop()
    assert projector.rows() == expected(log)
    assert len(list(projector.file.parent.glob("*.duckdb"))) == 1
    _check(sessions, log)


async def test_a_session_that_names_what_it_has_seen_gets_no_older_answer_from_another_projector(
    nats_server: Nats, bus: Bus, projector: Projector, prefork: Prefork
) -> None:
    log = await _early(bus)
    await projector.start()
    async with Projector(nats_server.url, projector.data.with_name("other"), bus, prefork):
        _check(await _ask_during_rebuilds(bus, projector, log, remembers=True), log)


async def _early(bus: Bus) -> Log:
    log, early = a_long_log(EVENTS), Log()
    early.stored = log.stored[:EARLY]
    await publish(bus, early)
    return log


async def _ask_during_rebuilds(bus: Bus, projector: Projector, log: Log, *, remembers: bool) -> list[Session]:
    sessions = [Session(projector, remembers=remembers) for _ in range(SESSIONS)]
    asking = [asyncio.create_task(session.ask()) for session in sessions]
    appending = asyncio.create_task(publish(bus, log, EARLY))
    for _ in range(REBUILDS):
        begun = (await projector.ask("project.rebuild"))["token"]

        async def is_over(token: str = begun) -> bool:
            try:
                state = (await projector.ask("project.status", token=token))["state"]
            except QueryFailed as failure:
                # Another projector was asked, and the one that rebuilds has not answered it in time.
                assert failure.code == "rebuild-unknown"
                return False
            assert state != "failed"
            return bool(state == "done")

        await eventually(is_over, within=60)
    await appending
    last = [len(session.answers) for session in sessions]
    await eventually(
        lambda: all(len(each.answers) > seen + 1 for each, seen in zip(sessions, last, strict=True)), within=60
    )
    for task in asking:
        assert not task.done(), task.exception()
        await end(task)
    return sessions


def _check(sessions: list[Session], log: Log) -> None:
    for session in sessions:
        seqs = [seq for seq, _, _ in session.answers]
        assert seqs == sorted(seqs)
    answers = sorted((each for session in sessions for each in session.answers), key=lambda each: each[0])
    print(f"{len(answers)} answers, from {answers[0][0]} to {answers[-1][0]}")
    fold = Fold()
    for seq, tasks, cost in answers:
        tables = folded(log, seq, fold).tables()
        if tasks is not None:
            assert tasks == Counter(row[STATUS] for row in tables["tasks"]), seq
        if cost is not None:
            assert cost == sum(row[COST] for row in tables["usage"]), seq
