"""Maven's surefire and failsafe, and gradle."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from shared.workspace.test_results.reading import Reading

_NEW: Final = re.compile(r"^(?:\[ERROR\] )?(?!Tests run:)(\S.*?) +(?:-- )?Time elapsed: .* <<< (?:FAILURE|ERROR)!$")
_OLD: Final = re.compile(r"^(.+)\(([\w.$]+)\)$")
_LISTED: Final = re.compile(
    r"^\[ERROR\] {2,3}([\w.$>-]+\.\w[\w$]*(?:\([^)]*\))?(?:\[[^\]]*\])?)(?::\d+)?(?:->\S+)?[ »]"
)
_TOTALS: Final = re.compile(
    r"^(?:\[(?:ERROR|INFO|WARNING)\] )?"
    r"Tests run: (\d{1,9}), Failures: (\d{1,9}), Errors: (\d{1,9}), Skipped: (\d{1,9})$"
)
_GRADLE: Final = re.compile(r"^(\S.* > .*\S) FAILED$")
_GRADLE_TOTALS: Final = re.compile(r"^(\d{1,9}) tests? completed, (\d{1,9}) failed(?:, (\d{1,9}) skipped)?")
_GRADLE_COMPILE: Final = re.compile(r"^> Task (:\S*?(?:compile|kapt|ksp|process)\S*) FAILED$")


def surefire(lines: Sequence[str]) -> Reading:
    """Names ``package.Class.method``; ``Class.method`` from the list of results where nothing better is printed."""
    found = Reading(runner="surefire")
    listed = Reading(runner="surefire")
    inside = False
    for index, line in enumerate(lines):
        if line.endswith(("<<< FAILURE!", "<<< ERROR!")) and (match := _NEW.match(line)):
            old = _OLD.match(match[1]) if "." not in match[1].partition("(")[0] else None
            found.fail(f"{old[2]}.{old[1]}" if old else match[1], index)
        elif match := _TOTALS.match(line):
            ran, failures, errors, skipped = (int(number) for number in match.groups())
            found.count(max(0, ran - failures - errors - skipped), failures + errors)
            inside = False
        elif line.startswith(("[ERROR] Failures:", "[ERROR] Errors:")):
            inside = True
        elif inside and (match := _LISTED.match(line)):
            listed.fail(match[1], index)
    if not found.failed:
        found.failed, found.lines, found.vague = listed.failed, listed.lines, True
    return found


def gradle(lines: Sequence[str]) -> Reading:
    """Names ``Class > method()``, with the classes and displays between; a task that compiles is broken."""
    found = Reading(runner="gradle")
    for index, line in enumerate(lines):
        if line.endswith(" FAILED"):
            if match := _GRADLE_COMPILE.match(line):
                found.break_(f"gradle: {match[1]}", index)
            elif not line.startswith("> Task ") and (match := _GRADLE.match(line)):
                found.fail(match[1], index)
        elif match := _GRADLE_TOTALS.match(line):
            ran, failures, skipped = int(match[1]), int(match[2]), int(match[3] or 0)
            found.count(max(0, ran - failures - skipped), failures)
    return found
