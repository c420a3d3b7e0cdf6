"""The actor kinds: the only list of them. What is the same for every kind is derived from here.

A new kind needs its contract and its sentences in this package, one entry here, its decider in
``services/<owner>/actors/<kind>.py`` (as ``DECIDER``), and its rows in the projection where people look for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from shared.contracts import delivery, plan, reply, run, session, task, user, webhook
from shared.contracts.messages import Event, Message, by_name
from shared.contracts.sentences import delivery as delivery_sentences
from shared.contracts.sentences import plan as plan_sentences
from shared.contracts.sentences import reply as reply_sentences
from shared.contracts.sentences import run as run_sentences
from shared.contracts.sentences import session as session_sentences
from shared.contracts.sentences import task as task_sentences
from shared.contracts.sentences import user as user_sentences
from shared.contracts.sentences import webhook as webhook_sentences
from shared.contracts.versions import DataReader


@dataclass(frozen=True, kw_only=True)
class AgentSpan:
    """The work that an agent does for actors of a kind, one piece at a time.

    ``unit`` is what one piece is called in the kind's messages: the field that numbers the pieces. ``begins`` and
    ``ends`` are the events between which an agent is busy.
    """

    unit: str
    begins: tuple[type[Event], ...]
    ends: tuple[type[Event], ...]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One actor kind. ``name`` is its name on the wire, and ``owner`` the service that decides and appends.

    ``events`` and ``commands`` are unions of message classes; None is a kind that takes no commands. ``state`` is the
    class of what the events fold to. ``sentence`` tells a person what an event means, in one line. An actor of a
    ``task_scoped`` kind has its task's id. ``agent`` says what an agent does for it. The events of a
    ``spoken_by_person`` kind are somebody's own words: what they lead to is done in that person's name.
    """

    name: str
    owner: str
    events: Any
    commands: Any
    state: type[Any]
    sentence: Callable[[Any], str]
    task_scoped: bool = False
    agent: AgentSpan | None = None
    spoken_by_person: bool = False


KINDS: Final[dict[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind(
            name="task",
            owner="brain",
            events=task.TaskEvent,
            commands=task.TaskCommand,
            state=task.Task,
            sentence=task_sentences.sentence,
            task_scoped=True,
            agent=AgentSpan(
                unit="attempt",
                begins=(task.TriageRequested, task.ReviewRequested),
                # The last three may end later stages as well: then the brain is idle already.
                ends=(
                    task.Triaged,
                    task.Answered,
                    task.Declined,
                    task.ReviewWritten,
                    task.Failed,
                    task.Paused,
                    task.Cancelled,
                ),
            ),
        ),
        Kind(
            name="plan",
            owner="planner",
            events=plan.PlanEvent,
            commands=plan.PlanCommand,
            state=plan.Plan,
            sentence=plan_sentences.sentence,
            task_scoped=True,
            agent=AgentSpan(unit="draft", begins=(plan.Claimed,), ends=(plan.Proposed, plan.Failed, plan.Stopped)),
        ),
        Kind(
            name="run",
            owner="executor",
            events=run.RunEvent,
            commands=run.RunCommand,
            state=run.Run,
            sentence=run_sentences.sentence,
            task_scoped=True,
            agent=AgentSpan(unit="round", begins=(run.Claimed,), ends=(run.Succeeded, run.Failed, run.Stopped)),
        ),
        Kind(
            name="delivery",
            owner="gateway",
            events=delivery.DeliveryEvent,
            commands=delivery.DeliveryCommand,
            state=delivery.Delivery,
            sentence=delivery_sentences.sentence,
            spoken_by_person=True,
        ),
        Kind(
            name="reply",
            owner="gateway",
            events=reply.ReplyEvent,
            commands=reply.ReplyCommand,
            state=reply.Reply,
            sentence=reply_sentences.sentence,
            task_scoped=True,
        ),
        Kind(
            name="session",
            owner="brain",
            events=session.SessionEvent,
            commands=session.SessionCommand,
            state=session.Session,
            sentence=session_sentences.sentence,
            agent=AgentSpan(
                unit="answer",
                begins=(session.AnswerStarted,),
                ends=(session.Answered, session.Failed, session.Interrupted),
            ),
            spoken_by_person=True,
        ),
        Kind(
            name="webhook",
            owner="brain",
            events=webhook.WebhookEvent,
            commands=webhook.WebhookCommand,
            state=webhook.Webhook,
            sentence=webhook_sentences.sentence,
        ),
        Kind(
            name="user",
            owner="brain",
            events=user.UserEvent,
            commands=user.UserCommand,
            state=user.User,
            sentence=user_sentences.sentence,
        ),
    )
}
"""Every actor kind by its name on the wire, in the order in which people read of them."""

EVENTS: Final[dict[str, dict[str, type[Any]]]] = {name: by_name(kind.events) for name, kind in KINDS.items()}
"""Every event class by actor kind and wire name."""

READERS: Final[dict[tuple[str, str], DataReader]] = {
    (kind, name): DataReader(cls) for kind, classes in EVENTS.items() for name, cls in classes.items()
}
"""What reads an event's stored data, by actor kind and wire name."""

COMMANDS: Final[dict[str, dict[str, type[Any]]]] = {
    name: by_name(kind.commands) for name, kind in KINDS.items() if kind.commands is not None
}
"""Every command class by actor kind and verb."""

TASK_SCOPED: Final = tuple(name for name, kind in KINDS.items() if kind.task_scoped)
"""The kinds whose actors share their task's id."""

AGENTS: Final = {name: kind.owner for name, kind in KINDS.items() if kind.agent is not None}
"""Whose agent works for an actor, by the actor's kind."""

_KIND_OF: Final[dict[type[Any], str]] = {
    cls: kind for messages in (EVENTS, COMMANDS) for kind, classes in messages.items() for cls in classes.values()
}


def kind_of(message: Message | type[Message]) -> str:
    """The actor kind of a command or event, or of its class; raises `LookupError` for one that no entry names."""
    cls = message if isinstance(message, type) else type(message)
    kind = _KIND_OF.get(cls)
    if kind is None:
        raise LookupError(
            f"{cls.__module__}.{cls.__name__} belongs to no actor kind: add it to the events or commands of an entry "
            "in shared/contracts/kinds.py."
        )
    return kind
