"""The words of a conversation with an agent: what goes in, what is reported."""

from __future__ import annotations

import msgspec

from shared.contracts.usage import ModelUsage
from shared.ops.limits import DEFAULTS


class Prompt(msgspec.Struct, frozen=True):
    """The first user message. The same ``message_id`` is never heard twice by one process."""

    message_id: str
    text: str


class Say(msgspec.Struct, frozen=True):
    """A later user message."""

    message_id: str
    text: str


class Answer(msgspec.Struct, frozen=True):
    """A person's answer to a `Question`: one text for all its questions, or a text per question."""

    request_id: str
    answers: dict[str, str] | str


Input = Say | Answer


class Question(msgspec.Struct, frozen=True):
    """The agent waits for a person. ``questions`` are the texts; ``options`` their labels, one tuple per question."""

    request_id: str
    questions: tuple[str, ...]
    options: tuple[tuple[str, ...], ...]


class AgentLimits(msgspec.Struct, frozen=True):
    """``timeout_s`` since the process started; ``silence_s`` without any output.

    Waiting for a person counts as neither. Of a line ``line_bytes`` are read; ``output_bytes`` may be written in all.
    """

    timeout_s: float = 3600.0
    silence_s: float = 120.0
    line_bytes: int = DEFAULTS.max_agent_line_bytes
    output_bytes: int = DEFAULTS.max_agent_output_bytes


class Step(msgspec.Struct, frozen=True):
    """Tools of the main agent came back.

    ``offset`` is where the next line starts; ``usage`` since the last one recorded.
    """

    number: int
    offset: int
    usage: tuple[ModelUsage, ...]


class TurnEnd(msgspec.Struct, frozen=True):
    """A result line. ``offset`` is where the next line starts; ``usage`` since the last recorded step or turn."""

    number: int
    session_id: str
    offset: int
    usage: tuple[ModelUsage, ...]
    text: str
    ok: bool
