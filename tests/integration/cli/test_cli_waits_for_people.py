"""A person may take as long as they like to answer, and Ctrl-C ends a question at the first time."""

from __future__ import annotations

import ast
import asyncio
import json
import urllib.request
from pathlib import Path
from typing import Any

import msgspec
import pytest
from nats.aio.msg import Msg

from shared.contracts import task
from shared.contracts.subjects import Actor, output_subject
from shared.nats.bus import Bus
from shared.nats.direct import get_batch
from shared.nats.streams import COMMANDS
from testing.eventually import eventually
from testing.nats import Nats
from testing.terminal import StartTerminal, Terminal
from tests.integration.gateway.gateway_process import happen
from tests.unit.projector.projector_support import TASK, answered, planned, projected

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
async def asked(terminal: StartTerminal, bus: Bus, nats_server: Nats) -> Terminal:
    """`task approve` with its plan on the screen, waiting for an answer."""
    answer = msgspec.json.encode(answered(projected(planned()), "tasks.get", id=TASK))

    async def respond(message: Msg) -> None:
        await message.respond(answer)

    await bus.nc.subscribe("qry.tasks.get", cb=respond)
    await bus.nc.flush()
    started: Terminal = await terminal("task", "approve", TASK, JOURNEYMAN_NATS_URL=nats_server.url)
    await started.shows("[y/N]")
    return started


def names_of_clients(nats: Nats) -> list[str]:
    with urllib.request.urlopen(f"http://127.0.0.1:{nats.monitor}/connz", timeout=30) as answer:
        return [each.get("name", "") for each in json.load(answer)["connections"]]


async def test_while_a_plan_is_read_nothing_is_open_that_could_lapse_and_then_exactly_that_plan_is_approved(
    asked: Terminal, bus: Bus, nats_server: Nats
) -> None:
    assert "journeyman-cli" not in await asyncio.to_thread(names_of_clients, nats_server)
    asked.type("y\n")

    async def approval() -> Any:
        sent = await get_batch(bus, COMMANDS, f"cmd.*.task.{TASK}.approve", start=1, limit=1)
        return sent.messages and msgspec.json.decode(sent.messages[0].data)["data"]

    assert (await eventually(approval))["version"] == 1


async def test_ctrl_c_ends_the_question_the_first_time(asked: Terminal, bus: Bus) -> None:
    asked.type("\x03")
    assert await asyncio.wait_for(asked.process.wait(), 30) == 130
    assert "Traceback" not in asked.shown
    sent = await get_batch(bus, COMMANDS, f"cmd.*.task.{TASK}.approve", start=1, limit=1)
    assert not sent.messages


async def test_ctrl_c_leaves_a_task_alone_that_is_waited_for(
    terminal: StartTerminal, bus: Bus, nats_server: Nats
) -> None:
    await happen(bus, TASK, task.Submitted(title="Fix it", text="x", source=task.Source(kind="cli")))
    said = {"type": "assistant", "message": {"content": [{"type": "text", "text": "Hello"}]}}

    async def speak() -> None:
        """What was said before somebody looks is not told."""
        while True:
            await bus.publish(output_subject(Actor("run", TASK)), msgspec.json.encode(said), {})
            await asyncio.sleep(0.2)

    waiting: Terminal = await terminal("task", "wait", TASK[-6:], JOURNEYMAN_NATS_URL=nats_server.url)
    speaking = asyncio.create_task(speak())
    await waiting.shows("Hello")
    speaking.cancel()
    waiting.type("\x03")
    await waiting.shows("The task goes on")
    assert await asyncio.wait_for(waiting.process.wait(), 30) == 130


def test_no_coroutine_asks_a_person() -> None:
    asks = {"confirm", "prompt", "getchar", "pause", "input"}
    found = []
    for file in sorted((ROOT / "cli").rglob("*.py")):
        for function in ast.walk(ast.parse(file.read_text())):
            if isinstance(function, ast.AsyncFunctionDef):
                names = {ast.unparse(each.func) for each in ast.walk(function) if isinstance(each, ast.Call)}
                if any(name.rpartition(".")[2] in asks for name in names):
                    found.append(f"{file.name}: {function.name}")
    assert found == []
