"""People can speak to a working agent, and be asked by it."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from shared.claude.conversation.converse import Answer, Input, Prompt, Question, Say, Step, TurnEnd, converse
from shared.claude.process.process import AgentProcess, Rung
from shared.claude.role import AgentRole
from tests.integration.claude.agent_runs import Runs


async def test_a_message_sent_while_the_agent_works_reaches_it_in_the_same_run(runs: Runs) -> None:
    inputs: asyncio.Queue[Input] = asyncio.Queue()

    async def on_step(step: Step) -> bool:
        if step.number == 1:
            inputs.put_nowait(Say("banana", "Please mention bananas."))
            inputs.put_nowait(Say("banana", "Please mention bananas."))
        return False

    process = await AgentProcess.start(runs.invocation())
    prompt = Prompt("work", "demo: turns 6\ndemo: write a.txt b")
    outcome = await converse(process, prompt=prompt, inputs=inputs, on_step=on_step)

    assert outcome.ok, outcome
    assert outcome.unheard == ()
    assert outcome.text.count("mention bananas") == 1


async def test_a_message_that_waits_when_the_turn_ends_gets_its_own_turn(runs: Runs) -> None:
    inputs: asyncio.Queue[Input] = asyncio.Queue()
    texts: list[str] = []

    async def on_turn(turn: TurnEnd) -> None:
        texts.append(turn.text)
        if len(texts) == 1:
            inputs.put_nowait(Say("second", "demo: write two.txt 2"))

    process = await AgentProcess.start(runs.invocation())
    outcome = await converse(process, prompt=Prompt("first", "demo: write one.txt 1"), inputs=inputs, on_turn=on_turn)

    assert outcome.ok, outcome
    assert ["one.txt" in texts[0], "two.txt" in texts[1]] == [True, True]


async def test_words_that_look_like_a_command_of_the_cli_reach_the_agent_as_words(runs: Runs) -> None:
    said = ["/clear", "/compact", "/cost", "/nosuch thing", "!ls", "#x", "@README.md"]
    inputs: asyncio.Queue[Input] = asyncio.Queue()
    heard: list[str] = []

    async def on_turn(turn: TurnEnd) -> None:
        heard.append(turn.text)
        if len(heard) < len(said):
            inputs.put_nowait(Say(f"word-{len(heard)}", said[len(heard)]))

    process = await AgentProcess.start(runs.invocation())
    outcome = await converse(process, prompt=Prompt("word-0", said[0]), inputs=inputs, on_turn=on_turn)

    assert outcome.ok, outcome
    assert outcome.unheard == ()
    assert [text for text, words in zip(heard, said, strict=True) if words.lstrip("#") not in text] == []


async def test_a_command_of_the_cli_sent_while_the_agent_works_reaches_it_as_words(runs: Runs) -> None:
    inputs: asyncio.Queue[Input] = asyncio.Queue()

    async def on_step(step: Step) -> bool:
        if step.number == 1:
            inputs.put_nowait(Say("clear", "/clear the table."))
        return False

    process = await AgentProcess.start(runs.invocation())
    outcome = await converse(process, prompt=Prompt("work", "demo: turns 6"), inputs=inputs, on_step=on_step)

    assert outcome.ok, outcome
    assert outcome.unheard == ()
    assert "clear the table" in outcome.text


async def test_a_question_is_put_to_a_person_and_the_answer_reaches_the_agent(
    runs: Runs, agents: dict[str, AgentRole]
) -> None:
    asking = msgspec.structs.replace(agents["executor"], tools=(*agents["executor"].tools, "AskUserQuestion"))
    inputs: asyncio.Queue[Input] = asyncio.Queue()
    asked: list[Question] = []

    async def on_question(question: Question) -> None:
        asked.append(question)
        inputs.put_nowait(Answer(question.request_id, "No"))

    process = await AgentProcess.start(runs.invocation(agent=asking))
    prompt = Prompt("ask", "demo: ask Shall I use floats?\ndemo: write a.txt b")
    outcome = await converse(process, prompt=prompt, inputs=inputs, on_question=on_question)

    assert outcome.ok, outcome
    assert [question.questions for question in asked] == [("Shall I use floats?",)]
    assert asked[0].options == (("Yes", "No"),)
    assert '"Shall I use floats?"="No"' in outcome.text


async def test_a_question_nobody_can_answer_does_not_hold_the_agent_up(
    runs: Runs, agents: dict[str, AgentRole]
) -> None:
    asking = msgspec.structs.replace(agents["executor"], tools=(*agents["executor"].tools, "AskUserQuestion"))
    process = await AgentProcess.start(runs.invocation(agent=asking))
    outcome = await converse(process, prompt=Prompt("ask", "demo: ask Shall I?\ndemo: write a.txt b"))

    assert outcome.ok, outcome
    assert "Decide yourself" in outcome.text


async def test_a_failure_to_put_a_question_reaches_the_caller_and_the_agent_goes_on_waiting(
    runs: Runs, agents: dict[str, AgentRole]
) -> None:
    asking = msgspec.structs.replace(agents["executor"], tools=(*agents["executor"].tools, "AskUserQuestion"))
    process = await AgentProcess.start(runs.invocation(agent=asking))

    async def on_question(_: Question) -> None:
        raise RuntimeError("lost the claim")

    with pytest.raises(RuntimeError, match="lost the claim"):
        await converse(process, prompt=Prompt("ask", "demo: ask Shall I?"), on_question=on_question)
    assert process.alive
    assert (await process.stop()).rung is not Rung.ALREADY_ENDED
