from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket as plain

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from shared.contracts import plan, run, task
from shared.contracts.usage import ModelUsage
from shared.nats.bus import Bus
from testing.eventually import eventually
from testing.nats import Nats
from tests.integration.gateway.gateway_process import Gateway, Heard, happen, heard_by_now, speak

BROWSERS = 20
SILENCE_S = 2.0
"""How long a gateway waits for the log before it asks again."""
SUBMITTED = task.Submitted(title="t", text="x", source=task.Source(kind="api"))


async def steps(bus: Bus, task_id: str, numbers: range) -> list[int]:
    return [await happen(bus, task_id, task.InputGiven(message=f"{number}"), number) for number in numbers]


async def test_what_happens_is_heard_at_once_with_its_cost(gateway: Gateway, bus: Bus) -> None:
    async with gateway.socket() as socket:
        heard = Heard(socket)
        await heard.say(type="subscribe", topics=["tasks"])
        assert await heard.next() == {"type": "subscribed", "topics": ["tasks"], "seq": 0}
        seq = await happen(bus, "T1", SUBMITTED)
        created = await heard.next()
        assert (created["type"], created["seq"], created["task_id"]) == ("task.created", seq, "T1")
        assert (created["kind"], created["event"], created["principal"]) == ("task", "submitted", "user:test")
        usage = (ModelUsage(model="m", input_tokens=2, output_tokens=3, cost_microusd=5),)
        await happen(bus, "T1", run.Succeeded(round=1, attempt=1, summary="s", usage=usage, duration_ms=9))
        assert [each["type"] for each in await heard.take(3)] == ["task.updated", "task.metrics", "agent.status"]


async def test_one_tasks_topic_hears_that_task_only(gateway: Gateway, bus: Bus) -> None:
    async with gateway.socket() as socket:
        heard = Heard(socket)
        await heard.say(type="subscribe", topics=["task:T2"])
        await heard.until("subscribed")
        await happen(bus, "T1", SUBMITTED)
        await happen(bus, "T2", SUBMITTED)
        assert (await heard.next())["task_id"] == "T2"


async def test_a_returning_client_hears_everything_behind_its_last_sequence_once_and_in_order(
    gateway: Gateway, bus: Bus
) -> None:
    """While events go on happening, over several connections, at whatever moment each of them breaks."""
    happened: list[int] = []
    stop = asyncio.Event()

    async def go_on() -> None:
        number = 1
        while not stop.is_set():
            happened.append(await happen(bus, f"T{number % 3}", task.InputGiven(message="m"), number))
            number += 1
            await asyncio.sleep(0.005)  # all of them are heard in the end, so there must not be too many

    happening = asyncio.create_task(go_on())
    heard_seqs: list[int] = []
    last = 0
    try:
        for round in range(5):
            async with gateway.socket() as socket:
                heard = Heard(socket)
                await heard.say(type="subscribe", topics=["tasks"], after=last)
                for _ in range(60 + 13 * round):
                    await heard.next()
                heard_seqs += heard.seqs("task.updated")
                last = heard_seqs[-1]
            await asyncio.sleep(0.05 * round)
    finally:
        stop.set()
        await happening
    async with gateway.socket() as socket:
        heard = Heard(socket)
        await heard.say(type="subscribe", topics=["tasks"], after=last)
        while not heard_seqs or heard_seqs[-1] < happened[-1]:
            message = await heard.next()
            if message["type"] == "task.updated":
                heard_seqs.append(message["seq"])
    assert heard_seqs == happened


async def test_subscribed_says_up_to_where_everything_has_been_sent(gateway: Gateway, bus: Bus) -> None:
    seqs = await steps(bus, "T1", range(1, 31))
    async with gateway.socket() as socket:
        heard = Heard(socket)
        await heard.say(type="subscribe", topics=["tasks"], after=seqs[9])
        subscribed = await heard.until("subscribed")
        assert heard.seqs("task.updated") == seqs[10:]
        assert subscribed["seq"] == seqs[-1]


async def test_a_topic_that_is_added_brings_its_own_past_and_repeats_nobody_elses(gateway: Gateway, bus: Bus) -> None:
    first = await steps(bus, "T1", range(1, 6))
    second = await steps(bus, "T2", range(1, 6))
    async with gateway.socket() as socket:
        heard = Heard(socket)
        await heard.say(type="subscribe", topics=["task:T1"], after=0)
        await heard.until("subscribed")
        assert heard.seqs("task.updated") == first
        await heard.say(type="subscribe", topics=["task:T1", "task:T2"], after=0)
        await heard.until("subscribed")
        assert heard.seqs("task.updated") == first + second
        await heard.say(type="unsubscribe", topics=["task:T1"])
        await heard.say(type="ping")
        await heard.until("pong")
        await happen(bus, "T1", SUBMITTED)
        last = await happen(bus, "T2", SUBMITTED)
        assert (await heard.next())["seq"] == last


