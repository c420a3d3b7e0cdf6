"""ctest and GoogleTest, and ``dotnet test``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from shared.workspace.test_results.reading import Reading

_CTEST: Final = re.compile(r"^\t? *\d{1,9} - (\S.*?) \((?!Not Run\)|Disabled\))[^()]+\)(?: +\S.*)?$")
_NOT_RUN: Final = re.compile(r"^\t? *\d{1,9} - (\S.*?) \(Not Run\)")
_PERCENT: Final = re.compile(r"^\d{1,3}% tests passed, (\d{1,9}) tests? failed out of (\d{1,9})")
_GTEST: Final = re.compile(r"^\[  FAILED  \] ([^\s,]+\.[^\s,]+)(?:, where .*)?(?: \(\d+ ms\))?$")
_GTEST_PASSED: Final = re.compile(r"^\[  PASSED  \] (\d{1,9}) tests?\.")
_GTEST_FAILED: Final = re.compile(r"^\[  FAILED  \] (\d{1,9}) tests?, listed below")
_DOTNET: Final = re.compile(r"^ {2}(?:Failed|X) (\S.*?) \[(?:< )?[\d.,]+ ?(?:ms|s|m)[ \w]*\]$")
_XUNIT: Final = re.compile(r"^\[xUnit\.net \S+\] +(\S.*) \[FAIL\]$")
_DOTNET_TOTALS: Final = re.compile(r"^(?:Failed|Passed)! +- Failed: +(\d{1,9}), Passed: +(\d{1,9})")


def ctest(lines: Sequence[str]) -> Reading:
    """Names as in ``add_test``. A test that could not be run is broken."""
    found = Reading(runner="ctest")
    listed = False
    for index, line in enumerate(lines):
        if line.startswith("The following tests FAILED:"):
            listed = True
        elif listed and (match := _CTEST.match(line)):
            found.fail(match[1], index)
        elif listed and (match := _NOT_RUN.match(line)):
            found.break_(f"{match[1]} (not run)", index)
        elif match := _PERCENT.match(line):
            found.count(max(0, int(match[2]) - int(match[1])), int(match[1]))
        else:
            listed = False
    return found


def gtest(lines: Sequence[str]) -> Reading:
    """Names ``Suite.Test``."""
    found = Reading(runner="gtest")
    for index, line in enumerate(lines):
        if not line.startswith("[  "):
            continue
        if match := _GTEST.match(line):
            found.fail(match[1], index)
        elif match := _GTEST_PASSED.match(line):
            found.count(passed=int(match[1]))
        elif match := _GTEST_FAILED.match(line):
            found.count(failures=int(match[1]))
    return found


def dotnet(lines: Sequence[str]) -> Reading:
    """Names ``Namespace.Class.Method(arguments)``; those that xUnit prints itself where the console logger is quiet."""
    found = Reading(runner="dotnet")
    printed: dict[str, int] = {}
    for index, line in enumerate(lines):
        if line.startswith("  ") and (match := _DOTNET.match(line)):
            found.fail(match[1], index)
        elif line.startswith("[xUnit") and (match := _XUNIT.match(line)):
            printed.setdefault(match[1], index)
        elif match := _DOTNET_TOTALS.match(line):
            found.count(int(match[2]), int(match[1]))
    if not found.failed:
        for name, index in printed.items():
            found.fail(name, index)
    return found
