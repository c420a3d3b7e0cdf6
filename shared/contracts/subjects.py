"""A subject is an actor's address (docs/architecture.md). Everything that builds or reads a subject is here."""

from __future__ import annotations

import re
from typing import Final

import msgspec

PARTITIONS: Final = 16
"""Mailbox partitions of COMMANDS. Changing it re-maps actors: drain COMMANDS first."""

_TOKEN = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$")


class BadAddress(ValueError):
    """A subject or an id that no actor can have."""


class Actor(msgspec.Struct, frozen=True, order=True):
    """The address of one actor: ``task/01JX7…``."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.id}"


def actor(kind: str, id: str) -> Actor:
    """An address whose tokens are safe in a subject; raises `BadAddress`."""
    for what, token in (("kind", kind), ("id", id)):
        if not _TOKEN.fullmatch(token):
            raise BadAddress(
                f"{token[:80]!r} is no actor {what}: use up to 128 letters, digits, '-' and '_', no sign first."
            )
    return Actor(kind, id)


def event_subject(actor: Actor, name: str) -> str:
    """``evt.task.<id>.approved``."""
    return f"evt.{actor.kind}.{actor.id}.{name}"


def event_filter(actor: Actor) -> str:
    """The one literal filter that guards every append of an actor: ``evt.task.<id>.>``."""
    return f"evt.{actor.kind}.{actor.id}.>"


def command_subject(actor: Actor, verb: str) -> str:
    """``cmd.task.<id>.approve``; the stream inserts the partition."""
    return f"cmd.{actor.kind}.{actor.id}.{verb}"


def read_request_subject(subject: str) -> tuple[Actor, str]:
    """The actor and the verb of ``req.<kind>.<id>.<verb>``; raises `BadAddress`."""
    match subject.split("."):
        case ["req", kind, id, verb]:
            return actor(kind, id), verb
        case _:
            raise BadAddress(f"{subject!r} is no request's subject (req.<kind>.<id>.<verb>).")


def timer_subject(actor: Actor, verb: str) -> str:
    """``timer.set.task.<id>.resume``: where the schedule of a timer lies; the next one there replaces it."""
    return f"timer.set.{actor.kind}.{actor.id}.{verb}"


def due_subject(actor: Actor, verb: str) -> str:
    """``timer.due.task.<id>.resume``: where the server puts a timer that is due."""
    return f"timer.due.{actor.kind}.{actor.id}.{verb}"


def output_subject(actor: Actor) -> str:
    """``out.run.<id>``."""
    return f"out.{actor.kind}.{actor.id}"


def read_event_subject(subject: str) -> tuple[Actor, str]:
    """The actor and the event name of ``evt.<kind>.<id>.<event>``; raises `BadAddress`."""
    match subject.split("."):
        case ["evt", kind, id, name]:
            return Actor(kind, id), name
        case _:
            raise BadAddress(f"{subject!r} is no event subject (evt.<kind>.<id>.<event>).")


def read_command_subject(subject: str) -> tuple[Actor, str]:
    """The actor and the verb of a stored command ``cmd.<partition>.<kind>.<id>.<verb>``; raises `BadAddress`."""
    match subject.split("."):
        case ["cmd", _, kind, id, verb]:
            return actor(kind, id), verb
        case _:
            raise BadAddress(f"{subject!r} is no stored command subject (cmd.<partition>.<kind>.<id>.<verb>).")


def read_due_subject(subject: str) -> tuple[Actor, str]:
    """The actor and the verb of ``timer.due.<kind>.<id>.<verb>``; raises `BadAddress`."""
    match subject.split("."):
        case ["timer", "due", kind, id, verb]:
            return actor(kind, id), verb
        case _:
            raise BadAddress(f"{subject!r} is no due timer's subject (timer.due.<kind>.<id>.<verb>).")


def read_output_subject(subject: str) -> Actor:
    """The actor of ``out.<kind>.<id>``; raises `BadAddress`."""
    match subject.split("."):
        case ["out", kind, id]:
            return Actor(kind, id)
        case _:
            raise BadAddress(f"{subject!r} is no output subject (out.<kind>.<id>).")
