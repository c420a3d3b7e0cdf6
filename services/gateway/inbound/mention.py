"""``@agent approve v2 3fa94c11``: how people address us inside a text."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import msgspec

DIRECTIVES: Final = frozenset({"plan", "implement", "approve", "reject", "stop", "retry"})

_FENCE: Final = re.compile(r"^ {0,3}(`{3,}|~{3,})")


class Mention(msgspec.Struct, frozen=True):
    """We are addressed. ``directive`` is a known word or empty; ``argument`` is the rest of its line."""

    directive: str = ""
    argument: str = ""


def find_mention(text: str, word: str) -> Mention | None:
    """The first mention of ``word`` that is the author's own: not in a quotation, and not in code."""
    if word.lower() not in text.lower():
        return None
    pattern = _pattern(word)
    if pattern.search(text) is None:
        return None
    found = (match for line in _own_lines(text) if (match := pattern.search(line)))
    match = next(found, None)
    if match is None:
        return None
    first, _, rest = match.group("rest").strip().partition(" ")
    directive = first.strip(":,.!").lower()
    if directive not in DIRECTIVES:
        return Mention()
    return Mention(directive, rest.strip())


def _own_lines(text: str) -> list[str]:
    lines = []
    fence = ""
    for line in text.split("\n"):
        marker = _FENCE.match(line)
        if fence:
            if marker is not None and marker.group(1).startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        elif marker is not None:
            fence = marker.group(1)
        elif not line.lstrip().startswith(">"):
            lines.append(line)
    return lines


@lru_cache(maxsize=16)
def _pattern(word: str) -> re.Pattern[str]:
    # Not in an e-mail address or a path, not as the beginning of a longer name such as @agent-smith, not in `code`.
    return re.compile(rf"(?<![\w@/.`-]){re.escape(word)}(?![\w/`-]|\.\w)[ \t,:]*(?P<rest>.*)", re.IGNORECASE)
