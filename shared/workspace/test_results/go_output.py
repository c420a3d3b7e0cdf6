"""What ``go test`` prints without ``-v``, from what it prints with it, which it is asked for to tell what it ran.

Verbose, it shows what passing tests write: an error that a test expects is no failure of the run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_BEGINS: Final = "=== RUN   "
_ENDS: Final = ("ok  \t", "FAIL\t")
_SPEAKS: Final = re.compile(r"^=== (?:RUN|CONT|NAME) +(\S+)$")
_RESULT: Final = re.compile(r" *--- (?:PASS|SKIP): (\S+) \(")


def without_go_logs(lines: Sequence[str]) -> list[str]:
    """The lines, with an empty one for each that belongs to a passing test; results of tests stay."""
    found = list(lines)
    begun: int | None = None
    for index, line in enumerate(lines):
        if begun is None and line.startswith(_BEGINS):
            begun = index
        elif begun is not None and line.startswith(_ENDS):
            block = lines[begun:index]
            found[begun:index] = _results(block) if line.startswith("ok") else _failed(block)
            begun = None
    return found


def _results(block: Sequence[str]) -> list[str]:
    """Of a package that passed: no word but the results, which may stand behind what a test has written."""
    return [match[0] + line[match.end() :] if (match := _RESULT.search(line)) else "" for line in block]


def _failed(block: Sequence[str]) -> list[str]:
    """Of a package that failed: what its tests print is shown, what those that passed have logged is not."""
    passed = {match[1] for line in block if (match := _RESULT.search(line))}
    speaker, kept = "", []
    for line in block:
        if match := _SPEAKS.match(line):
            speaker = match[1]
        is_logged = line.startswith(" ") and "--- " not in line
        kept.append("" if is_logged and speaker in passed else line)
    return kept
