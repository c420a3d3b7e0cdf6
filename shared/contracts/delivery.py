"""The delivery: one webhook that was received and accepted. Its id is derived from the sender's delivery id."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from shared.contracts.messages import ArtifactRef, Event


class SignalKind(StrEnum):
    """What a delivery means to us."""

    WORK = "work"
    COMMENT = "comment"


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """A sender's event in our words; every sender's adapter makes one.

    ``thread`` names the thing the event is about (``github:octo/app#7``) and is stable over all its events, so one
    thing is one task; ``opened_at_ms`` is when that thing was opened (milliseconds since 1970, UTC).
    ``directive`` is the first ``@agent`` word (``plan``, ``implement``, ``approve``, ``reject``, ``stop``, ``retry``)
    or empty; ``argument`` is the rest of that line. ``trusted`` says that the sender's own claim of the author's
    role allows steering (a hint, not a proof). ``origin`` names the message itself, the same in every delivery of it;
    empty where the sender does not name its messages.
    """

    kind: SignalKind
    thread: str
    opened_at_ms: int
    title: str
    text: str
    repo: str = ""
    url: str = ""
    author: str = ""
    trusted: bool = False
    directive: str = ""
    argument: str = ""
    origin: str = ""


class Accepted(Event, frozen=True, kw_only=True):
    """A verified delivery, durably ours before the sender got its 202.

    ``body`` is the raw JSON body where it is small, else null and ``artifact`` names it; ``body_sha256`` is over the
    raw bytes.
    """

    webhook: str
    event: str
    action: str
    delivery: str
    signal: Signal
    body_sha256: str
    body_size: int
    body: msgspec.Raw
    artifact: ArtifactRef | None = None


DeliveryEvent = Accepted
