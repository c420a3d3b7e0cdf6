"""With nothing but the plain `nats` command one can follow a task and drive it."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio.subprocess import Process
from pathlib import Path
from typing import Final

import msgspec
import pytest

from testing.api_client import ApiClient, issue, names_of
from testing.eventually import eventually
from testing.nats_cli import NatsCli
from testing.system import System

pytestmark = pytest.mark.xdist_group("system")


PROBE: Final = b"Does anybody hear this?"


async def hears(api_client: ApiClient, following: Process, id: str) -> bool:
    """Whether the subscription is there: a message that the log itself refuses comes through."""
    refused = {"Nats-Expected-Last-Sequence": "999999999"}
    await api_client.bus.nc.publish(f"evt.nobody.{id}.probe", PROBE, headers=refused)
    assert following.stdout is not None
    with contextlib.suppress(TimeoutError):
        return await asyncio.wait_for(following.stdout.readline(), 1) != b""
    return False


async def test_one_subject_shows_every_event_of_a_task_and_a_plan_is_approved_by_hand(
    api_client: ApiClient, system: System, tmp_path: Path
) -> None:
    nats = NatsCli(system.nats, tmp_path)
    payload, id = issue("Take a note", "@agent plan\n\nWrite down what a bill is.", number=201)
    following = await nats.start("sub", f"evt.*.{id}.>", "--raw")
    try:
        # A subscription hears what comes after it: the server must have it before the issue comes.
        await eventually(lambda: hears(api_client, following, id))
        assert (await api_client.deliver(payload)).is_success
        ready = await api_client.until(id, "task.plan-ready")
        bound = msgspec.json.encode({"version": ready.data.version, "digest": ready.data.digest}).decode()
        stale = await nats.run("req", f"req.task.{id}.approve", '{"version": 9, "digest": "deadbeef"}', "--raw")
        assert not msgspec.json.decode(stale)["ok"]
        await nats.run("pub", f"cmd.task.{id}.approve", bound)
        await api_client.completed(id)
        story = await api_client.story(id)
        assert following.stdout is not None
        # What was refused is heard as well, and twice what was sent again because no acknowledgement had come.
        stored = [event.raw for event in story]
        heard: list[bytes] = []
        while not set(stored) <= set(heard):
            heard.append((await asyncio.wait_for(following.stdout.readline(), 60)).rstrip(b"\n"))
    finally:
        following.terminate()
        await following.wait()
    assert [line for line in dict.fromkeys(heard) if line in stored] == stored
    assert {event.kind for event in story} == {"task", "plan", "run", "reply"}
    approved = story[names_of(story).index("task.approved")]
    assert approved.principal == "nats:operator"
    assert approved.data.plan.digest == ready.data.digest
