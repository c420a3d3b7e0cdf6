"""The envelope: one CloudEvents 1.0 JSON object (structured mode), for commands and events alike."""

from __future__ import annotations

import difflib
import hashlib
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from shared.contracts import COMMANDS, READERS
from shared.contracts.messages import Command, Event, name_of
from shared.contracts.subjects import Actor, BadAddress, read_event_subject
from shared.contracts.versions import NewerVersion, version_of

CONTENT_TYPE: Final = "application/cloudevents+json"


class BadEnvelope(ValueError):
    """A message body that is no envelope of ours; the text says what is wrong.

    ``position`` is the stream sequence of a stored event, 0 for anything else.
    """

    def __init__(self, text: str, position: int = 0) -> None:
        super().__init__(text)
        self.position = position


class TooLarge(BadEnvelope):
    """A command or an event with more bytes than one may have; nothing was stored."""


class UnknownEvent(BadEnvelope):
    """An event of a name, or of a version of its shape, that came after this installation.

    Facts are never skipped: its actor is quarantined.
    """


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """CloudEvents attributes and our extensions. ``data`` is the raw JSON of the event's or command's struct.

    ``dataversion`` is the version of the event's shape (`shared.contracts.versions`); the first one is left out.
    """

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: msgspec.Raw
    datacontenttype: str = ""
    dataversion: int = 1
    sequence: int = 0
    prevhash: str = ""
    causationid: str = ""
    correlationid: str = ""
    principal: str = ""
    traceparent: str = ""


class MessageMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What surrounds a message: who caused it, why, when. ``id`` is the same on every retry."""

    id: str
    source: str
    time: datetime
    principal: str
    causation_id: str = ""
    correlation_id: str = ""
    traceparent: str = ""


class RecordedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it stands in the log.

    ``position`` is the stream sequence, ``sequence`` the actor's own version (1, 2, 3 …), ``hash`` the SHA-256 in hex
    of ``raw``, the stored bytes; ``previous_hash`` is the hash of the actor's event before this one, or empty.
    """

    actor: Actor
    name: str
    data: Any
    position: int
    sequence: int
    id: str
    time: datetime
    causation_id: str
    correlation_id: str
    principal: str
    traceparent: str
    previous_hash: str
    hash: str
    raw: bytes

    @property
    def kind(self) -> str:
        """The actor's kind."""
        return self.actor.kind


_encoder = msgspec.json.Encoder()
_envelopes = msgspec.json.Decoder(Envelope)


_command_decoders: dict[type[Any], msgspec.json.Decoder[Any]] = {
    cls: msgspec.json.Decoder(cls) for by_name in COMMANDS.values() for cls in by_name.values()
}


def encode_event(actor: Actor, event: Event, *, sequence: int, prevhash: str, metadata: MessageMetadata) -> bytes:
    """The stored body of an event."""
    return _encode(actor, name_of(event), event, metadata, version_of(type(event)), sequence, prevhash)


def encode_command(actor: Actor, command: Command, metadata: MessageMetadata) -> bytes:
    """The body of a command; the actor's id travels in the subject only."""
    data = {name: getattr(command, name) for name in command.__struct_fields__ if name != "id"}
    return _encode(actor, name_of(command), data, metadata)


def _encode(
    actor: Actor,
    name: str,
    data: object,
    metadata: MessageMetadata,
    version: int = 1,
    sequence: int = 0,
    prevhash: str = "",
) -> bytes:
    return _encoder.encode(
        Envelope(
            specversion="1.0",
            id=metadata.id,
            source=metadata.source,
            type=f"{actor.kind}.{name}",
            subject=f"{actor.kind}/{actor.id}",
            time=metadata.time,
            datacontenttype="application/json",
            dataversion=version,
            data=msgspec.Raw(_encoder.encode(data)),
            sequence=sequence,
            prevhash=prevhash,
            causationid=metadata.causation_id,
            correlationid=metadata.correlation_id or actor.id,
            principal=metadata.principal,
            traceparent=metadata.traceparent,
        )
    )


def decode_envelope(body: bytes) -> Envelope:
    """Only the envelope; ``data`` stays raw. Raises `BadEnvelope`."""
    try:
        return _envelopes.decode(body)
    except msgspec.MsgspecError as error:
        raise BadEnvelope(f"The message is no CloudEvents envelope: {error}") from error


