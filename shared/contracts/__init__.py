"""The common language: commands, events and states of every actor kind, by their wire names."""

from __future__ import annotations

from typing import Any

from shared.contracts import delivery, plan, reply, run, session, task
from shared.contracts.messages import by_name
from shared.contracts.versions import DataReader

EVENTS: dict[str, dict[str, type[Any]]] = {
    "task": by_name(task.TaskEvent),
    "plan": by_name(plan.PlanEvent),
    "run": by_name(run.RunEvent),
    "delivery": by_name(delivery.DeliveryEvent),
    "reply": by_name(reply.ReplyEvent),
    "session": by_name(session.SessionEvent),
}
"""Every event class by actor kind and wire name."""

READERS: dict[tuple[str, str], DataReader] = {
    (kind, name): DataReader(cls) for kind, classes in EVENTS.items() for name, cls in classes.items()
}
"""What reads an event's stored data, by actor kind and wire name."""

COMMANDS: dict[str, dict[str, type[Any]]] = {
    "task": by_name(task.TaskCommand),
    "plan": by_name(plan.PlanCommand),
    "run": by_name(run.RunCommand),
    "reply": by_name(reply.ReplyCommand),
    "session": by_name(session.SessionCommand),
}
"""Every command class by actor kind and verb. A delivery takes none: the gateway appends it itself."""
