"""The output of a command as a person would see it: lines without colours, and names that two runs have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

MAX_OUTPUT: Final = 8 * 1024 * 1024
"""Characters of an output that are read: the first eighth and the end of a longer one."""
MAX_LINES: Final = 200_000
"""Lines of an output that are read, the first eighth and the end: a second of work per 100,000 lines."""
MAX_LINE: Final = 1000
"""Characters of a line that are read. It also bounds the work of every pattern."""
MAX_NAME: Final = 300
"""Characters of a test's name."""

_ESCAPES: Final = re.compile(
    r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[@-Z\\^_()][0-9A-Z]?)"
)
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")
_ADDRESS: Final = re.compile(r"\b0x[0-9a-fA-F]{5,32}\b")
_UUID: Final = re.compile(r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b")
_TEMPORARY: Final = re.compile(r"(?:/private)?(?:/var)?/(?:tmp|folders)/[^\s'\"`:,;()<>\[\]]+")
_ABSOLUTE: Final = re.compile(
    r"(?<![\w./~-])/(?:[^\s/'\"`:,;()<>\[\]]+/)+([^\s/'\"`:,;()<>\[\]]+/[^\s/'\"`:,;()<>\[\]]+)"
)


def bounded(output: str) -> str:
    """The output, or the beginning and the end of one that is longer than ``MAX_OUTPUT``."""
    if len(output) <= MAX_OUTPUT:
        return output
    head = MAX_OUTPUT // 8
    return f"{output[:head]}\n{output[head - MAX_OUTPUT :]}"


def plain(output: str) -> str:
    """The text without terminal codes and control characters, with ``\\n`` between lines.

    Of a line that a carriage return has overwritten, what was written last is kept.
    """
    text = _ESCAPES.sub("", bounded(output)).replace("\r\n", "\n")
    if "\r" in text:
        text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return _CONTROLS.sub("", text)


def lines_of(text: str) -> list[str]:
    """The lines of a plain text, at most ``MAX_LINES``, each cut at ``MAX_LINE``, without spaces at their ends."""
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        lines = lines[: MAX_LINES // 8] + lines[MAX_LINES // 8 - MAX_LINES :]
    return [line[:MAX_LINE].rstrip() for line in lines]


def without_paths(text: str, paths: Iterable[str]) -> str:
    """The text with every path below one of ``paths`` made relative, and each of ``paths`` itself a dot."""
    # The longest first: a checkout may lie in a folder that is given too.
    for path in sorted({path.rstrip("/") for path in paths}, key=len, reverse=True):
        if len(path) > 1:
            text = text.replace(f"file://{path}/", "").replace(f"{path}/", "")
            text = re.sub(rf"{re.escape(path)}(?![\w.-])", ".", text)
    return text


def same_everywhere(text: str) -> str:
    """The text without what differs between machines, folders and runs: addresses, random ids, temporary folders."""
    return _TEMPORARY.sub("<tmp>", _UUID.sub("<id>", _ADDRESS.sub("<address>", text)))


def stable(name: str) -> str:
    """A test's name as every run would give it, on one line, at most ``MAX_NAME`` characters."""
    short = _ABSOLUTE.sub(r"\1", same_everywhere(" ".join(name[: MAX_NAME * 4].split())))
    return short if len(short) <= MAX_NAME else f"{short[: MAX_NAME - 1]}…"


def either(patterns: Iterable[str]) -> re.Pattern[str]:
    """One pattern for all of them, to ask first: most lines match none. Its groups have no names."""
    return re.compile("|".join(re.sub(r"\?P<\w+>", "", pattern) for pattern in patterns))


def numbered(names: Iterable[str]) -> list[str]:
    """The names, where one that comes again has its count behind it: a fourth mistake of a kind is a new name."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = count = seen.get(name, 0) + 1
        result.append(name if count == 1 else f"{name} ({count})")
    return result
