"""The base of every command and event, and how their classes get their names on the wire."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Final

import msgspec

MAX_SEQUENCE: Final = 2**63 - 1
"""The largest stream sequence that anything here takes: DuckDB and msgspec count with a sign."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen fact or request. Its wire name is the class name in kebab-case: ``PlanReady`` is ``plan-ready``."""


Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""Lifts an event's data, a JSON object, from one version of its shape to the next. Pure; it may change what it gets."""


class Event(Message, frozen=True, kw_only=True):
    """A fact about one actor, past tense. Adding an optional field is free; a changed meaning is a new class.

    A changed shape is a new version of the same class. ``upcasters`` lift what was stored before: the first one from
    version 1 to 2, the next one from 2 to 3. The fields below are those of the last version. An upcaster stays in the
    module of its class, for what depends on the class (`shared.ops.code_hash`) depends on it as well.
    """

    upcasters: ClassVar[tuple[Upcaster, ...]] = ()


class Command(Message, frozen=True, kw_only=True):
    """A request to one actor, imperative. ``id`` names the actor; it travels in the subject, not in the data."""

    id: str = ""


class CausedCommand(Command, frozen=True, kw_only=True):
    """A command that another actor's event brings about.

    ``cause`` is that event's ``sequence`` (the other actor's own version). The target keeps the newest cause it acted
    on: one that is not newer was told before, or was overtaken, and changes nothing. 0, as a person sends it, is not
    checked.
    """

    cause: int = 0


class TimedCommand(Command, frozen=True, kw_only=True):
    """A command that a timer brings. ``at`` is when it is due; it means something only while the target waits for
    exactly that moment.
    """

    at: datetime


class CausedEvent(Event, frozen=True, kw_only=True):
    """The fact that came of a `CausedCommand`, with its ``cause``."""

    cause: int = 0


class ArtifactRef(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes in the object store ARTIFACTS: name, SHA-256 in hex, size in bytes."""

    name: str
    sha256: str
    size: int


@cache
def wire_name(cls: type[Any]) -> str:
    """``PlanReady`` -> ``plan-ready``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()


def name_of(message: Message) -> str:
    """The wire name of a message: an event's name or a command's verb."""
    return wire_name(type(message))


def by_name(union: Any) -> dict[str, type[Any]]:
    """The classes of a tagged union by their wire name; the envelope's ``type`` is the tag."""
    classes = union.__args__ if hasattr(union, "__args__") else (union,)
    return {wire_name(cls): cls for cls in classes}


def digest_of(text: str) -> str:
    """SHA-256 in hex of a text's UTF-8 bytes: what an approval of that text is bound to."""
    return hashlib.sha256(text.encode()).hexdigest()
