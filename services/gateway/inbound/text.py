"""Texts of strangers: what a person cannot see on the page, an agent does not get to read either."""

from __future__ import annotations

import re
from typing import Final

MAX_BYTES: Final = 64 * 1024
MAX_RAW_CHARS: Final = 256 * 1024
"""More than any sender's limit for a text: what lies behind is not even looked at."""

_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters; tab, line feed and carriage return stay
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e"  # soft hyphen, joiners, fillers, Mongolian selectors
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, line and paragraph separators, bidi overrides and isolates
    "\u3164\ufeff\uffa0\ufff9-\ufffb"  # Hangul fillers, byte order mark, interlinear annotation
    "\ud800-\udfff"  # halves of surrogate pairs: no UTF-8 can hold them
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"  # musical controls; tags and selectors, which can hold a whole text
)
_CONTROLS: Final = dict.fromkeys(code for code in (*range(32), 127) if chr(code) not in "\t\n\r")
"""The invisible ones of plain ASCII, which most texts are; twice as fast as the expression."""

_UNENDED: Final = re.compile(r"^ {0,3}<!--", re.MULTILINE)
"""A comment that opens a line and never ends hides the rest of the page (CommonMark 4.6, type 2)."""


def clean(text: str) -> str:
    """What a person sees of a text, at most `MAX_BYTES` of it."""
    return bounded(visible(text))


def visible(text: str) -> str:
    """The text without invisible characters and HTML comments, with ``\\n`` line ends."""
    # Invisible characters first: one inside `<!--` would hide the comment from the second step.
    text = text[:MAX_RAW_CHARS]
    seen = text.translate(_CONTROLS) if text.isascii() else _INVISIBLE.sub("", text)
    seen = seen.replace("\r\n", "\n").replace("\r", "\n")
    return _without_comments(seen) if "<!--" in seen else seen


def _without_comments(text: str) -> str:
    # By hand: a regular expression takes quadratic time over many openings without an end.
    parts: list[str] = []
    at = 0
    while (start := text.find("<!--", at)) >= 0:
        end = text.find("-->", start + 2)
        if end < 0:
            unended = _UNENDED.search(text, at)
            return "".join([*parts, text[at : unended.start()] if unended else text[at:]])
        parts.append(text[at:start])
        at = end + 3
    return "".join([*parts, text[at:]])


def bounded(text: str, limit: int = MAX_BYTES) -> str:
    """At most ``limit`` bytes of UTF-8, and a note where something was cut."""
    if len(text) * 4 <= limit:
        return text
    raw = text.encode()
    if len(raw) <= limit:
        return text
    kept = raw[:limit].decode("utf-8", "ignore")
    return f"{kept}\n\n[cut here by Journeyman: {len(raw) - limit} more bytes]"


def one_line(text: str, limit: int = 300) -> str:
    """The text as one line of at most ``limit`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
