"""The projector as a process: exact after kills, honest about what it has seen, answering all the time."""

from __future__ import annotations

import asyncio
import contextlib
import random

import duckdb
import msgspec
import pytest

from services.projector.database import current
from services.projector.rebuild import FOLDER, Progress, rebuild
from shared.contracts.queries import GetStatus
from shared.nats.bus import Bus
from shared.runtime.client import QueryFailed
from testing.eventually import end, eventually
from testing.nats import Nats
from tests.integration.projector.projector_process import Projector, a_long_log, expected, publish
from tests.unit.projector.projector_support import TASK, Log, planned, submitted


async def test_what_was_appended_can_be_asked_for_at_once(bus: Bus, projector: Projector) -> None:
    await projector.start()
    log = planned()
    await publish(bus, log)
    task = (await projector.ask_until_there("tasks.get", len(log.stored), id=TASK))["task"]
    assert task["status"] == "awaiting-approval"
    status = await projector.ask("status")
    assert (status["seq"], status["position"], status["lag_events"]) == (8, 8, 0)


async def test_a_kill_in_the_middle_of_a_batch_leaves_the_rows_exact(bus: Bus, projector: Projector) -> None:
    log = a_long_log(3000)
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    appending = asyncio.create_task(publish(bus, log))
    for _ in range(4):
        await projector.start()
        # Not a wait for something: the kill comes at any moment while events arrive.
        await asyncio.sleep(dice.uniform(0.0, 0.5))
        await projector.kill()
    await appending
    await projector.start()
    await projector.reaches(len(log.stored))
    await projector.stop()
    assert projector.rows() == expected(log)


async def test_a_second_projector_on_the_same_data_is_refused(
    nats_server: Nats, bus: Bus, projector: Projector
) -> None:
    await projector.start()
    second = Projector(nats_server.url, projector.data, bus)
    assert "Another projector" in await second.refusal()
    await eventually(projector.answers)


async def test_a_projector_of_its_own_data_shares_the_questions(
    nats_server: Nats, bus: Bus, projector: Projector
) -> None:
    await publish(bus, planned())
    await projector.start()
    async with Projector(nats_server.url, projector.data.with_name("other"), bus):
        await projector.kill()

        async def answered() -> bool:
            """A question that NATS gave to the projector that was just killed is asked again."""
            with contextlib.suppress(QueryFailed):
                return bool((await projector.client.query(GetStatus(min_seq=8), timeout=10)).seq == 8)
            return False

        await eventually(answered)


async def test_a_rebuild_gives_the_same_rows_while_questions_are_answered(bus: Bus, projector: Projector) -> None:
    log = a_long_log(1500)
    half = Log()
    half.stored = log.stored[:1000]
    await publish(bus, half)
    await projector.start()
    await projector.reaches(1000)
    before = current(projector.data / FOLDER)

    asked: list[int] = []

    async def keep_asking() -> None:
        while True:
            asked.append((await projector.ask("tasks.list", limit=1))["seq"])

    asking = asyncio.create_task(keep_asking())
    token = (await projector.ask("project.rebuild"))["token"]
    appending = asyncio.create_task(publish(bus, log, 1000))

    async def done() -> bool:
        return bool((await projector.ask("project.status", token=token))["state"] == "done")

    await eventually(done, within=90)
    await appending
    await projector.reaches(1500)
    assert not asking.done()
    await end(asking)
    assert asked == sorted(asked)
    assert asked[-1] >= 1000
    await projector.stop()
    after = current(projector.data / FOLDER)
    assert before != after
    assert sorted(each.name for each in after.parent.glob("*.duckdb*")) == [after.name]
    assert projector.rows() == expected(log)


async def test_an_offline_rebuild_gives_the_same_rows_and_tells_its_progress(bus: Bus, projector: Projector) -> None:
    log = a_long_log(1000)
    await publish(bus, log)
    await projector.start()
    await projector.reaches(1000)
    await projector.stop()
    incremental = projector.rows()
    told: list[Progress] = []
    done = await rebuild(bus, projector.data, told.append)
    assert (done.state, done.seq, done.target) == ("done", len(log.stored), len(log.stored))
    assert told[-1] == done or told[-1].state == "done"
    assert projector.rows() == incremental == expected(log)
    await projector.start()
    assert (await projector.ask("status"))["seq"] == len(log.stored)


