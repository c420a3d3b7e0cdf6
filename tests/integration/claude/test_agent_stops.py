"""However a run ends, nothing of it is left, and the outcome says why."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from shared.claude.conversation.converse import AgentLimits, Prompt, converse
from shared.claude.demo.model import DemoModel
from shared.claude.process.process import AgentGone, AgentProcess, Rung
from shared.claude.process.reaper import marked
from testing.eventually import eventually
from tests.integration.claude.agent_runs import Runs

GONE_S = 5.0
STALL_S = 15.0
"""How long a machine that others use may stand still, in the middle of that."""


async def test_stop_leaves_no_process_not_even_in_sessions_of_their_own(runs: Runs) -> None:
    invocation = runs.invocation()
    process = await AgentProcess.start(invocation)
    stop = asyncio.Event()
    running = asyncio.create_task(converse(process, prompt=Prompt("spawn", "demo: spawn-children"), stop=stop))
    await eventually(lambda: len(_napping(invocation.mark)) >= 3)

    began = time.monotonic()
    stop.set()
    outcome = await running

    assert outcome.code == "agent-interrupted"
    assert marked(invocation.mark) == []
    assert time.monotonic() - began < GONE_S + STALL_S
    assert outcome.usage, "what was spent before the stop is known"


async def test_a_child_that_the_agent_leaves_behind_is_gone_after_a_normal_end(runs: Runs) -> None:
    invocation = runs.invocation()
    process = await AgentProcess.start(invocation)
    outcome = await converse(process, prompt=Prompt("leave", "demo: leave-child\ndemo: write a.txt b"))

    assert outcome.ok, outcome
    assert marked(invocation.mark) == []


async def test_a_model_that_falls_silent_is_noticed(runs: Runs) -> None:
    process = await AgentProcess.start(runs.invocation())
    outcome = await converse(process, prompt=Prompt("hang", "demo: hang"), limits=AgentLimits(silence_s=4))

    assert outcome.code == "agent-silent"
    assert not process.alive


async def test_a_run_over_its_time_is_ended(runs: Runs, model: DemoModel) -> None:
    process = await AgentProcess.start(runs.invocation())
    outcome = await converse(process, prompt=Prompt("late", "demo: sleep 60"), limits=AgentLimits(timeout_s=4))

    assert outcome.code == "agent-timeout"
    assert not process.alive


async def test_a_refused_key_ends_the_run_at_the_first_refusal(runs: Runs, model: DemoModel) -> None:
    process = await AgentProcess.start(runs.invocation(max_retries=10))
    outcome = await converse(process, prompt=Prompt("auth", "demo: fail 401"))

    assert outcome.code == "agent-auth"
    assert "ANTHROPIC_API_KEY" in outcome.message
    assert model.count <= 3


async def test_a_killed_cli_is_named_so_and_what_it_spent_is_known(runs: Runs, model: DemoModel) -> None:
    invocation = runs.invocation()
    process = await AgentProcess.start(invocation)
    running = asyncio.create_task(converse(process, prompt=Prompt("kill", "demo: spawn-children")))
    await eventually(lambda: len(_napping(invocation.mark)) >= 3)
    cli = next(pid for pid in marked(invocation.mark) if _command(pid)[:1] == [str(invocation.cli).encode()])
    os.kill(cli, signal.SIGKILL)
    outcome = await running

    assert outcome.code == "agent-killed"
    assert marked(invocation.mark) == []
    (usage,) = outcome.usage
    assert usage.output_tokens == model.requests[0].output_tokens
    assert usage.cost_microusd > 0


async def test_no_secret_of_the_service_reaches_what_the_agent_runs(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "canary-4711")
    monkeypatch.setenv("JOURNEYMAN_SECRET_KEY", "canary-4711")
    monkeypatch.setenv("HTTPS_PROXY", "http://ada:canary-4711@proxy.example:3128")
    invocation = runs.invocation(inherited=os.environ)
    process = await AgentProcess.start(invocation)
    running = asyncio.create_task(converse(process, prompt=Prompt("nap", "demo: spawn-children")))
    await eventually(lambda: len(_napping(invocation.mark)) >= 3)

    environments = [_environment(pid) for pid in marked(invocation.mark)]
    await process.stop()
    await running

    assert sum(map(bool, environments)) >= 5
    assert not [each for each in environments if b"canary" in each]


async def test_a_stop_that_comes_before_the_first_line_is_heard(runs: Runs) -> None:
    invocation = runs.invocation()
    stop = asyncio.Event()
    stop.set()
    process = await AgentProcess.start(invocation)
    outcome = await converse(process, prompt=Prompt("early", "demo: sleep 60"), stop=stop)

    assert outcome.code == "agent-interrupted"
    assert marked(invocation.mark) == []


async def test_stopping_an_ended_run_is_harmless_and_it_takes_no_more_input(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However slowly it leaves, it is not hurried.
    monkeypatch.setattr("shared.claude.conversation.state._LEAVE_S", 60.0)
    process = await AgentProcess.start(runs.invocation())
    outcome = await converse(process, prompt=Prompt("short", "demo: write a.txt b"))
    report = await process.stop()

    assert outcome.ok
    assert (report.rung, report.exit_code, report.swept) == (Rung.ALREADY_ENDED, 0, 0)
    with pytest.raises(AgentGone):
        await process.send("hello?", "late")


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def _napping(mark: str) -> list[int]:
    return [pid for pid in marked(mark) if _command(pid)[1:] == [b"-c", b"import time; time.sleep(600)", b""]]


def _command(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []
