"""What a sender's adapter tells the receiver: how its deliveries are named, verified and read.

An adapter is the module ``services/gateway/inbound/<name>.py`` with one `Sender`, called ``SENDER``; its name and the
name that people read stand in `shared.ops.senders`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec

from shared.contracts.delivery import Signal
from shared.ops.config import Config

T = TypeVar("T")

MAX_ODD_PARTS: Final = 20
"""So many details of one body may be other than documented."""

_AT: Final = re.compile(r"- at `\$([^`]*)`$")
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")

MAX_NAME_CHARS: Final = 200
"""The longest event name and delivery id that is taken from a header."""


class NotAuthentic(Exception):
    """A delivery that nothing proves to come from the sender; the text says what is wrong, and the mend."""


class Unnamed(Exception):
    """A delivery without its event's name or its id; the text says where that is missing."""


class Unreadable(Exception):
    """An authentic body that is not what the sender's documentation promises; the text says where."""


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as it came to ``POST /webhooks/{webhook}``: header names in lower case, and the raw bytes.

    ``key`` is what the address has behind the webhook's name: a secret, for senders that cannot sign. ``client`` is
    the address that the connection comes from, or empty.
    """

    webhook: str
    headers: Mapping[str, str]
    body: bytes
    key: str = ""
    client: str = ""


class Ignored(msgspec.Struct, frozen=True):
    """A delivery that is authentic and not for us, and why."""

    reason: str


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery, read: the event's action, who sent it, and what it means to us.

    ``content`` names what happened, the same in every delivery of it; empty where the body does not say enough for
    that: then the same body within ``window_s`` seconds is one delivery, and for ever where that is 0. ``formerly`` is
    what older versions called the signal's thread, of which tasks may be in the log.
    """

    action: str
    sender: str
    meaning: Signal | Ignored
    content: tuple[str, ...] = ()
    formerly: tuple[str, ...] = ()
    window_s: float = 0


@dataclass(frozen=True, kw_only=True)
class Sender:
    """How one sender's deliveries are handled. The receiver calls the functions in this order.

    ``verify`` takes the delivery and the secrets that count, and raises `NotAuthentic`.
    ``event`` and ``delivery_id`` name the event and the delivery; they raise `Unnamed`. ``read`` takes the event's
    name, the body's JSON and the configuration, and says what the delivery means in our words; it is pure and raises
    `Unreadable`. ``setup`` says to people how the sender is set up, and ``effects`` what becomes of each event; both
    are Markdown for docs/webhooks.md. ``signed_id`` is an id of what happened that the signature covers, or empty.
    """

    verify: Callable[[Incoming, Sequence[bytes]], None]
    event: Callable[[Incoming], str]
    delivery_id: Callable[[Incoming], str]
    read: Callable[[str, bytes, Config], Reading]
    setup: str = ""
    effects: Sequence[tuple[str, str]] = ()
    signed_id: Callable[[Incoming], str] = lambda _: ""


def from_header(header: str) -> Callable[[Incoming], str]:
    """The function that takes a header's value; it raises `Unnamed` when that is missing or too long."""
    key = header.lower()

    def value_of(incoming: Incoming) -> str:
        value = incoming.headers.get(key, "")
        if not value or len(value) > MAX_NAME_CHARS:
            raise Unnamed(f"The header {header} is missing or too long.")
        return value

    return value_of


def decoded(decoder: msgspec.json.Decoder[T], body: bytes, title: str, event: str, *, lenient: bool = False) -> T:
    """The body as the decoder's type; raises `Unreadable`, also for JSON that is nested too deeply.

    ``lenient``: a detail that is not what the documentation says counts as missing, for senders that do not send again
    what was refused. What is required stays required.
    """
    try:
        return _without_odd_parts(decoder, body) if lenient else decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Unreadable(f"The body is not what {title} sends for {event!r}: {error}.") from error


def _without_odd_parts(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    content: Any = None
    for _ in range(MAX_ODD_PARTS):
        try:
            return decoder.decode(body)
        except msgspec.ValidationError as error:
            content = msgspec.json.decode(body) if content is None else content
            if not _take_out(content, str(error)):
                raise
            body = msgspec.json.encode(content)
    return decoder.decode(body)


def _take_out(content: Any, problem: str) -> bool:
    """Take the part out of the JSON that a problem of msgspec is at; answers whether there was one."""
    found = _AT.search(problem)
    way: list[tuple[str, str]] = _STEP.findall(found[1]) if found else []
    if not way:
        return False
    *before, last = way
    try:
        for name, index in before:
            content = content[int(index)] if index else content[name]
        if last[1]:
            was, content[int(last[1])] = content[int(last[1])], None
            return was is not None
        del content[last[0]]
    except (LookupError, TypeError, ValueError):
        return False
    return True