@pytest.mark.parametrize("loss", ["deleted", "damaged"])
async def test_read_models_that_are_gone_are_rebuilt_from_the_log(bus: Bus, projector: Projector, loss: str) -> None:
    log = planned()
    await publish(bus, log)
    await projector.start()
    await projector.reaches(8)
    await projector.stop()
    file = current(projector.data / FOLDER)
    if loss == "deleted":
        file.unlink()
    else:
        file.write_bytes(b"not a database at all" * 1000)
    await projector.start()
    await projector.reaches(8)
    await projector.stop()
    assert projector.rows() == expected(log)
    assert len(list(file.parent.glob("*corrupt*"))) == (loss == "damaged")


async def test_a_log_that_tells_another_story_is_refused(bus: Bus, projector: Projector) -> None:
    await publish(bus, planned())
    await projector.start()
    await projector.reaches(8)
    await projector.stop()
    with duckdb.connect(str(current(projector.data / FOLDER))) as connection:
        connection.execute("UPDATE checkpoint SET hash = repeat('0', 64)")
    assert "Event 8 of the log is not the one" in await projector.refusal()


async def test_a_log_that_went_backwards_is_refused_and_nothing_is_rebuilt(bus: Bus, projector: Projector) -> None:
    await publish(bus, planned())
    await projector.start()
    await projector.reaches(8)
    await projector.stop()
    with duckdb.connect(str(current(projector.data / FOLDER))) as connection:
        connection.execute("UPDATE checkpoint SET seq = 9")
        connection.execute("INSERT INTO timeline SELECT 9, * EXCLUDE (seq) FROM timeline WHERE seq = 8")
    assert "the log went backwards" in await projector.refusal()
    assert projector.rows()["checkpoint"][0][1] == 9


async def test_a_question_for_an_event_that_never_comes_is_told_so(bus: Bus, projector: Projector) -> None:
    await projector.start()
    with pytest.raises(QueryFailed) as failure:
        await projector.ask("status", min_seq=1)
    assert failure.value.code == "not-caught-up"


@pytest.mark.parametrize(
    "name, params, code",
    [
        ("tasks.list", {"limit": 9999}, "bad-parameter"),
        ("tasks.get", {"id": "nobody"}, "not-found"),
        ("moods.list", {}, "unknown-query"),
        ("project.status", {}, "rebuild-unknown"),
        ("project.status", {"token": "0123456789ab.1"}, "rebuild-unknown"),
    ],
)
async def test_a_refusal_has_a_code_and_a_sentence(
    bus: Bus, projector: Projector, name: str, params: dict[str, object], code: str
) -> None:
    await projector.start()
    with pytest.raises(QueryFailed) as failure:
        await projector.ask(name, **params)
    assert failure.value.code == code
    assert failure.value.detail.endswith(".")


async def test_a_restart_of_nats_is_lived_through(nats_server: Nats, bus: Bus, projector: Projector) -> None:
    await projector.start()
    log = planned()
    await publish(bus, log)
    await projector.reaches(8)
    await nats_server.kill()
    await nats_server.start()
    await eventually(lambda: bus.connected)
    log.add(submitted(), id="01JX7Z000000000000000NEXT")
    await eventually(lambda: _published(bus, log, 8))
    await projector.reaches(9)
    await projector.stop()
    assert projector.rows() == expected(log)


async def _published(bus: Bus, log: Log, start: int) -> bool:
    try:
        await publish(bus, log, start)
    except Exception:
        return False
    return True


async def test_an_event_can_be_asked_for_soon_after_it_was_stored(bus: Bus, projector: Projector) -> None:
    await projector.start()
    loop = asyncio.get_running_loop()
    waits: list[float] = []
    log = Log()
    for number in range(50):
        log.add(submitted(), id=f"T{number}")
        await publish(bus, log, number)
        began = loop.time()
        await projector.ask_until_there("tasks.get", number + 1, id=f"T{number}")
        waits.append(loop.time() - began)
    waits.sort()
    print(f"event to answer: p50 {waits[25] * 1e3:.1f} ms, worst {waits[-1] * 1e3:.1f} ms")
    # The goal is 100 ms; a machine that runs other tests beside this one gets room.
    assert waits[25] < 2.0


async def test_the_ready_file_tells_where_it_stands(bus: Bus, projector: Projector) -> None:
    await publish(bus, planned())
    await projector.start()
    facts = msgspec.json.decode(projector.ready.read_bytes())
    assert facts["service"] == "projector"
    assert facts["position"] == 8
