"""PHPUnit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from shared.workspace.test_results.reading import Reading

_SECTION: Final = re.compile(r"^There (?:was|were) \d{1,9} (\w+)")
_NUMBERED: Final = re.compile(r"^\d{1,6}\) (\S+::\S.*)$")
_DATA: Final = re.compile(r"( with data set (?:\"[^\"]*\"|#\S+)) \(.*$")
_TOTALS: Final = re.compile(r"^Tests: (\d{1,9}), Assertions: \d")
_GOOD: Final = re.compile(r"^OK \((\d{1,9}) tests?, ")
_NOT_PASSED: Final = re.compile(r"\b(Errors|Failures|Skipped|Incomplete|Risky): (\d{1,9})")
_FATAL: Final = re.compile(r"^(?:PHP )?((?:Fatal|Parse) error: .+?)(?: on line \d+|:\d+)?$")


def phpunit(lines: Sequence[str]) -> Reading:
    """Names ``Class::test with data set "x"``, without the data. Risky and incomplete tests have not failed."""
    found = Reading(runner="phpunit")
    failing = False
    for index, line in enumerate(lines):
        if match := _SECTION.match(line):
            failing = match[1] in {"error", "errors", "failure", "failures"}
        elif failing and (match := _NUMBERED.match(line)):
            found.fail(without_data(match[1]), index)
        elif match := _GOOD.match(line):
            found.count(passed=int(match[1]))
        elif match := _TOTALS.match(line):
            counts = {word: int(number) for word, number in _NOT_PASSED.findall(line)}
            found.count(
                max(0, int(match[1]) - sum(counts.values())), counts.get("Errors", 0) + counts.get("Failures", 0)
            )
            failing = False
        elif "error:" in line and (match := _FATAL.match(line)):
            found.break_(" ".join(match[1].split()), index)
    return found


def without_data(name: str) -> str:
    """The name without the values of its data set."""
    return _DATA.sub(r"\1", name)
