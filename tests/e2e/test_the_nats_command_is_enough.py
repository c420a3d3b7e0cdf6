"""With nothing but the plain `nats` command one can follow a task and drive it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from tests.support.natscli import NatsCli
from tests.support.system import System
from tests.support.visitor import Visitor, issue, names_of

pytestmark = pytest.mark.xdist_group("system")


async def test_one_subject_shows_every_event_of_a_task_and_a_plan_is_approved_by_hand(
    visitor: Visitor, system: System, tmp_path: Path
) -> None:
    nats = NatsCli(system.nats, tmp_path)
    payload, id = issue("Take a note", "@agent plan\n\nWrite down what a bill is.", number=201)
    following = await nats.start("sub", f"evt.*.{id}.>", "--raw")
    try:
        # A subscription hears what comes after it: the server must have it before the issue comes.
        await nats.run("pub", f"evt.nobody.{id}", "")
        await asyncio.sleep(0.3)
        assert (await visitor.deliver(payload)).status_code == 202
        ready = await visitor.until(id, "task.plan-ready")
        bound = msgspec.json.encode({"version": ready.data.version, "digest": ready.data.digest}).decode()
        await nats.run("pub", f"cmd.task.{id}.approve", bound)
        await visitor.completed(id)
        story = await visitor.story(id)
        assert following.stdout is not None
        heard = [await asyncio.wait_for(following.stdout.readline(), 40) for _ in story]
    finally:
        following.terminate()
        await following.wait()
    assert [line.rstrip(b"\n") for line in heard] == [event.raw for event in story]
    assert {event.kind for event in story} == {"task", "plan", "run", "reply"}
    approved = story[names_of(story).index("task.approved")]
    assert approved.principal == "user:nats"
    assert approved.data.plan.digest == ready.data.digest
