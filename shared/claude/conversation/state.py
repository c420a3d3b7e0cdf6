"""The state of one call of `converse`: what to say next, when to leave, when to end the run."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from shared.claude.conversation.messages import AgentLimits, Answer, Input, Prompt, Question, Say, TurnEnd
from shared.claude.conversation.outcome import Outcome, ended_by_us, outcome_of
from shared.claude.conversation.progress import ENDED, Progress
from shared.claude.conversation.stream import Asked, Result, Retry, StreamLine, read_line
from shared.claude.cost.meter import Meter
from shared.claude.process.process import AgentGone, AgentProcess, Line, message_uuid

_TICK_S = 0.1
_LEAVE_S = 5.0
_QUIET_AFTER_RESULT_S = 10.0
_ASK_TOOL = "AskUserQuestion"
_NOBODY = "Nobody can answer questions in this run. Decide yourself and say in your summary what you decided."
_NOT_ALLOWED = "This tool is not allowed to this agent. Go on without it."

log = structlog.get_logger(__name__)


class Conversation:
    """The state of one `converse` call."""

    def __init__(
        self,
        process: AgentProcess,
        inputs: asyncio.Queue[Input],
        stop: asyncio.Event,
        limits: AgentLimits,
        on_question: Callable[[Question], Awaitable[None]] | None,
    ) -> None:
        self.progress = Progress(Meter(resumed=process.resumed))
        self._process = process
        self._inputs = inputs
        self._stop = stop
        self._limits = limits
        self._on_question = on_question
        self._prompt: Prompt | None = None
        self._position = 0
        self._backlog = process.output_size()
        self._names: dict[str, str] = {}
        self._asked: set[str] = set()
        self._answers: dict[str, Answer] = {}
        self._refused = False
        self._leaving_since: float | None = None
        self._forced = False
        self._ended_as: str | None = None

    # ---- reading ---------------------------------------------------------------------------------------------------

    async def catch_up(self, offset: int) -> None:
        """Reads again, without telling anyone, what was recorded before the service restarted."""
        if offset == 0:
            return
        async for line in self._process.lines(limit=self._limits.line_bytes):
            self.note(read_line(line.raw), line)
            if line.end >= offset:
                break
        self.progress.meter.take_delta()

    def note(self, event: StreamLine | None, line: Line) -> None:
        self._position = line.end
        self.progress.note(event)
        if isinstance(event, Retry) and event.error == "authentication_failed":
            self._refused = True  # the CLI would go on trying; a refused key does not get better

    def turn_end(self, result: Result, line: Line) -> TurnEnd:
        return TurnEnd(
            number=self.progress.results,
            session_id=result.session_id,
            offset=line.end,
            usage=self.progress.meter.take_delta(),
            text=result.text,
            ok=result.subtype == "success" and not result.is_error,
        )

    # ---- talking ---------------------------------------------------------------------------------------------------

    async def say(self, message_id: str, text: str) -> None:
        """Gives the agent a message, unless it has heard it; one that comes too late stays unheard."""
        wire_id = message_uuid(message_id)
        self._names[wire_id] = message_id
        if wire_id in self.progress.messages:
            return
        self.progress.sent(wire_id)
        if self._leaving_since is None and self._ended_as is None:
            with contextlib.suppress(AgentGone):
                await self._process.send(as_words(text), message_id)

    async def begin(self, prompt: Prompt) -> None:
        """Gives the agent its first message."""
        self._prompt = prompt
        await self.say(prompt.message_id, prompt.text)

    async def _begin_again(self) -> None:
        # A resumed session drops a message that an earlier process of it has heard. The prompt is meant for this
        # process.
        prompt = self._prompt
        if (
            prompt is None
            or self.progress.turns
            or self.progress.messages.get(message_uuid(prompt.message_id)) not in ENDED
        ):
            return
        await self.say(f"{prompt.message_id} again {self._process.run_dir.name}", prompt.text)

    async def pass_inputs(self) -> None:
        """Hands over what people say, until cancelled."""
        while True:
            match await self._inputs.get():
                case Say(message_id=message_id, text=text):
                    try:
                        await self.say(message_id, text)
                    except ValueError as error:
                        log.warning("a message stays unheard", message=message_id, reason=str(error))
                case Answer() as answer:
                    self._answers[answer.request_id] = answer
            await self._close_questions()

    async def move_on(self) -> None:
        """Does what the lines so far ask for: answers, or leaving when all is said and heard.

        Not while old output is read again, because what it asks for may have been done.
        """
        if self._position < self._backlog:
            return
        await self._close_questions()
        await self._begin_again()
        if self.progress.idle and self._inputs.empty() and self._position >= self._process.output_size():
            await self._leave()

    async def _close_questions(self) -> None:
        if self._position < self._backlog:
            return
        for request_id, request in list(self.progress.questions.items()):
            answer = self._answers.pop(request_id, None)
            if answer is not None:
                await self._reply(request_id, {"behavior": "allow", "updatedInput": _answered(request, answer)})
            elif request_id in self._asked:
                continue
            elif request.tool != _ASK_TOOL:
                await self._reply(request_id, {"behavior": "deny", "message": _NOT_ALLOWED})
            elif self._on_question is None:
                await self._reply(request_id, {"behavior": "deny", "message": _NOBODY})
            elif self._inputs.empty():  # else one of them may be the answer
                self._asked.add(request_id)
                await self._on_question(_question(request))

    async def _reply(self, request_id: str, response: dict[str, object]) -> None:
        # Closed with the reply: the tool's result line may take a while.
        self._asked.add(request_id)
        self.progress.questions.pop(request_id, None)
        with contextlib.suppress(AgentGone):
            await self._process.answer(request_id, response)

    # ---- ending ----------------------------------------------------------------------------------------------------

    async def watch(self) -> None:
        """Ends the run when somebody or a limit wants it; returns when it did."""
        size, changed = -1, time.monotonic()
        waited = 0.0
        while True:
            before = time.monotonic()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), _TICK_S)
            now = time.monotonic()
            if not self._process.alive:
                return None
            if self.progress.questions:
                waited += now - before
                changed = now
            if (current := self._process.output_size()) != size:
                size, changed = current, now
            caught_up = self._position >= self._backlog
            quiet = now - changed if self._position >= size else 0.0
            worked = time.time() - self._process.started_at - waited
            match self._leaving_since:
                case float(since) if now - since > _LEAVE_S:
                    self._forced = True
                    await self._process.stop()
                    return None
                case float():
                    continue
            if self._stop.is_set():
                return await self._end_as("agent-interrupted")
            if self._refused:
                return await self._end_as("agent-auth")
            if self._process.written() > self._limits.output_bytes:
                return await self._end_as("agent-output")
            if caught_up and worked > self._limits.timeout_s:
                return await self._end_as("agent-timeout")
            if caught_up and quiet > self._patience():
                return await self._end_as("agent-silent")
            if self.progress.between_turns and quiet > _QUIET_AFTER_RESULT_S and self._inputs.empty():
                await self._leave()  # a message without an acknowledgement

    @property
    def ending(self) -> bool:
        """Whether the stop ladder is being gone down."""
        return self._forced or self._ended_as is not None

    def _patience(self) -> float:
        retry = self.progress.retry
        return self._limits.silence_s + (0.0 if retry is None else retry.delay_ms / 1000)

    async def _end_as(self, code: str) -> None:
        self._ended_as = code
        await self._process.stop()

    async def _leave(self) -> None:
        if self._leaving_since is None and self._ended_as is None:
            self._leaving_since = time.monotonic()
            with contextlib.suppress(AgentGone):
                await self._process.end()

    def outcome(self, exit_code: int | None, schema_asked: bool) -> Outcome:
        progress = self.progress
        if self._ended_as is not None:
            end = ended_by_us(self._ended_as, progress.last_result)
        else:
            # A process that would not leave after its work is done has not failed at its work.
            code = 0 if self._forced else exit_code
            end = outcome_of(code, progress.last_result, self._process.stderr_tail(), schema_asked, progress.resets_at)
        return msgspec.structs.replace(
            end,
            session_id=progress.session_id or self._process.session_id,
            cli_version=progress.cli_version,
            usage=progress.meter.total,
            unreported=progress.meter.take_delta(),
            unheard=tuple(self._names.get(wire_id, wire_id) for wire_id in progress.unheard),
        )


def as_words(text: str) -> str:
    """The text so that the model hears it whatever it says.

    The CLI takes a slash at the very beginning for a command of its own: ``/clear`` and ``/compact`` would be carried
    out, and nobody would hear them (2.1.330; a space before the slash is enough). It takes ``!``, ``#`` and ``@`` for
    nothing but words on this way.
    """
    return f" {text}" if text.startswith("/") else text


def _question(request: Asked) -> Question:
    asked = _questions(request)
    return Question(
        request_id=request.request_id,
        questions=tuple(str(each.get("question", "")) for each in asked),
        options=tuple(tuple(str(option.get("label", "")) for option in _dicts(each.get("options"))) for each in asked),
    )


def _answered(request: Asked, answer: Answer) -> dict[str, object]:
    match answer.answers:
        case str(text):
            answers = {str(each.get("question", "")): text for each in _questions(request)}
        case dict(answers):
            pass
    return {**request.input, "answers": answers}


def _questions(request: Asked) -> list[dict[str, object]]:
    return _dicts(request.input.get("questions"))


def _dicts(value: object) -> list[dict[str, object]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
