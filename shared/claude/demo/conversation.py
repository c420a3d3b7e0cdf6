"""A request to the Messages API as the scripted model sees it: who asks, for what, and what happened since (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import msgspec

_Json = dict[str, Any]
_REMINDER = re.compile(r"<system-reminder>.*?</system-reminder>\s*", re.DOTALL)
_MARKER = re.compile(r"^# Journeyman (brain|planner|executor|reviewer|assistant)\b", re.MULTILINE)
_FOLDER = re.compile(r"working directory: (\S.*?)(?: \(was .*\))?$", re.IGNORECASE | re.MULTILINE)
# Texts the CLI itself writes into user messages.
_NOT_A_PROMPT = (
    "[structured-output-enforce]",
    "[Request interrupted",
    "[Tool call interrupted",
    "Your response above was cut off",
    "The user sent a new message while you were working",
    "Continue from where you left off",
)


class Role(StrEnum):
    BRAIN = "brain"
    PLANNER = "planner"
    EXECUTOR = "executor"
    REVIEWER = "reviewer"
    ASSISTANT = "assistant"


class Call(msgspec.Struct, frozen=True):
    """A tool call and what came back."""

    id: str
    name: str
    input: dict[str, Any]
    result: str = ""
    failed: bool = False


class Exchange(msgspec.Struct, frozen=True):
    """One assistant message since the prompt, with the results of its calls."""

    text: str
    calls: tuple[Call, ...]


class ScriptedConversation(msgspec.Struct, frozen=True):
    """``tools`` maps the offered tools to their input schemas; ``notes`` are messages that came while working."""

    role: Role
    model: str
    session: str
    folder: str
    prompt: str
    exchanges: tuple[Exchange, ...]
    notes: tuple[str, ...]
    tools: dict[str, dict[str, Any]]


def read_request(body: Mapping[str, Any], session: str = "") -> ScriptedConversation:
    """Reads the JSON body of ``POST /v1/messages``."""
    messages: list[_Json] = list(body.get("messages", ()))
    spoken = [message for message in messages if message.get("role") in ("user", "assistant")]
    start = max((index for index, message in enumerate(spoken) if _prompt(message)), default=0)
    system = "\n".join(_texts(body.get("system")))
    told = (message for message in messages if message.get("role") == "system")  # the CLI itself, not a person
    context = "\n".join(text for message in told for text in _texts(message.get("content")))
    tools = {str(tool["name"]): dict(tool.get("input_schema") or {}) for tool in body.get("tools", ())}
    folders = _FOLDER.findall(f"{system}\n{context}")  # a resumed session may have begun in another one
    return ScriptedConversation(
        role=_role(system, tools),
        model=str(body.get("model", "")),
        session=session,
        folder=folders[-1].strip() if folders else "",
        prompt=_prompt(spoken[start]) if spoken else "",
        exchanges=tuple(_exchanges(spoken[start + 1 :])),
        notes=tuple(_notes(messages[_position(messages, spoken, start) :])),
        tools=tools,
    )


def _role(system: str, tools: Mapping[str, object]) -> Role:
    marker = _MARKER.search(system)
    if marker is not None:
        return Role(marker[1])
    if {"Write", "Edit", "Bash"} & set(tools):
        return Role.EXECUTOR
    return Role.PLANNER if "Read" in tools else Role.BRAIN


def _texts(content: object) -> list[str]:
    match content:
        case str():
            return [content]
        case list():
            return [str(b.get("text", "")) for b in content if isinstance(b, dict) and b.get("type") == "text"]
        case _:
            return []


def _prompt(message: _Json) -> str:
    if message.get("role") != "user":
        return ""
    texts = (_REMINDER.sub("", text).strip() for text in _texts(message.get("content")))
    return "\n".join(text for text in texts if text and not text.startswith(_NOT_A_PROMPT))


def _exchanges(messages: Iterable[_Json]) -> Iterable[Exchange]:
    messages = list(messages)
    results = {
        str(block.get("tool_use_id")): block
        for message in messages
        if message["role"] == "user" and isinstance(message.get("content"), list)
        for block in message["content"]
        if block.get("type") == "tool_result"
    }
    for message in messages:
        if message["role"] == "assistant":
            yield Exchange(
                text="\n".join(_texts(message.get("content"))),
                calls=tuple(
                    _call(block, results.get(str(block.get("id"))))
                    for block in message["content"]
                    if isinstance(block, dict) and block.get("type") == "tool_use"
                ),
            )


def _call(block: _Json, result: _Json | None) -> Call:
    content = None if result is None else result.get("content")
    return Call(
        id=str(block.get("id")),
        name=str(block.get("name")),
        input=dict(block.get("input") or {}),
        result="\n".join(_texts(content)),
        failed=bool(result and result.get("is_error")),
    )


def _position(messages: list[_Json], spoken: list[_Json], start: int) -> int:
    return next((index for index, message in enumerate(messages) if spoken and message is spoken[start]), 0)


def _notes(messages: Iterable[_Json]) -> Iterable[str]:
    for message in messages:
        for text in _texts(message.get("content")):
            if "The user sent a new message while you were working" in text:
                yield _REMINDER.sub("", text).strip() or text
