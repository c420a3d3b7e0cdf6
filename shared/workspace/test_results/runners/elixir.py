"""ExUnit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from shared.workspace.test_results.reading import Reading

_NUMBERED: Final = re.compile(r"^ {1,3}\d{1,6}\) ((?:test|doctest|property) .+) \(([\w.]+)\)$")
_TOTALS: Final = re.compile(r"^(?:\d{1,9} \w+, ){0,3}(\d{1,9}) tests?, (\d{1,9}) failures?(?:, .*)?$")
_NOT_PASSED: Final = re.compile(r"\b(\d{1,9}) (?:skipped|excluded|invalid)")


def exunit(lines: Sequence[str]) -> Reading:
    """Names ``Module: test name``."""
    found = Reading(runner="exunit")
    for index, line in enumerate(lines):
        if match := _NUMBERED.match(line):
            found.fail(f"{match[2]}: {match[1]}", index)
        elif match := _TOTALS.match(line):
            others = sum(int(number) for number in _NOT_PASSED.findall(line))
            found.count(max(0, int(match[1]) - int(match[2]) - others), int(match[2]))
    return found
