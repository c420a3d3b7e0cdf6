"""What is said to a run reaches the process that works on it: in order, once for each process, on a real log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.executor.actors.run import DECIDER
from services.executor.inbox import Inbox
from shared.claude.conversation.converse import Answer, Input, Say
from shared.claude.role import load_role
from shared.claude.runner import Job
from shared.contracts import run
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.runtime.actor_host import ActorHost
from shared.runtime.watcher import supervised
from testing.eventually import eventually
from testing.system_fixtures import AGENTS

RUN = Actor("run", "T1")
REQUEST = run.Request(round=1, repo="a/b", base_commit="c" * 40, title="t", text="x", cause=1)
CLAIM = run.Claim(round=1, worker="w@here", session="s")
ASK = run.Ask(attempt=1, request_id="q1", question="Which?")


@pytest.fixture
async def host(bus: Bus) -> ActorHost:
    return ActorHost(NatsJournal(bus), [DECIDER], source="journeyman/executor")


@pytest.fixture
async def requested(host: ActorHost) -> RecordedEvent:
    """The event that asks for the work, which attempt 1 has claimed."""
    event = await host.report(RUN, REQUEST)
    assert event is not None
    await host.report(RUN, CLAIM)
    return event


@pytest.fixture
async def inbox(bus: Bus, host: ActorHost, requested: RecordedEvent) -> AsyncIterator[Inbox]:
    """That of attempt 1."""
    inbox = Inbox(NatsJournal(bus), requested, 1)

    async def tell(resumed: run.RecordResumed) -> None:
        await host.report(RUN, resumed)

    async with supervised(inbox.watch(), inbox.report_answers(tell)):
        yield inbox


def process_in(folder: Path) -> Job:
    return Job(RUN, load_role(AGENTS / "executor"), run_dir=folder, cwd=folder, session="s", prompt="p")


def heard_by(job: Job) -> list[Input]:
    return [job.inputs.get_nowait() for _ in range(job.inputs.qsize())]


async def say(host: ActorHost, message: str, cause: int) -> None:
    await host.report(RUN, run.GiveInput(message=message, cause=cause))


async def test_each_process_hears_what_was_said_before_it_began_and_what_comes(
    host: ActorHost, inbox: Inbox, tmp_path: Path
) -> None:
    first, second = process_in(tmp_path / "1"), process_in(tmp_path / "2")
    await say(host, "one", 2)
    await say(host, "two", 3)
    inbox.attach(first)
    await eventually(lambda: first.inputs.qsize() >= 2)
    inbox.attach(second)
    await say(host, "three", 4)
    await eventually(lambda: second.inputs.qsize() >= 3)
    said = [Say(f"T1:input:{number}", text) for number, text in enumerate(("one", "two", "three"), 1)]
    assert heard_by(first) == said[:2]
    assert heard_by(second) == said


async def test_an_answer_is_handed_over_and_reported_before_the_next_question(
    host: ActorHost, inbox: Inbox, tmp_path: Path
) -> None:
    job = process_in(tmp_path)
    inbox.attach(job)
    await host.report(RUN, ASK)
    await say(host, "red", 2)
    await eventually(lambda: job.inputs.qsize())
    await inbox.answers_reported()
    assert heard_by(job) == [Answer("q1", "red")]
    assert (await host.state(RUN)).status is run.Status.RUNNING


async def test_a_stop_ends_the_work_and_so_does_another_worker(host: ActorHost, inbox: Inbox) -> None:
    await host.report(RUN, run.Stop(cause=2))
    async with asyncio.timeout(30):
        await inbox.stop.wait()
    assert not inbox.lost
    await host.report(RUN, CLAIM)
    await eventually(lambda: inbox.lost)