async def test_a_client_of_another_log_starts_at_the_end_of_this_one(gateway: Gateway, bus: Bus) -> None:
    seqs = await steps(bus, "T1", range(1, 4))
    await heard_by_now(gateway, seqs[-1])
    async with gateway.socket() as socket:
        heard = Heard(socket)
        await heard.say(type="subscribe", topics=["tasks"], after=1_000_000)
        assert (await heard.next())["seq"] == seqs[-1]
        seq = await happen(bus, "T1", SUBMITTED)
        assert (await heard.next())["seq"] == seq


async def test_a_log_that_stands_still_for_a_moment_is_asked_again(
    gateway: Gateway, bus: Bus, nats_server: Nats
) -> None:
    seqs = [await happen(bus, "T1", SUBMITTED), *await steps(bus, "T1", range(2, 5))]
    await heard_by_now(gateway, seqs[-1])
    async with gateway.socket() as socket:
        heard = Heard(socket)
        os.kill(nats_server.pid, signal.SIGSTOP)
        try:
            await heard.say(type="subscribe", topics=["task:T1"], after=0)
            await asyncio.sleep(SILENCE_S + 1)
        finally:
            os.kill(nats_server.pid, signal.SIGCONT)
        await heard.until("subscribed")
    assert [each["seq"] for each in heard.messages if each["type"].startswith("task.")] == seqs


async def test_output_comes_from_its_first_line_and_then_live(gateway: Gateway, bus: Bus) -> None:
    seqs = [await speak(bus, "T1", "plan", number) for number in range(700)]
    await speak(bus, "T2", "run", 0)
    async with gateway.socket() as socket:
        heard = Heard(socket)
        await heard.say(type="subscribe", topics=["output:T1"])
        await heard.until("subscribed")
        assert heard.seqs("task.output") == seqs
        assert heard.messages[0] == {
            "type": "task.output",
            "seq": seqs[0],
            "task_id": "T1",
            "actor": "plan",
            "chunk": {"type": "assistant", "number": 0},
        }
        live = await speak(bus, "T1", "run", 1)
        line = await heard.next()
        assert (line["seq"], line["actor"]) == (live, "run")


async def test_output_goes_on_behind_the_line_seen_last(gateway: Gateway, bus: Bus) -> None:
    seqs = [await speak(bus, "T1", "run", number) for number in range(20)]
    async with gateway.socket() as socket:
        heard = Heard(socket)
        await heard.say(type="subscribe", topics=["output:T1"], after=seqs[4])
        await heard.until("subscribed")
        assert heard.seqs("task.output") == seqs[5:]
        await heard.say(type="unsubscribe", topics=["output:T1"])
        await heard.say(type="ping")
        await heard.until("pong")
        await speak(bus, "T1", "run", 20)
        await heard.say(type="ping")
        assert (await heard.next())["type"] == "pong"


async def test_nothing_is_missed_while_nats_restarts(gateway: Gateway, nats_server: Nats, bus: Bus) -> None:
    async with gateway.socket() as socket:
        heard = Heard(socket)
        await heard.say(type="subscribe", topics=["tasks", "output:T1"])
        await heard.until("subscribed")
        before = await steps(bus, "T1", range(1, 4))
        await eventually(lambda: _hears(heard, before[-1]))
        await nats_server.kill()
        await nats_server.start()
        await eventually(lambda: bus.connected)
        after = await steps(bus, "T1", range(4, 8))
        line = await speak(bus, "T1", "run", 1)
        while len(heard.seqs("task.updated")) < 7 or not heard.seqs("task.output"):
            await heard.next(within=60)
        assert heard.seqs("task.updated") == before + after
        assert heard.seqs("task.output") == [line]


async def _hears(heard: Heard, seq: int) -> bool:
    return bool((await heard.next())["seq"] == seq)


