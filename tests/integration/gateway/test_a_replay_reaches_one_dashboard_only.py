"""`journeyman replay` with a real gateway: what its session is told, what it is answered, and that nothing else is."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from shared.contracts import run, task
from shared.nats.bus import Bus
from shared.nats.objects import Artifacts
from shared.runtime.replay import WATCH_S
from testing.eventually import eventually
from testing.nats import Nats
from testing.replay_process import ReplayProcess
from tests.integration.gateway.gateway_process import Gateway, Heard, happen, heard_by_now, speak

STREAMS = ("EVENTS", "COMMANDS", "OUTPUT", "TIMERS", "PARKED")


@pytest.fixture
async def log(bus: Bus) -> list[int]:
    """What happened to two tasks."""
    source = task.Source(kind="api")
    return [
        await happen(bus, "T1", task.Submitted(title="first", text="x", source=source)),
        await happen(bus, "T2", task.Submitted(title="second", text="x", source=source)),
        await happen(bus, "T1", task.TriageRequested(attempt=1), 2),
        await happen(bus, "T1", task.Cancelled(reason="enough"), 3),
        await happen(bus, "T2", task.TriageRequested(attempt=1), 2),
    ]


@contextlib.asynccontextmanager
async def watching(gateway: Gateway, replaying: ReplayProcess) -> AsyncIterator[Heard]:
    """A dashboard of the session; where it is has been said."""
    async with gateway.socket() as socket:
        heard = Heard(socket)
        await heard.say(type="subscribe", topics=[f"replay:{replaying.session}"])
        await heard.until("subscribed")
        yield heard


async def at_state(heard: Heard, state: str, within: float = 60.0) -> dict[str, Any]:
    async with asyncio.timeout(within):
        while True:
            moment = await heard.until("replay.moment", within=within)
            if moment["state"] == state:
                return moment


async def ends_of(bus: Bus) -> dict[str, tuple[int, int]]:
    """Of each stream its last sequence and how many it holds."""
    states = {stream: (await bus.js.stream_info(stream)).state for stream in STREAMS}
    return {stream: (state.last_seq, state.messages) for stream, state in states.items()}


async def test_history_is_told_to_its_session_alone_and_leaves_nothing_behind(
    gateway: Gateway, nats_server: Nats, bus: Bus, log: list[int]
) -> None:

    async def settled() -> bool:
        """The gateway has withdrawn what it might have published for the cancelled task, and nothing is told again."""
        reactor = await bus.js.consumer_info("EVENTS", "gateway-reactor")
        return (await ends_of(bus))["COMMANDS"] == (1, 0) and reactor.num_ack_pending == reactor.num_pending == 0

    await eventually(settled)
    await heard_by_now(gateway, log[-1])
    before = await ends_of(bus)
    elsewhere: list[str] = []

    async def overhear(message: Any) -> None:
        elsewhere.append(message.subject)

    await bus.nc.subscribe("evt.>", cb=overhear)
    await bus.nc.subscribe("cmd.>", cb=overhear)
    async with gateway.socket() as other, ReplayProcess(nats_server.url, "--from", "2", "--speed", "1000") as replaying:
        others = Heard(other)
        await others.say(type="subscribe", topics=["tasks"])
        await others.until("subscribed")
        assert replaying.told == [], "nothing is told before somebody is there"
        async with watching(gateway, replaying) as heard:
            done = await at_state(heard, "done")
            events = [each for each in heard.messages if each["type"].startswith("task.")]
            assert [(each["seq"], each["task_id"], each["event"]) for each in events] == [
                (log[1], "T2", "submitted"),
                (log[2], "T1", "triage-requested"),
                (log[3], "T1", "cancelled"),
                (log[4], "T2", "triage-requested"),
            ]
            assert (done["seq"], done["last"], done["speed"]) == (log[-1], log[-1], 1000)
            assert done["time"] == events[-1]["time"]
            await eventually(lambda: replaying.told == log[1:])
            await others.say(type="ping")
            assert (await others.next())["type"] == "pong", "a live dashboard heard nothing"
        assert await replaying.interrupt() == 0
    assert elsewhere == []
    assert await ends_of(bus) == before


async def test_every_answer_is_as_of_the_replays_moment(
    gateway: Gateway, nats_server: Nats, bus: Bus, log: list[int]
) -> None:
    diff = await Artifacts(bus).put("diff", b"--- a\n+++ b\n")
    await speak(bus, "T1", "run", 1)
    seq = await happen(bus, "T1", run.Succeeded(round=1, attempt=1, summary="s", diff=diff))
    await speak(bus, "T1", "run", 2)
    async with (
        gateway.http() as http,
        # Nobody watches it, so it does not move.
        ReplayProcess(nats_server.url) as first,
        ReplayProcess(nats_server.url, "--from", "4") as early,
        ReplayProcess(nats_server.url, "--from", str(seq), "--speed", "1000") as late,
    ):

        async def ask(path: str, replaying: ReplayProcess) -> httpx.Response:
            return await http.get(f"/api{path}", params={"replay": replaying.session})

        assert (await ask("/tasks", first)).json()["items"] == []
        assert (await ask("/tasks/T1", first)).status_code == 404
        assert (await ask("/tasks/T1/diff", first)).text == ""
        assert (await ask("/tasks/T1/transcript", first)).json()["items"] == []
        tasks = (await ask("/tasks", early)).json()
        assert [(each["id"], each["status"]) for each in tasks["items"]] == [("T2", "received"), ("T1", "received")]
        assert tasks["seq"] == log[2]
        assert (await ask("/tasks/T1", early)).json()["task"]["status"] == "received"
        timeline = (await ask("/tasks/T1/timeline", early)).json()
        assert [each["seq"] for each in timeline["items"]] == [log[0], log[2]]
        assert (await ask("/status", early)).json()["tasks"] == {"received": 2}
        assert (await ask("/tasks/T1/diff", early)).text == ""
        assert (await ask("/tasks/T1/transcript", early)).json()["items"] == []
        async with watching(gateway, late) as heard:
            await at_state(heard, "done")
        assert (await ask("/tasks/T1", late)).json()["task"]["status"] == "cancelled"
        assert (await ask("/tasks/T1/diff", late)).text == "--- a\n+++ b\n"
        lines = (await ask("/tasks/T1/transcript", late)).json()["items"]
        assert [each["line"]["number"] for each in lines] == [1], "the second line came later"
        page = await http.get("/api/tasks", params={"replay": late.session, "min_seq": seq + 1})
        assert (page.status_code, page.json()["code"]) == (503, "not-caught-up")


async def test_a_replay_that_stands_still_for_a_moment_is_waited_for(
    gateway: Gateway, nats_server: Nats, log: list[int]
) -> None:
    async with ReplayProcess(nats_server.url, "--speed", "1000") as replaying, gateway.socket() as socket:
        heard = Heard(socket)
        replaying.process.send_signal(signal.SIGSTOP)
        try:
            await heard.say(type="subscribe", topics=[f"replay:{replaying.session}"])
            await asyncio.sleep(WATCH_S + 1)
        finally:
            replaying.process.send_signal(signal.SIGCONT)
        await heard.until("subscribed")
        await at_state(heard, "done")
    assert [each["seq"] for each in heard.messages if each["type"].startswith("task.")] == log


async def test_either_side_notices_that_the_other_is_gone(
    gateway: Gateway, nats_server: Nats, bus: Bus, log: list[int]
) -> None:
    async with (
        ReplayProcess(nats_server.url, "--speed", "1000") as left_alone,
        ReplayProcess(nats_server.url, "--speed", "1000") as killed,
        watching(gateway, killed) as heard,
    ):
        async with watching(gateway, left_alone) as leaving:
            await at_state(leaving, "done")
        await at_state(heard, "done")
        killed.process.kill()
        assert (await at_state(heard, "over"))["seq"] == log[-1]
        assert await left_alone.ended() == 0
        assert "The dashboard is gone" in left_alone.said
        await heard.say(type="ping")
        assert (await heard.next())["type"] == "pong", "the socket stays"
    async with gateway.http() as http:
        answer = await http.get("/api/tasks", params={"replay": left_alone.session})
        assert (answer.status_code, answer.json()["code"]) == (410, "replay-over")


async def test_a_dashboard_hears_at_once_that_its_replay_was_ended(
    gateway: Gateway, nats_server: Nats, log: list[int]
) -> None:
    async with (
        ReplayProcess(nats_server.url, "--speed", "0.000001") as replaying,
        watching(gateway, replaying) as heard,
    ):
        await eventually(lambda: replaying.told[:1] == [log[0]])
        assert await replaying.interrupt() == 0, "in the middle of a pause"
        assert (await at_state(heard, "over"))["seq"] == replaying.told[-1] < log[-1]


async def test_nothing_can_be_done_in_a_replay_and_there_is_none_without_its_command(
    gateway: Gateway, nats_server: Nats, bus: Bus, log: list[int]
) -> None:
    async with ReplayProcess(nats_server.url, "--task", "T2", "--speed", "1000") as replaying:
        assert replaying.page.startswith("/tasks/T2?")
        async with watching(gateway, replaying) as heard:
            await heard.say(type="task.stop", task_id="T2")
            assert (await heard.until("error"))["code"] == "replay"
            await eventually(lambda: replaying.told == [log[1], log[4]])
    async with gateway.socket() as socket:
        heard = Heard(socket)
        for session in (replaying.session, "r0123456789abcdef", "*", "a.b", ""):
            await heard.say(type="subscribe", topics=[f"replay:{session}"])
            assert (await heard.next())["code"] == "replay-over", session
        await heard.say(type="subscribe", topics=["tasks", f"replay:{replaying.session}"])
        assert (await heard.next())["code"] == "topic-unknown"

    async def no_more_than_the_gateways_own() -> bool:
        return (await ends_of(bus))["COMMANDS"][0] == 1

    await eventually(no_more_than_the_gateways_own)
