"""The lines of an output that say what failed and why: for a person, and for the agent that repairs it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from shared.workspace.test_results.text import lines_of, plain

MAX_LINES: Final = 60
MAX_CHARACTERS: Final = 8 * 1024
TAIL_LINES: Final = 20
"""Lines of the end that stand for an output in which nothing looks like a failure."""
_NAMES_AT_MOST: Final = 40
"""Lines that name failures; the rest of ``MAX_LINES`` is for reasons."""
_WIDTH: Final = 400

_REASON: Final = re.compile(
    r"""
      ^E[ ]{2,}\S                                      # pytest
    | \b(?:error|fatal|panic|panicked|fail|failed|failure|failures|not[ ]found|cannot[ ]find|undefined)\b
    | \b(?:Error|FAIL|FAILED|FAILURE|ERROR|ERRORS|FATAL|Fatal|Failed|Failure|Cannot[ ]find|Unhandled)\b
    | ^\s*(?:Expected|Received|Actual|expected|actual|got|want|left|right)\b.{0,2}:
    | (?:[A-Za-z]Error|Exception|Failure)\b
    | ^\s*[\w./-]+_test\.go:\d+:[ ]
    | ^\s*assertion\b | \b[Aa]ssert(?:ion)?[ ].*(?:==|!=|is|in)\b
    | [Ss]egmentation[ ]fault | \bcore[ ]dumped\b | \bKilled\b | \bAborted\b | \bnot[ ]ok\b | \*\*\*
    | ^\s*[●✕✖✗✘×→]
    """,
    re.VERBOSE,
)
_GOOD: Final = re.compile(r"\b0 (?:errors?|fail(?:ed|ures?|ing)?)\b(?![,;|] *[1-9])|^\s*(?:PASS|ok|✓|✔)\b")
_BAD_AFTER_ALL: Final = re.compile(r"\b[1-9]\d{0,8} (?:errors?|fail)")


def failing_lines(output: str) -> tuple[str, ...]:
    """The lines that look like failures, else the end of the output: at most 60 lines and 8,192 characters."""
    return chosen(lines_of(plain(output)), ())


def chosen(lines: Sequence[str], naming: Iterable[int]) -> tuple[str, ...]:
    """The lines at the indexes ``naming`` and those that give reasons, in their order, without repetitions."""
    seen: set[str] = set()
    taken: list[int] = []

    def take(indexes: Iterable[int], at_most: int) -> None:
        for index in indexes:
            if len(taken) >= at_most:
                return
            text = lines[index].strip()
            if text and text not in seen:
                seen.add(text)
                taken.append(index)

    take(sorted(set(naming)), _NAMES_AT_MOST)
    take((index for index, line in enumerate(lines) if is_reason(line)), MAX_LINES)
    if not taken:
        take(range(len(lines) - 1, -1, -1), TAIL_LINES)
    return _within(lines[index][:_WIDTH] for index in sorted(taken))


def is_reason(line: str) -> bool:
    """Whether the line looks like a failure, or like the reason of one."""
    if _REASON.search(line) is None:
        return False
    return _GOOD.search(line) is None or _BAD_AFTER_ALL.search(line) is not None


def _within(lines: Iterable[str]) -> tuple[str, ...]:
    kept: list[str] = []
    room = MAX_CHARACTERS
    for line in lines:
        room -= len(line.encode("utf-8", "replace")) + 1
        if room < 0:
            break
        kept.append(line)
    return tuple(kept)
