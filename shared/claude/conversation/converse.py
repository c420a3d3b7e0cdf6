"""One conversation with one process, from its prompt to its outcome: what brain, planner and executor share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from shared.claude.conversation.messages import AgentLimits, Answer, Input, Prompt, Question, Say, Step, TurnEnd
from shared.claude.conversation.outcome import Outcome
from shared.claude.conversation.state import Conversation
from shared.claude.conversation.stream import Result, ToolResults, read_line
from shared.claude.process.process import AgentProcess, Line

__all__ = [
    "AgentLimits",
    "Answer",
    "Input",
    "Outcome",
    "Prompt",
    "Question",
    "Say",
    "Step",
    "TurnEnd",
    "converse",
]

_DEFAULT_LIMITS = AgentLimits()


async def _ignore(_: Line | TurnEnd) -> None:
    return None


async def _unrecorded(_: Step) -> bool:
    return False


async def converse(
    process: AgentProcess,
    *,
    prompt: Prompt | None,
    offset: int = 0,
    inputs: asyncio.Queue[Input] | None = None,
    stop: asyncio.Event | None = None,
    limits: AgentLimits = _DEFAULT_LIMITS,
    schema_asked: bool = False,
    on_line: Callable[[Line], Awaitable[None]] = _ignore,
    on_turn: Callable[[TurnEnd], Awaitable[None]] = _ignore,
    on_step: Callable[[Step], Awaitable[bool]] = _unrecorded,
    on_question: Callable[[Question], Awaitable[None]] | None = None,
) -> Outcome:
    """Talks to the process until it has ended, and sweeps what it left behind.

    After a restart of the service: attach, and call this again with the same prompt, the inputs from the beginning,
    and the ``offset`` of the last turn or step that was recorded. Lines from there on come once; messages the agent
    has heard are not sent again; a question still open is asked again.

    ``on_step`` returns whether it recorded the step's usage. A slow callback slows the reading, never the agent, and is
    not mistaken for silence. When a callback raises or this is cancelled **the agent goes on running**: call
    ``process.stop()`` if it must not.
    """
    talk = Conversation(process, inputs or asyncio.Queue(), stop or asyncio.Event(), limits, on_question)
    await talk.catch_up(offset)
    if prompt is not None:
        await talk.begin(prompt)
    reader = asyncio.current_task()
    assert reader is not None

    def wake(helper: asyncio.Task[None]) -> None:
        if not helper.cancelled() and helper.exception() is not None:
            reader.cancel()  # it may be waiting for a line that never comes

    watching = asyncio.create_task(talk.watch())
    helpers = (asyncio.create_task(talk.pass_inputs()), watching)
    for helper in helpers:
        helper.add_done_callback(wake)
    try:
        await talk.move_on()
        async for line in process.lines(offset, limits.line_bytes):
            event = read_line(line.raw)
            talk.note(event, line)
            await on_line(line)
            match event:
                case ToolResults(parent=None):
                    step = Step(talk.progress.steps, line.end, talk.progress.meter.untaken)
                    if await on_step(step):
                        talk.progress.meter.take_delta()
                case Result():
                    await on_turn(talk.turn_end(event, line))
                case _:
                    pass
            await talk.move_on()
        if talk.ending:
            await watching  # it holds what to sweep beyond the mark
        exit_code = await process.wait()
        await process.sweep()
        return talk.outcome(exit_code, schema_asked)
    except asyncio.CancelledError:
        for helper in helpers:
            if helper.done() and not helper.cancelled() and (error := helper.exception()) is not None:
                reader.uncancel()
                raise error from None
        raise
    finally:
        for helper in helpers:
            helper.remove_done_callback(wake)
            helper.cancel()
        await asyncio.gather(*helpers, return_exceptions=True)
