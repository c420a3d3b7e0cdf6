"""RSpec and minitest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from shared.workspace.test_results.reading import Reading
from shared.workspace.test_results.text import numbered

_EXAMPLE: Final = re.compile(r"^rspec '?(?:\./)?([^\s:\[']+)[^\s#]* # (.+)$")
_LOADING: Final = re.compile(r"^An error occurred while loading (?:\./)?(\S+?)\.?(?: - Did you mean.*)?$")
_OUTSIDE: Final = re.compile(r"^An error occurred in an? (.+)\.$")
_TOTALS: Final = re.compile(r"^(\d{1,9}) examples?, (\d{1,9}) failures?(?:, (\d{1,9}) pending)?")
_NUMBERED: Final = re.compile(r"^ {1,3}\d{1,6}\) (?:Failure|Error):$")
_TEST: Final = re.compile(r"^([\w:]+#[^\[]*?)(?: \[.*\])?:$")
_RUNS: Final = re.compile(
    r"^(\d{1,9}) (?:runs|tests), \d{1,9} assertions, (\d{1,9}) failures, (\d{1,9}) errors(?:, (\d{1,9}) skips)?"
)


def rspec(lines: Sequence[str]) -> Reading:
    """Names ``spec/file.rb: description``: an edit moves the line that rspec names an example by."""
    found = Reading(runner="rspec")
    names: list[str] = []
    for index, line in enumerate(lines):
        if line.startswith("rspec ") and (match := _EXAMPLE.match(line)):
            names.append(f"{match[1]}: {match[2]}")
            found.lines.append(index)
        elif match := _LOADING.match(line):
            found.break_(f"{match[1]} (not loaded)", index)
        elif match := _OUTSIDE.match(line):
            found.break_(f"rspec: error in {match[1]}", index)
        elif match := _TOTALS.match(line):
            ran, failures, pending = int(match[1]), int(match[2]), int(match[3] or 0)
            found.count(max(0, ran - failures - pending), failures)
    found.failed += numbered(names)
    return found


def minitest(lines: Sequence[str]) -> Reading:
    """Names ``Class#test``."""
    found = Reading(runner="minitest")
    for index, line in enumerate(lines):
        if _NUMBERED.match(line) and index + 1 < len(lines) and (match := _TEST.match(lines[index + 1])):
            found.fail(match[1], index + 1)
        elif match := _RUNS.match(line):
            ran, failures, skips = int(match[1]), int(match[2]) + int(match[3]), int(match[4] or 0)
            found.count(max(0, ran - failures - skips), failures)
    return found
