"""Reading a stored event: as much as the projection needs, as fast as it can, and never refusing one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.contracts import READERS
from shared.contracts.versions import NewerVersion


class Stored(msgspec.Struct, frozen=True, gc=False):
    """One message of the stream: its sequence, subject and body."""

    seq: int
    subject: str
    body: bytes


class Fact(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event. ``data`` is its struct, or None when ``problem`` says why it could not be read.

    ``raw`` is the JSON of the data, in the shape of today if the event could be read (of an unreadable envelope: the
    whole body as a JSON string); ``time`` is in UTC.
    """

    seq: int
    subject: str
    kind: str
    actor_id: str
    name: str
    version: int
    time: datetime | None
    principal: str
    data: Any
    raw: str
    problem: str = ""

    @property
    def at(self) -> datetime:
        """The time of an event that could be read."""
        assert self.time is not None
        return self.time


class _Envelope(msgspec.Struct, frozen=True, gc=False):
    """The attributes of `Envelope` that rows are made of; reading the others costs as much again (measured)."""

    type: str
    subject: str
    time: datetime
    data: msgspec.Raw
    dataversion: int = 1
    sequence: int = 0
    principal: str = ""


_envelopes = msgspec.json.Decoder(_Envelope)


def read(stored: Stored) -> Fact:
    """The fact of a stored message; one that cannot be read says so in ``problem``."""
    match stored.subject.split("."):
        case ["evt", kind, actor_id, name]:
            pass
        case _:
            return _unreadable(stored, "", "", "", f"{stored.subject!r} is no event subject (evt.<kind>.<id>.<event>)")
    try:
        envelope = _envelopes.decode(stored.body)
        raw = str(envelope.data, "utf-8")
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return _unreadable(stored, kind, actor_id, name, f"the message is no envelope: {error}")
    data, lifted, problem = _data(kind, actor_id, name, envelope)
    return Fact(
        seq=stored.seq,
        subject=stored.subject,
        kind=kind,
        actor_id=actor_id,
        name=name,
        version=envelope.sequence,
        time=utc(envelope.time),
        principal=envelope.principal,
        data=data,
        raw=raw if lifted is envelope.data else str(lifted, "utf-8"),
        problem=problem,
    )


def unfoldable(fact: Fact, reason: str) -> Fact:
    """The same event, held back from every fold."""
    return msgspec.structs.replace(fact, data=None, problem=reason)


def as_text(stored: Stored, reason: str) -> Fact:
    """The event as nothing but a position and a reason: the last resort for one that the database refuses."""
    return _unreadable(stored, "", "", "", reason)


def _data(kind: str, actor_id: str, name: str, envelope: _Envelope) -> tuple[Any, bytes | msgspec.Raw, str]:
    """The event's struct or None, its JSON in the shape that was read, and the problem."""
    stored = envelope.data
    if envelope.type != f"{kind}.{name}" or envelope.subject != f"{kind}/{actor_id}":
        return None, stored, f"the event says it is {envelope.type} of {envelope.subject}"
    reader = READERS.get((kind, name))
    if reader is None:
        return None, stored, f"this version knows no event {kind}.{name}"
    try:
        lifted = reader.lift(stored, envelope.dataversion)
        return reader.decode(lifted), lifted, ""
    except NewerVersion as error:
        return None, stored, f"the event {kind}.{name} is too new: {error}"
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return None, stored, f"the data does not fit {kind}.{name}: {error}"


def utc(time: datetime) -> datetime:
    """The same moment in UTC; a time without a zone is taken for UTC."""
    match time.tzinfo:
        case None:
            return time.replace(tzinfo=UTC)
        case zone if zone is UTC:
            return time
        case _:
            return time.astimezone(UTC)


def _unreadable(stored: Stored, kind: str, actor_id: str, name: str, problem: str) -> Fact:
    return Fact(
        seq=stored.seq,
        subject=stored.subject,
        kind=kind,
        actor_id=actor_id,
        name=name,
        version=0,
        time=None,
        principal="",
        data=None,
        raw=msgspec.json.encode(stored.body.decode(errors="replace")).decode(),
        problem=problem,
    )
