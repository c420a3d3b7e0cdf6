"""The header ``Idempotency-Key`` (draft-ietf-httpapi-idempotency-key-header)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final

from litestar import Request
from litestar.params import Parameter

from services.gateway.problems import Problem
from shared.nats.idempotency import KEY

HEADER: Final = "Idempotency-Key"
_STRING: Final = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
"""A string of RFC 8941 (structured fields), which is what the draft asks for."""
_ESCAPED: Final = re.compile(r'\\(["\\])')


def read_key(values: Sequence[str]) -> str:
    """The key in the header's field lines, as a quoted string or as it is; raises `Problem` 400 for a malformed one."""
    if len(values) != 1:
        raise _malformed("it is there more than once")
    key = values[0].strip()
    if key.startswith('"'):
        string = _STRING.fullmatch(key)
        if string is None:
            raise _malformed("its quotes do not match")
        key = _ESCAPED.sub(r"\1", string.group(1))
    if not KEY.fullmatch(key):
        raise _malformed("it must have 1 to 255 visible ASCII characters")
    return key


def idempotency_key(
    request: Request[Any, Any, Any],
    sent: Annotated[
        str | None,
        Parameter(
            header=HEADER,
            description=(
                "1 to 255 visible ASCII characters that the client makes up for one request and sends again with each "
                "retry: for 24 hours the same key and body get the first answer, and another body gets 422"
            ),
        ),
    ] = None,
) -> str | None:
    """The key that came with the request, None without one: a dependency of the handlers."""
    return None if sent is None else read_key(request.headers.getall(HEADER.lower()))


def _malformed(why: str) -> Problem:
    return Problem(400, "idempotency-key-malformed", f"The header {HEADER} cannot be read: {why}.")