async def test_a_slow_client_is_dropped_and_can_resume(gateway: Gateway, bus: Bus) -> None:
    narrow = plain.socket()
    narrow.setsockopt(plain.SOL_SOCKET, plain.SO_RCVBUF, 4096)
    narrow.connect(("127.0.0.1", int(gateway.url.rpartition(":")[2])))
    narrow.setblocking(False)
    async with gateway.socket(sock=narrow, max_queue=1, ping_interval=None) as socket:
        heard = Heard(socket)
        await heard.say(type="subscribe", topics=["tasks"])
        await heard.until("subscribed")
        message = task.InputGiven(message="x" * 3000)
        sent: list[int] = []
        for start in range(1, 4001, 200):
            numbers = range(start, start + 200)
            sent += sorted(await asyncio.gather(*[happen(bus, "T1", message, number) for number in numbers]))
        await heard_by_now(gateway, sent[-1])
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await heard.next()
        # On a slow machine the keep-alive may notice before the limit does, or the transport's own.
        assert closed.value.rcvd is None or closed.value.rcvd.code in (1013, 1011)
    seen = heard.seqs("task.updated")
    assert 0 < len(seen) < len(sent)
    async with gateway.socket() as socket:
        again = Heard(socket)
        await again.say(type="subscribe", topics=["tasks"], after=seen[-1])
        await again.until("subscribed", within=60)
        assert seen + again.seqs("task.updated") == sent


async def test_a_page_of_another_origin_gets_no_socket(gateway: Gateway) -> None:
    for origin in ("http://evil.example", "null"):
        with pytest.raises(InvalidStatus) as refused:
            async with gateway.socket(origin=origin):
                pass
        assert refused.value.response.status_code == 403
    async with gateway.socket(origin=gateway.url) as socket:
        await Heard(socket).say(type="ping")


async def test_what_is_no_message_is_answered_and_the_socket_stays(gateway: Gateway) -> None:
    async with gateway.socket() as socket:
        heard = Heard(socket)
        for text in ("", "{", "[]", '{"type":"nothing"}', '{"type":"subscribe"}', '{"type":"subscribe","topics":[1]}'):
            await socket.send(text)
            assert (await heard.next())["code"] == "message-unreadable"
        for topic in ("", "everything", "task:", "task:a.b", "output:>", "task:*"):
            await heard.say(type="subscribe", topics=[topic])
            assert (await heard.next())["code"] == "topic-unknown", topic
        await heard.say(type="subscribe", topics=[f"task:T{number}" for number in range(101)])
        assert (await heard.next())["code"] == "topics"
        await heard.say(type="task.approve", task_id="T1")
        assert (await heard.next())["code"] == "task-unknown"
        await heard.say(type="ping")
        assert (await heard.next())["type"] == "pong"


async def test_too_many_messages_and_too_large_ones_end_the_socket(gateway: Gateway) -> None:
    async with gateway.socket() as socket:
        heard = Heard(socket)
        with pytest.raises(ConnectionClosed) as closed:
            for _ in range(2000):
                await heard.say(type="ping")
                await heard.next()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
    async with gateway.socket() as socket:
        heard = Heard(socket)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.send("x" * 100_000)
            await heard.next()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


async def test_many_browsers_are_not_many_consumers(gateway: Gateway, bus: Bus) -> None:
    async def consumers() -> int:
        counts = [(await bus.js.stream_info(stream)).state.consumer_count for stream in ("EVENTS", "OUTPUT")]
        return int(sum(counts))

    seqs = await steps(bus, "T1", range(1, 4))
    await heard_by_now(gateway, seqs[-1])
    before = await consumers()
    async with contextlib.AsyncExitStack() as browsers:
        for _ in range(BROWSERS):
            heard = Heard(await browsers.enter_async_context(gateway.socket()))
            await heard.say(type="subscribe", topics=["tasks", "output:T1"], after=0)
            await heard.until("subscribed")
        # A feed that begins anew may leave its last consumer behind for a minute.
        assert await consumers() < before + BROWSERS


async def test_draining_tells_every_socket_to_come_again(gateway: Gateway) -> None:
    async with gateway.socket() as socket:
        heard = Heard(socket)
        await heard.say(type="subscribe", topics=["tasks"])
        await heard.until("subscribed")
        gateway.process.terminate()
        with pytest.raises(ConnectionClosed) as closed:
            await heard.next()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
    assert await asyncio.wait_for(gateway.process.wait(), 60) == 0
    assert "Traceback" not in gateway.errors.read_text()


async def test_the_agents_state_is_told(gateway: Gateway, bus: Bus) -> None:
    async with gateway.socket() as socket:
        heard = Heard(socket)
        await heard.say(type="subscribe", topics=["tasks"])
        await heard.until("subscribed")
        await happen(bus, "T1", plan.Claimed(draft=1, attempt=1, worker="w", session="s"))
        status = await heard.until("agent.status")
        assert (status["agent"], status["status"], status["task_id"]) == ("planner", "busy", "T1")
