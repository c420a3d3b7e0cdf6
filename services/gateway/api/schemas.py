"""Bodies of requests and answers. Sizes are limited here, so that an event always fits into a message."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from shared.contracts.session import Attachment
from shared.contracts.task import Directive
from shared.runtime.client import CommandResult

LongText = Annotated[str, msgspec.Meta(min_length=1, max_length=100_000)]
Text = Annotated[str, msgspec.Meta(max_length=20_000)]
Line = Annotated[str, msgspec.Meta(max_length=300)]
Micro = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
Version = Annotated[int, msgspec.Meta(ge=1, le=10**6)]
# Python's `$` also stands before a line feed at the end, and JSON Schema has no `\Z`.
Digest = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{8,64})?(?!\n)$")]
Commit = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{7,64})?(?!\n)$")]


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request's body: a field that nobody knows is an error, because it is a typing mistake."""


class NewTask(Body, frozen=True, kw_only=True):
    """What is to be done. ``title`` is the text's first line by default, ``repo`` the only configured repository."""

    text: LongText
    title: Line = ""
    repo: Line = ""
    directive: Directive = Directive.AUTO


class Approval(Body, frozen=True, kw_only=True):
    """Which plan is approved: what is left out is that of the plan that waits now. The budget 0 means no own limit."""

    version: Version | None = None
    digest: Digest | None = None
    base_commit: Commit = ""
    budget_microusd: Micro = 0


class Rejection(Body, frozen=True, kw_only=True):
    """Why. With ``feedback`` another plan is asked for, without it the task ends."""

    reason: Text = ""
    feedback: Text = ""


class Stopping(Body, frozen=True, kw_only=True):
    """Why."""

    reason: Text = ""


class Retrying(Body, frozen=True, kw_only=True):
    """Where to begin: by default where the task ended, so that a failed publication is published again.

    ``from_result`` has the agent go on with the result that fell short, ``afresh`` has the work done anew. The budget
    is what the work may cost from now on, 0 leaves it as it was approved; work that reached its budget needs a larger
    one.
    """

    from_result: bool = False
    afresh: bool = False
    budget_microusd: Micro = 0


class Publishing(Body, frozen=True, kw_only=True):
    """Nothing more to say."""


class Wish(Body, frozen=True, kw_only=True):
    """What is further to be done."""

    message: LongText


class Input(Body, frozen=True, kw_only=True):
    """What the agent is told."""

    message: LongText


class Message(Body, frozen=True, kw_only=True):
    """What the brain is told, in the session that goes on or in a new one.

    ``message_id`` is the caller's own name for it, a new id in the form of a task's: said again, it is said once.
    """

    message: LongText
    session_id: Annotated[str, msgspec.Meta(max_length=128)] = ""
    repo: Line = ""
    attachments: Annotated[tuple[Attachment, ...], msgspec.Meta(max_length=10)] = ()
    message_id: Annotated[str, msgspec.Meta(pattern=r"^([0-9A-HJKMNP-TV-Z]{26})?(?!\n)$")] = ""


class NewTitle(Body, frozen=True, kw_only=True):
    """What a conversation is called; empty: after its first words."""

    title: Annotated[str, msgspec.Meta(max_length=120)] = ""


class TaskOpened(msgspec.Struct, frozen=True, kw_only=True):
    """The task's id, and its first event (null with ``seq`` 0 while the brain has not taken it up)."""

    id: str
    event: dict[str, Any] | None
    seq: int


class CommandDone(msgspec.Struct, frozen=True, kw_only=True):
    """The event (a CloudEvents envelope) and its stream sequence.

    When nothing new happened, the event is null and ``seq`` is that of the newest event of what the command was for.
    Answers with a ``min_seq`` of ``seq`` show the change.
    """

    event: dict[str, Any] | None
    seq: int


class MessageTaken(msgspec.Struct, frozen=True, kw_only=True):
    """The task that the message becomes, and the conversation it belongs to.

    ``task_id`` is empty where the brain answers in the conversation instead. ``seq`` is the stream sequence of the
    conversation's event, 0 while the brain has not taken the message up.
    """

    task_id: str
    session_id: str
    seq: int
    message_id: str = ""


def done(result: CommandResult) -> CommandDone:
    """What became of a command."""
    return CommandDone(event=result.event, seq=result.position)
