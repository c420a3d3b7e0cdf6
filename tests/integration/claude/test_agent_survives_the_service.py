"""A run outlives the service that started it; another service, or another machine, goes on."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from shared.claude.conversation.converse import AgentLimits, Answer, Input, Prompt, Question, TurnEnd, converse
from shared.claude.conversation.transcript import pack_session, restore_session, session_file
from shared.claude.demo.model import DemoModel
from shared.claude.process.process import AgentProcess, Line
from shared.claude.role import AgentRole
from shared.contracts.usage import add_usage
from testing.eventually import eventually
from tests.integration.claude.agent_runs import Runs

ROOT = Path(__file__).parents[3]
PROMPT = Prompt("long", "demo: turns 8\ndemo: write done.txt yes")

# What a service does: it starts the agent and says on stdout which lines it has handled.
SERVICE = """
import asyncio, pickle, sys
from shared.claude.process.process import AgentProcess
from shared.claude.conversation.converse import Prompt, converse

async def main():
    invocation = pickle.load(sys.stdin.buffer)
    process = await AgentProcess.start(invocation)
    async def on_line(line):
        sys.stdout.buffer.write(b"%d %s\\n" % (line.end, line.raw))
        sys.stdout.buffer.flush()
    await converse(process, prompt=Prompt("long", sys.argv[1]), on_line=on_line)

