"""Reading a webhook's body: never more bytes, and never for longer, than a sender may need."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import parse_qs

from shared.ops.limits import DEFAULTS

PATIENCE_S: Final = 10.0
"""The longest any sender waits for an answer: a body that takes longer has nobody waiting for it."""
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"

Receive = Callable[[], Awaitable[Any]]


class TooLarge(Exception):
    """More bytes than one body may have."""


class TooSlow(Exception):
    """Not here within `PATIENCE_S`."""


class TooMuchAtOnce(Exception):
    """All bodies that are being handled would be too many bytes."""


class Gone(Exception):
    """The sender hung up before its body was here."""


class BadForm(Exception):
    """A form without the one field ``payload``."""


def media_type(header: str) -> str:
    """``application/json`` of ``Application/JSON; charset=utf-8``."""
    return header.partition(";")[0].strip().lower()


def json_of(body: bytes, media: str) -> bytes:
    """The JSON bytes of a body: itself, or the field ``payload`` of a form. Raises `BadForm`."""
    if media == JSON:
        return body
    try:
        fields = parse_qs(body.decode("ascii"), strict_parsing=True, max_num_fields=20, errors="strict")
        (payload,) = fields["payload"]
    except (ValueError, KeyError) as error:
        raise BadForm("A form-encoded delivery carries its JSON in the one field `payload`.") from error
    return payload.encode()


class Bodies:
    """Reads bodies and counts the bytes that are held at one time."""

    def __init__(
        self,
        *,
        max_bytes: int = DEFAULTS.max_webhook_bytes,
        max_held_bytes: int = DEFAULTS.max_webhook_held_bytes,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.max_bytes = max_bytes
        self._max_held_bytes = max_held_bytes
        self._patience_s = patience_s
        self.held = 0
        """Bytes that are held right now."""

    async def read(self, receive: Receive, announced: str) -> bytes:
        """A whole body from ASGI's ``receive``; ``announced`` is the Content-Length header, or empty.

        Raises `TooLarge`, `TooSlow`, `TooMuchAtOnce`, `Gone`. The caller says `done` when it is through with the body.
        """
        if announced.isdecimal() and int(announced) > self.max_bytes:
            raise TooLarge
        try:
            async with asyncio.timeout(self._patience_s):
                return await self._read(receive)
        except TimeoutError as error:
            raise TooSlow from error

    def done(self, body: bytes) -> None:
        """The body is not needed any more."""
        self.held -= len(body)

    async def _read(self, receive: Receive) -> bytes:
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            body: bytes = message.get("body", b"")
            self._hold(len(body), 0)
            return body
        parts: list[bytes] = []
        size = 0
        try:
            while True:
                if message["type"] != "http.request":
                    raise Gone
                part = message.get("body", b"")
                self._hold(len(part), size)
                parts.append(part)
                size += len(part)
                if not message.get("more_body", False):
                    return b"".join(parts)
                message = await receive()
        except BaseException:
            self.held -= size
            raise

    def _hold(self, more: int, size: int) -> None:
        if size + more > self.max_bytes:
            raise TooLarge
        if self.held + more > self._max_held_bytes:
            raise TooMuchAtOnce
        self.held += more
