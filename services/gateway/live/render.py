"""From stored messages to what a socket is sent: pure, and encoded once however many sockets there are."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from services.gateway.live.protocol import (
    ALL_SESSIONS,
    AgentStatus,
    Busyness,
    ChangeType,
    SessionChanged,
    TaskChanged,
    TaskMetrics,
    TaskOutput,
    encode,
)
from shared.contracts.kinds import KINDS, READERS, TASK_SCOPED
from shared.contracts.messages import wire_name
from shared.contracts.subjects import read_event_subject, read_output_subject
from shared.contracts.usage import ModelUsage, cost_of, tokens_of
from shared.event_store.envelope import decode_envelope

MAX_TEXT_CHARS: Final = 4_000
MAX_ANSWER_CHARS: Final = 100_000
"""Of a message or answer in a conversation: the socket is how it is read."""
MAX_ITEMS: Final = 100
MAX_DEPTH: Final = 6
ALL: Final = "*"

_TYPES: Final[dict[tuple[str, str], ChangeType]] = {
    ("task", "submitted"): "task.created",
    ("task", "completed"): "task.completed",
    ("task", "answered"): "task.completed",
    ("task", "failed"): "task.failed",
}
_BUSY: Final[Busyness] = "busy"
_IDLE: Final[Busyness] = "idle"
_AGENTS: Final = {
    (kind.name, wire_name(cls)): (kind.owner, status)
    for kind in KINDS.values()
    if kind.agent is not None
    for status, classes in ((_BUSY, kind.agent.begins), (_IDLE, kind.agent.ends))
    for cls in classes
}
"""What an event says of its service's agent."""


class Shown(msgspec.Struct, frozen=True):
    """What one stored message leads to: the frames for everybody who wants one of ``keys``."""

    seq: int
    keys: tuple[str, ...]
    frames: tuple[str, ...]


def show_event(subject: str, body: bytes, seq: int) -> Shown | None:
    """An event's frames; None for kinds that are neither part of a task nor conversations.

    Raises `BadEnvelope`, `BadAddress`, and ValueError for data that cannot be read.
    """
    actor, name = read_event_subject(subject)
    if actor.kind not in TASK_SCOPED and actor.kind != "session":
        return None
    envelope = decode_envelope(body)
    reader = READERS.get((actor.kind, name))
    stored = envelope.data if reader is None else reader.lift(envelope.data, envelope.dataversion)
    data: dict[str, Any] = msgspec.json.decode(stored)
    if actor.kind == "session":
        changed = SessionChanged(
            seq=seq,
            session_id=actor.id,
            event=name,
            time=envelope.time,
            principal=envelope.principal,
            data=shorten(data, most=MAX_ANSWER_CHARS),
        )
        return Shown(seq, (ALL_SESSIONS, actor.id), (encode(changed),))
    frames = [
        encode(
            TaskChanged(
                type=_TYPES.get((actor.kind, name), "task.updated"),
                seq=seq,
                task_id=actor.id,
                kind=actor.kind,
                event=name,
                time=envelope.time,
                principal=envelope.principal,
                data=shorten(data),
            )
        )
    ]
    if usage := msgspec.convert(data.get("usage") or (), tuple[ModelUsage, ...]):
        frames.append(
            encode(
                TaskMetrics(
                    seq=seq,
                    task_id=actor.id,
                    cost_microusd=cost_of(usage),
                    tokens=tokens_of(usage),
                    duration_ms=data.get("duration_ms", 0),
                )
            )
        )
    if said := _AGENTS.get((actor.kind, name)):
        agent, status = said
        frames.append(encode(AgentStatus(seq=seq, agent=agent, status=status, task_id=actor.id)))
    return Shown(seq, (ALL, actor.id), tuple(frames))


def show_output(subject: str, body: bytes, seq: int) -> Shown:
    """An output line's frame. Raises `BadAddress`."""
    actor = read_output_subject(subject)
    frame = encode(TaskOutput(seq=seq, task_id=actor.id, actor=actor.kind, chunk=line_of(body)))
    return Shown(seq, (actor.id,), (frame,))


def line_of(body: bytes) -> msgspec.Raw:
    """The line as JSON; what is none is wrapped, so that one odd line does not break the view."""
    try:
        body.decode()
        msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return msgspec.Raw(msgspec.json.encode({"type": "text", "text": body.decode("utf-8", "replace")}))
    return msgspec.Raw(body)


def shorten(value: Any, depth: int = 0, most: int = MAX_TEXT_CHARS) -> Any:
    """The value with long texts and lists cut: a socket carries news, the whole is behind the API."""
    match value:
        case str() if len(value) > most:
            return value[:most] + "…"
        case dict() | list() if depth >= MAX_DEPTH:
            return "…"
        case dict():
            return {key: shorten(each, depth + 1, most) for key, each in list(value.items())[:MAX_ITEMS]}
        case list():
            return [shorten(each, depth + 1, most) for each in value[:MAX_ITEMS]]
        case _:
            return value
