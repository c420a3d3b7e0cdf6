"""`nats req req.task.<id>.approve` says what became of the command: its event, or why it was refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.brain.actors import task as task_actor
from shared.contracts.ids import new_task_id
from shared.contracts.subjects import Actor
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.nats.streams import COMMANDS, PARKED, extent_of
from shared.runtime import command_requests
from shared.runtime.actor_host import ActorHost
from shared.runtime.client import Client
from shared.runtime.command_requests import CommandRequests
from shared.runtime.mailbox import Mailboxes
from testing.eventually import eventually
from testing.nats import Nats
from testing.nats_cli import NatsCli

SUBMIT = b'{"title": "t", "text": "x", "source": {"kind": "test"}}'


@asynccontextmanager
async def answering(bus: Bus) -> AsyncIterator[CommandRequests]:
    """A brain's mailboxes, and what answers requests for them."""
    host = ActorHost(NatsJournal(bus), [task_actor.DECIDER], source="journeyman/test")
    boxes = Mailboxes(bus, host, service="brain")
    requests = CommandRequests(bus, Client(bus, source="journeyman/brain"), service="brain", kinds=host.kinds)
    running = [asyncio.create_task(run()) for run in (*(pull.run for pull in boxes.pulls), requests.run)]
    await asyncio.sleep(0)
    await bus.nc.flush()
    try:
        yield requests
    finally:
        for drain in (requests.drain, *(pull.drain for pull in boxes.pulls)):
            drain()
        await asyncio.wait_for(asyncio.gather(*running), 60)


async def ask(bus: Bus, subject: str, body: bytes = b"", **headers: str) -> dict[str, Any]:
    message = await bus.nc.request(subject, body, timeout=30, headers=headers or None)
    answer: dict[str, Any] = msgspec.json.decode(message.data)
    return answer


async def test_the_plain_nats_command_gets_the_event_or_the_refusal(
    bus: Bus, nats_server: Nats, tmp_path: Path
) -> None:
    nats, id = NatsCli(nats_server.url, tmp_path), new_task_id()
    async with answering(bus):
        made = msgspec.json.decode(await nats.run("req", f"req.task.{id}.submit", SUBMIT.decode(), "--raw"))
        no = msgspec.json.decode(await nats.run("req", f"req.task.{id}.approve", '{"version":1,"digest":"x"}', "--raw"))
    (event,) = await NatsJournal(bus).load(Actor("task", id))
    assert (made["ok"], made["event"]["type"], made["position"]) == (True, "task.submitted", event.position)
    assert event.principal == "nats:operator"
    assert no["ok"] is False
    assert no["code"] and "plan" in no["sentence"]


@pytest.mark.parametrize(
    ("verb", "body", "said"),
    [
        ("approve", b'{"version":1,"digest":"x","budget_microusds":1}', "did you mean budget_microusd?"),
        ("stop", b'{"please":true}', "has no field 'please': it takes: "),
        ("approve", b"no json", "does not fit"),
        ("levitate", b"", "A task takes no command 'levitate'"),
    ],
)
async def test_what_cannot_be_read_is_refused_and_neither_stored_nor_parked(
    bus: Bus, verb: str, body: bytes, said: str
) -> None:
    async with answering(bus):
        refused = await ask(bus, f"req.task.T1.{verb}", body)
    assert (refused["ok"], refused["code"]) == (False, "command-invalid")
    assert said in refused["sentence"]
    assert [(await extent_of(bus, stream)).last for stream in (COMMANDS, PARKED)] == [0, 0]


async def test_a_field_that_is_misspelt_is_parked_where_nobody_waits_for_an_answer(bus: Bus) -> None:
    async with answering(bus):
        await bus.publish("cmd.task.T1.stop", b'{"reasn":"x"}', {})
        await eventually(lambda: _one_is_parked(bus))
    assert await NatsJournal(bus).load(Actor("task", "T1")) == []


async def _one_is_parked(bus: Bus) -> bool:
    return (await extent_of(bus, PARKED)).messages == 1


async def test_the_one_who_asks_is_named_and_asking_twice_under_one_id_does_it_once(bus: Bus) -> None:
    stamp = {"Journeyman-Principal": "user:ada", "Nats-Msg-Id": "mine"}
    async with answering(bus):
        await ask(bus, "req.task.T1.submit", SUBMIT, **stamp)
    (event,) = await NatsJournal(bus).load(Actor("task", "T1"))
    assert (event.principal, event.causation_id) == ("user:ada", "mine")


async def test_more_requests_than_fit_are_told_to_come_again_and_none_publishes_elsewhere(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_requests, "AT_ONCE", 0)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(answering(bus))
        assert (await ask(bus, "req.task.T1.stop"))["code"] == "busy"
        monkeypatch.undo()
        # A reply subject may be anything: only inboxes are answered.
        await bus.nc.publish("req.task.T1.stop", b"", reply="parked.x")
        await ask(bus, "req.task.T2.stop")
    assert (await extent_of(bus, PARKED)).last == 0