def decode_event(subject: str, body: bytes, position: int) -> RecordedEvent:
    """A stored event, whole; data of an older shape is lifted.

    Raises `UnknownEvent` or `BadEnvelope`, each with the position.
    """
    try:
        actor, name = read_event_subject(subject)
        envelope = decode_envelope(body)
    except (BadAddress, BadEnvelope) as error:
        raise BadEnvelope(str(error), position) from error
    if envelope.type != f"{actor.kind}.{name}" or envelope.subject != f"{actor.kind}/{actor.id}":
        raise BadEnvelope(
            f"The event at {position} says it is {envelope.type} of {envelope.subject}, but lies at {subject}.",
            position,
        )
    reader = READERS.get((actor.kind, name))
    if reader is None:
        raise UnknownEvent(
            f"This version knows no event {actor.kind}.{name} (at {position}): upgrade this service.", position
        )
    try:
        data = reader.read(envelope.data, envelope.dataversion)
    except NewerVersion as error:
        raise UnknownEvent(
            f"The event {actor.kind}.{name} at {position} is too new: {error}. Upgrade this service.", position
        ) from error
    except msgspec.MsgspecError as error:
        raise BadEnvelope(
            f"The data of {actor.kind}.{name} at {position} does not fit its schema: {error}", position
        ) from error
    return RecordedEvent(
        actor=actor,
        name=name,
        data=data,
        position=position,
        sequence=envelope.sequence,
        id=envelope.id,
        time=envelope.time,
        causation_id=envelope.causationid,
        correlation_id=envelope.correlationid,
        principal=envelope.principal,
        traceparent=envelope.traceparent,
        previous_hash=envelope.prevhash,
        hash=hash_of(body),
        raw=body,
    )


def recorded(
    actor: Actor, event: Event, body: bytes, *, position: int, sequence: int, prevhash: str, metadata: MessageMetadata
) -> RecordedEvent:
    """What `decode_event` would make of a body that was encoded just now, without reading it again."""
    return RecordedEvent(
        actor=actor,
        name=name_of(event),
        data=event,
        position=position,
        sequence=sequence,
        id=metadata.id,
        time=metadata.time,
        causation_id=metadata.causation_id,
        correlation_id=metadata.correlation_id or actor.id,
        principal=metadata.principal,
        traceparent=metadata.traceparent,
        previous_hash=prevhash,
        hash=hash_of(body),
        raw=body,
    )


def decode_command(
    actor: Actor, verb: str, body: bytes, *, fallback: MessageMetadata
) -> tuple[Command, MessageMetadata]:
    """A command and its stamp. A body that is the bare data (as one types it by hand) gets the ``fallback`` stamp.

    Raises `BadEnvelope`.
    """
    cls = COMMANDS.get(actor.kind, {}).get(verb)
    if cls is None:
        known = ", ".join(COMMANDS.get(actor.kind, {})) or "none"
        raise BadEnvelope(f"A {actor.kind} takes no command {verb!r}; it takes: {known}.")
    metadata, data = _read_command_body(actor, verb, body.strip() or b"{}", fallback)
    try:
        if metadata is fallback:
            _refuse_unknown_fields(f"{actor.kind}.{verb}", cls, data)
        command: Command = _command_decoders[cls].decode(data)
    except msgspec.MsgspecError as error:
        raise BadEnvelope(f"The data of {actor.kind}.{verb} does not fit: {error}") from error
    return msgspec.structs.replace(command, id=actor.id), metadata


def _refuse_unknown_fields(name: str, cls: type[Command], data: bytes | msgspec.Raw) -> None:
    """What a person misspelt would be lost. An envelope may come from a newer version, which knows more fields."""
    known = [field for field in cls.__struct_fields__ if field != "id"]
    for field in msgspec.json.decode(data, type=dict[str, msgspec.Raw]):
        if field not in known:
            near = difflib.get_close_matches(field, known, n=1, cutoff=0.7)
            mend = f"did you mean {near[0]}?" if near else f"it takes: {', '.join(known) or 'none'}."
            raise BadEnvelope(f"The data of {name} has no field {field[:80]!r}: {mend}")


def _read_command_body(
    actor: Actor, verb: str, body: bytes, fallback: MessageMetadata
) -> tuple[MessageMetadata, bytes | msgspec.Raw]:
    if b'"specversion"' not in body:
        return fallback, body
    envelope = decode_envelope(body)
    if envelope.type != f"{actor.kind}.{verb}":
        raise BadEnvelope(f"The command says it is {envelope.type}, but was sent to {actor.kind}.{verb}.")
    metadata = MessageMetadata(
        id=envelope.id,
        source=envelope.source,
        time=envelope.time,
        principal=envelope.principal or fallback.principal,
        causation_id=envelope.causationid,
        correlation_id=envelope.correlationid,
        traceparent=envelope.traceparent,
    )
    return metadata, envelope.data


def hash_of(body: bytes) -> str:
    """SHA-256 in hex of a stored body: what the actor's next event names as ``prevhash``."""
    return hashlib.sha256(body).hexdigest()


def utc_now() -> datetime:
    """The wall clock, in UTC; the one place that reads it for envelopes."""
    return datetime.now(UTC)
