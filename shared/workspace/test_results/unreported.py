"""The lines that look like failures and belong to no report of a test runner: what else went wrong in a run.

Test names tell nothing of a documentation that does not build behind the tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from shared.workspace.test_results.failing_lines import is_reason
from shared.workspace.test_results.normalise import normalise
from shared.workspace.test_results.text import stable

MOST_UNREPORTED: Final = 500
"""Different lines of one run that are kept, the first ones."""
_PYTEST_DETAILS: Final = re.compile(r"^=+ (?:FAILURES|ERRORS|warnings summary.*|PASSES|short test summary info) =+$")
_UNITTEST_DETAILS: Final = re.compile(r"^={70}$")
_END_OF_DETAILS: Final = re.compile(r"^=+ .* =+$|^Ran \d+ tests? in |^\d+ (?:failed|passed|error).* in [\d.]+s")
_TOLD_BY_RUNNERS: Final = re.compile(
    r"^(?:=+ )?(?:\d+ (?:failed|passed|error|skipped|deselected)|no tests ran).* in [\d.]+s"  # pytest
    r"|^FAILED \((?:failures|errors|skipped|expected|unexpected)|^\S+ \(\S+\)[^:]* \.\.\. "  # unittest
    r"|^(?:=== (?:RUN|PAUSE|CONT|NAME) |--- (?:PASS|SKIP|FAIL): |FAIL(?:\t|$)|ok  \t|\?   \t)"  # go
    r"|^(?:Tests|Test Suites|Snapshots):? |^ *(?:Tests|Test Files|Errors)  \d|^ ?(?:FAIL|PASS) +\S"  # jest, vitest
    r"|^(?:# Subtest: |(?:not )?ok \d|[#ℹ] (?:tests|suites|pass|fail|cancelled|skipped|todo) \d|✖ )"  # node
    r"|^test .+ \.\.\. |^test result: |^failures:$|^---- .+ ----$|^\d+ examples?, "  # cargo, rspec
    r"|^(?:\[\w+\] )?(?:Tests run|Tests): \d|^\[ +(?:OK|RUN|FAILED|PASSED) +\]"  # surefire, phpunit, gtest
    r"|::\S.* (?:PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b|^\[gw\d+\] | \.{3,}\s*(?:ok|OK|Passed|PASSED)\b"
)
_NUMBER: Final = re.compile(r"\d+")


def unreported(lines: Sequence[str]) -> tuple[str, ...]:
    """The lines, without what differs from run to run and without numbers: an edit moves lines and changes counts.

    Indented lines are details of what the line in front of them tells.
    """
    found: dict[str, None] = {}
    for line in _outside(lines):
        if line[:1].isspace() or _TOLD_BY_RUNNERS.search(line) or not is_reason(line):
            continue
        found[_NUMBER.sub("#", stable(normalise(line)))] = None
        if len(found) == MOST_UNREPORTED:
            break
    return tuple(found)


def _outside(lines: Sequence[str]) -> Iterator[str]:
    """The lines without the parts in which pytest and unittest show how each test failed."""
    inside = False
    details: list[str] = []
    for line in lines:
        if _PYTEST_DETAILS.match(line) or _UNITTEST_DETAILS.match(line):
            inside = True
        elif inside and _END_OF_DETAILS.match(line):
            inside = False
            details.clear()
        elif inside:
            details.append(line)
        else:
            yield line
    yield from details  # without an end nobody knows what they belong to
