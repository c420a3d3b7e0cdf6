"""Addresses as they may be shown: on a console, in a file, in a log, in an error."""

from __future__ import annotations

import re
from typing import Final

_NEXT_SERVER: Final = re.compile(r",(?=\s*[a-z]+://)", re.IGNORECASE)


def without_credentials(servers: str) -> str:
    """NATS addresses, several with commas, without what stands before their hosts: user, password or token."""
    shown = []
    for server in _NEXT_SERVER.split(servers):
        scheme, separator, place = server.partition("://") if "://" in server else ("", "", server)
        shown.append(f"{scheme}{separator}{place.rpartition('@')[2]}")
    return ",".join(shown)
