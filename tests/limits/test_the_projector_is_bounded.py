from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from nats.aio.msg import Msg

from services.gateway.problems import problem_of
from services.projector import read_model_db
from services.projector.read_model_db import ReadModelDb
from shared.contracts import task
from shared.contracts.queries import GetStatus
from shared.contracts.subjects import Actor
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.ops.limits import Limits
from shared.runtime.actor_host import ActorHost
from shared.runtime.client import Client, QueryFailed
from testing.counting_actor import COUNTER
from testing.eventually import end, eventually
from testing.nats import Nats
from testing.slow_timings import connect_patiently
from tests.integration.gateway.gateway_process import ServiceProcess

NEVER = 2**40


async def test_so_many_questions_are_in_hand_and_the_next_is_told_to_come_again(
    nats_server: Nats, bus: Bus, tmp_path: Path
) -> None:
    async with ServiceProcess("projector", nats_server.url, tmp_path / "data", JOURNEYMAN_MAX_QUESTIONS="2"):
        client = Client(bus, source="t")
        await eventually(lambda: _answers(client), within=60)
        answers: list[str] = []

        async def answered(message: Msg) -> None:
            answers.append(json.loads(message.data)["error"]["code"])

        inbox = bus.nc.new_inbox()
        await bus.nc.subscribe(inbox, cb=answered)

        async def refused() -> bool:
            answers.clear()
            for _ in range(2):
                # Those that wait for an event that never comes are in hand for a while.
                await bus.nc.publish("qry.status", json.dumps({"min_seq": NEVER}).encode(), reply=inbox)
            try:
                await client.query(GetStatus(), timeout=60)
                return False  # everything stood still for as long as a question waits
            except QueryFailed as error:
                problem = problem_of(error)
                assert (problem.status, problem.code) == (503, "busy")
                assert "Retry-After" in problem.headers
            await eventually(lambda: len(answers) == 2)
            return True

        await eventually(refused, within=60)
        assert answers == ["not-caught-up"] * 2, "what was in hand is answered"
        assert (await client.query(GetStatus(), timeout=60)).seq == 0


async def _answers(client: Client) -> bool:
    try:
        return bool(await client.query(GetStatus(), timeout=5))
    except QueryFailed:
        return False


async def test_a_transaction_has_so_many_events_and_the_rest_comes_with_the_next(
    nats_server: Nats, tmp_path: Path
) -> None:
    bus = await connect_patiently(nats_server.url, name="bounded", limits=Limits(max_projected_events=4))
    host = ActorHost(NatsJournal(bus), [COUNTER], source="t")
    for number in range(9):
        await host.execute(Actor("task", "T1"), task.GiveInput(message="m"), id=f"c{number}", principal="t")
    batches: list[int] = []
    views = await ReadModelDb.open(tmp_path / "views.duckdb")
    following = asyncio.create_task(views.follow(bus, on_batch=batches.append))
    await eventually(lambda: sum(batches) == 9)
    await end(following)
    await views.close()
    await asyncio.wait_for(bus.close(), 30)
    assert max(batches) <= 4
    assert views.checkpoint.seq == 9


async def test_events_gather_while_nobody_asks_and_a_question_has_all_of_them(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_model_db, "UNASKED_PACE_S", 600.0)
    host = ActorHost(NatsJournal(bus), [COUNTER], source="t")
    batches: list[int] = []
    views = await ReadModelDb.open(tmp_path / "views.duckdb")
    following = asyncio.create_task(views.follow(bus, on_batch=batches.append))
    for number in range(4):
        await host.execute(Actor("task", "T1"), task.GiveInput(message="m"), id=f"c{number}", principal="t")
        await eventually(lambda: batches)

    async def has_all() -> bool:
        """An event that is still on its way is not waited for by who names none."""
        await asyncio.wait_for(views.gathered(), 60)
        return views.checkpoint.seq == 4

    assert batches == [1]
    await eventually(has_all)
    await end(following)
    await views.close()
