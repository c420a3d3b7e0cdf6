"""Links of strangers: a page shows them as something to click, so a script or a file must not be one."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

MAX_CHARS: Final = 2048
"""More than any sender's address of one of its pages."""

_BLANK: Final = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
"""Browsers drop some of these and take a backslash for a slash, so they may see another address than we do."""


def web_link(url: str) -> str:
    """The address as it is when it is ``http`` or ``https`` with a host, else the empty string."""
    if len(url) > MAX_CHARS or _BLANK.search(url):
        return ""
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        # A host in brackets that is no IPv6 address.
        return ""
    return url if is_web else ""