asyncio.run(main())
"""


async def test_an_agent_that_could_not_be_started_is_not_taken_for_one_that_was_killed(
    runs: Runs, tmp_path: Path
) -> None:
    invocation = msgspec.structs.replace(runs.invocation(), cwd=tmp_path / "gone")
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            await AgentProcess.start(invocation)
        assert not AgentProcess.exists(invocation.run_dir)


async def test_after_kill_9_of_the_service_another_one_reads_on_where_it_was_and_ends_the_run(
    runs: Runs, model: DemoModel, repository: Path, tmp_path: Path
) -> None:
    invocation = runs.invocation(inherited={"PATH": os.environ["PATH"]})
    handled = tmp_path / "handled"
    with handled.open("wb") as output:
        service = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SERVICE, PROMPT.text, stdin=subprocess.PIPE, stdout=output, cwd=ROOT
        )
        assert service.stdin is not None
        service.stdin.write(pickle.dumps(invocation))
        service.stdin.close()
        await eventually(lambda: handled.read_bytes().count(b'"type":"tool_result"') >= 3, within=60)
        service.send_signal(signal.SIGKILL)
        await service.wait()

    *first, _ = handled.read_bytes().split(b"\n")
    offset = int(first[-1].split(b" ", 1)[0])
    process = AgentProcess.attach(invocation.run_dir)
    assert process.alive, "the agent works on without its service"
    rest: list[Line] = []
    turns: list[TurnEnd] = []

    async def on_line(line: Line) -> None:
        rest.append(line)

    async def on_turn(turn: TurnEnd) -> None:
        turns.append(turn)

    outcome = await converse(process, prompt=PROMPT, offset=offset, on_line=on_line, on_turn=on_turn)

    assert outcome.ok, outcome
    assert rest[0].offset == offset
    seen = [line.split(b" ", 1)[1] for line in first] + [line.raw for line in rest]
    assert seen == process.stdout.read_bytes().splitlines()
    assert len(turns) == 1, "the prompt was heard once"
    assert (repository / "done.txt").read_text() == "yes\n"
    assert sum(usage.output_tokens for usage in outcome.usage) == sum(each.output_tokens for each in model.requests)


async def test_an_agent_that_ended_while_nobody_watched_is_judged_all_the_same(runs: Runs) -> None:
    process = await AgentProcess.start(runs.invocation())
    prompt = Prompt("unwatched", "demo: write a.txt b")
    await process.send(prompt.text, prompt.message_id)
    await eventually(lambda: b'"type":"result"' in process.stdout.read_bytes(), within=60)
    await process.end()
    await process.wait()

    again = AgentProcess.attach(process.run_dir)
    turns: list[TurnEnd] = []

    async def on_turn(turn: TurnEnd) -> None:
        turns.append(turn)

    outcome = await converse(again, prompt=prompt, on_turn=on_turn)
    assert outcome.ok, outcome
    assert len(turns) == 1


async def test_a_session_that_was_packed_is_resumed_on_another_machine_and_costs_add_up(
    runs: Runs, tmp_path: Path
) -> None:
    invocation = runs.invocation()
    first = await converse(
        await AgentProcess.start(invocation), prompt=Prompt("one", "demo: turns 2\ndemo: write one.txt 1")
    )
    assert first.ok, first
    packed = pack_session(invocation.config_dir, invocation.session_id)
    assert packed == pack_session(invocation.config_dir, invocation.session_id)

    elsewhere, worktree = tmp_path / "other-config", tmp_path / "other_worktree.2"
    worktree.mkdir()
    assert session_file(elsewhere, invocation.session_id) is None
    assert restore_session(elsewhere, worktree, packed) == invocation.session_id
    assert session_file(elsewhere, invocation.session_id) is not None
    process = await AgentProcess.start(
        runs.invocation(session_id=invocation.session_id, resume=True, config_dir=elsewhere, cwd=worktree)
    )
    second = await converse(process, prompt=Prompt("two", "demo: write two.txt 2"))

    assert second.ok, second
    assert second.session_id == first.session_id
    assert (worktree / "two.txt").read_text() == "2\n"
    results = [json.loads(line) for line in process.stdout.read_bytes().splitlines() if b'"type":"result"' in line]
    session_total = round(results[-1]["total_cost_usd"] * 1_000_000)
    assert abs(session_total - sum(usage.cost_microusd for usage in add_usage(first.usage, second.usage))) <= 2


async def test_a_question_still_open_when_the_service_left_is_asked_again_by_the_next_one(
    runs: Runs, agents: dict[str, AgentRole]
) -> None:
    asking = msgspec.structs.replace(agents["executor"], tools=(*agents["executor"].tools, "AskUserQuestion"))
    process = await AgentProcess.start(runs.invocation(agent=asking))
    prompt = Prompt("ask", "demo: ask Shall I?\ndemo: write a.txt b")
    asked: asyncio.Queue[Question] = asyncio.Queue()
    leaving = asyncio.create_task(converse(process, prompt=prompt, on_question=asked.put))
    first = await asyncio.wait_for(asked.get(), 60)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    assert process.alive, "leaving is not stopping"

    inputs: asyncio.Queue[Input] = asyncio.Queue()
    staying = asyncio.create_task(
        converse(AgentProcess.attach(process.run_dir), prompt=prompt, inputs=inputs, on_question=asked.put)
    )
    again = await asyncio.wait_for(asked.get(), 60)
    inputs.put_nowait(Answer(again.request_id, {"Shall I?": "Yes"}))
    outcome = await staying

    assert outcome.ok, outcome
    assert again == first
    assert '"Shall I?"="Yes"' in outcome.text


async def test_an_answer_told_again_to_the_next_service_settles_the_question_without_asking(
    runs: Runs, agents: dict[str, AgentRole]
) -> None:
    asking = msgspec.structs.replace(agents["executor"], tools=(*agents["executor"].tools, "AskUserQuestion"))
    process = await AgentProcess.start(runs.invocation(agent=asking))
    prompt = Prompt("ask", "demo: ask Shall I?\ndemo: write a.txt b")
    asked: asyncio.Queue[Question] = asyncio.Queue()
    leaving = asyncio.create_task(converse(process, prompt=prompt, on_question=asked.put))
    question = await asyncio.wait_for(asked.get(), 60)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)

    inputs: asyncio.Queue[Input] = asyncio.Queue()
    inputs.put_nowait(Answer(question.request_id, "No"))
    outcome = await converse(AgentProcess.attach(process.run_dir), prompt=prompt, inputs=inputs, on_question=asked.put)

    assert outcome.ok, outcome
    assert asked.empty()
    assert '"Shall I?"="No"' in outcome.text


async def test_a_resumed_session_works_on_a_prompt_it_has_heard_before(runs: Runs) -> None:
    invocation = runs.invocation()
    prompt = Prompt("same", "demo: write a.txt b")
    first = await converse(await AgentProcess.start(invocation), prompt=prompt)
    again = runs.invocation(session_id=invocation.session_id, resume=True)
    second = await converse(await AgentProcess.start(again), prompt=prompt, limits=AgentLimits(silence_s=90))

    assert (first.code, second.code) == ("ok", "ok")
    assert second.usage
