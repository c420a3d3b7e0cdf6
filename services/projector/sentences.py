"""One sentence for each event: what the timeline says. Made when asked for, so that wording needs no rebuild."""

from __future__ import annotations

import msgspec

from shared.contracts.kinds import EVENTS, KINDS

UNREAD = "An event that this version cannot read."


def sentence(kind: str, name: str, data: bytes) -> str:
    """What happened, for a person; ``data`` is the JSON of the event's data in the shape of today."""
    cls = EVENTS.get(kind, {}).get(name)
    if cls is None:
        return UNREAD
    try:
        event = msgspec.json.decode(data, type=cls)
    except msgspec.MsgspecError:
        return UNREAD
    return KINDS[kind].sentence(event)
