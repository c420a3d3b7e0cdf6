"""The messages of `/ws`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec

from shared.contracts.messages import MAX_SEQUENCE
from shared.contracts.subjects import actor
from shared.runtime.replay import State

TASKS: Final = "tasks"
SESSIONS: Final = "sessions"
ALL_SESSIONS: Final = "$sessions"
REPLAY: Final = "replay:"


class Subscribe(msgspec.Struct, frozen=True, tag="subscribe"):
    """Send me these topics: ``tasks``, ``task:<id>``, ``sessions``, ``session:<id>``, ``output:<id>`` of a task or a
    session; or one ``replay:<session>`` alone.

    ``after`` is the last sequence seen: of EVENTS, or of OUTPUT where all topics are output topics. Without it task
    topics start live, and output topics at the first line that is kept.
    """

    topics: tuple[str, ...]
    after: Annotated[int, msgspec.Meta(ge=0, le=MAX_SEQUENCE)] | None = None


class Unsubscribe(msgspec.Struct, frozen=True, tag="unsubscribe"):
    """Send me these no more."""

    topics: tuple[str, ...]


class ApproveTask(msgspec.Struct, frozen=True, tag="task.approve"):
    """Approve the plan with this version and digest, or the one that waits now."""

    task_id: str
    version: int | None = None
    digest: str | None = None
    base_commit: str = ""


class StopTask(msgspec.Struct, frozen=True, tag="task.stop"):
    """Stop the task."""

    task_id: str
    reason: str = ""


class GiveInput(msgspec.Struct, frozen=True, tag="task.input"):
    """Say something to the task's agent."""

    task_id: str
    message: str


class ChatMessage(msgspec.Struct, frozen=True, tag="chat.message"):
    """Say something to the brain."""

    message: str
    session_id: str = ""
    repo: str = ""


class Ping(msgspec.Struct, frozen=True, tag="ping"):
    """Are you there?"""


ClientMessage = Subscribe | Unsubscribe | ApproveTask | StopTask | GiveInput | ChatMessage | Ping
client_messages: Final = msgspec.json.Decoder(ClientMessage)


ChangeType = Literal["task.created", "task.updated", "task.completed", "task.failed"]


class TaskChanged(msgspec.Struct, frozen=True, kw_only=True):
    """One event."""

    type: ChangeType
    seq: int
    task_id: str
    kind: str
    event: str
    time: datetime
    principal: str
    data: dict[str, Any]


class SessionChanged(msgspec.Struct, frozen=True, kw_only=True, tag="session.updated"):
    """One event of a conversation."""

    seq: int
    session_id: str
    event: str
    time: datetime
    principal: str
    data: dict[str, Any]


class TaskMetrics(msgspec.Struct, frozen=True, kw_only=True, tag="task.metrics"):
    """What one event reported as consumed (a delta)."""

    seq: int
    task_id: str
    cost_microusd: int
    tokens: int
    duration_ms: int


Busyness = Literal["busy", "idle"]


class AgentStatus(msgspec.Struct, frozen=True, kw_only=True, tag="agent.status"):
    """An agent begins or ends its work on a task."""

    seq: int
    agent: str
    status: Busyness
    task_id: str


class TaskOutput(msgspec.Struct, frozen=True, kw_only=True, tag="task.output"):
    """One line of an agent's output; ``seq`` is its sequence in OUTPUT, ``task_id`` that of its task or session."""

    seq: int
    task_id: str
    actor: str
    chunk: msgspec.Raw


class Subscribed(msgspec.Struct, frozen=True, kw_only=True, tag="subscribed"):
    """Everything of these topics up to ``seq`` has been sent; live from here."""

    topics: tuple[str, ...]
    seq: int


class Trouble(msgspec.Struct, frozen=True, kw_only=True, tag="error"):
    """A message that could not be done; ``message`` is one sentence."""

    code: str
    message: str


class CommandCarriedOut(msgspec.Struct, frozen=True, kw_only=True, tag="command.done", omit_defaults=True):
    """A message of this socket was done: its type, and the task that it was for or has become.

    Answers of the API with a ``min_seq`` of ``seq`` show the change; 0 means stored, and not taken up yet.
    """

    command: str
    seq: int
    task_id: str
    session_id: str = ""


class Pong(msgspec.Struct, frozen=True, kw_only=True, tag="pong"):
    """Here; ``seq`` is the newest EVENTS sequence that this gateway has seen."""

    seq: int


class ReplayMoved(msgspec.Struct, frozen=True, kw_only=True, tag="replay.moment"):
    """Where the replay is: its newest event is that at ``seq`` of ``last``, and ``time`` is when that happened."""

    seq: int
    last: int
    time: datetime | None
    speed: float
    state: State


ServerMessage = (
    TaskChanged
    | SessionChanged
    | TaskMetrics
    | AgentStatus
    | TaskOutput
    | Subscribed
    | Trouble
    | CommandCarriedOut
    | Pong
    | ReplayMoved
)

_encoder: Final = msgspec.json.Encoder()


def encode(message: ServerMessage) -> str:
    """The text of one frame."""
    return _encoder.encode(message).decode()


def task_key(topic: str) -> str | None:
    """The id in ``task:<id>`` or ``session:<id>``, ``*`` for ``tasks``, None for an output topic.

    ``sessions`` has its own name, which no id has. Raises `BadAddress`.
    """
    if topic == TASKS:
        return "*"
    if topic == SESSIONS:
        return ALL_SESSIONS
    kind, _, id = topic.partition(":")
    match kind:
        case "task" | "session":
            return actor(kind, id).id
        case "output":
            return None
        case _:
            # Says which topics there are, by way of an id that no actor can have.
            return actor("topic (use tasks, task:ID, sessions, session:ID or output:ID)", topic).id


def output_key(topic: str) -> str:
    """The id in ``output:<id>``; raises `BadAddress`."""
    return actor("task", topic.partition(":")[2]).id
