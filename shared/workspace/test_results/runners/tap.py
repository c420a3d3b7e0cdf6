"""The Test Anything Protocol (node, tap, bats, prove) and the tree that ``node --test`` prints for people."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from shared.workspace.test_results.reading import Reading
from shared.workspace.test_results.runners.javascript import not_loaded
from shared.workspace.test_results.text import numbered

_RESULT: Final = re.compile(r"^( *)not ok\b(?: (\d{1,9}))?(?: -)?(?: (.*))?$")
_PASSED: Final = re.compile(r"^ok \d{1,9}(?: |$)")
_PLAN: Final = re.compile(r"^1\.\.\d{1,9}$")
_PROVEN: Final = re.compile(r"^Files=\d{1,9}, Tests=(\d{1,9}),")
_SUBTEST: Final = re.compile(r"^( *)# Subtest: (.*)$")
_EXCUSED: Final = re.compile(r"(?i)(?<!\\)#\s?(?:todo|skip)\b")
_TOTAL: Final = re.compile(r"^(?:# |ℹ )(pass|fail) (\d{1,9})$")
_TIME: Final = re.compile(r" \(\d[\d.]*m?s\)(?: +#.*)?$")
_SCRIPT: Final = re.compile(r"\.[cm]?[jt]sx?$")
_PROVE: Final = re.compile(r"^(\S+\.t)\s+\(Wstat: \d{1,9}(?: \([^)]{1,40}\))?(?: Tests: \d{1,9} Failed: (\d{1,9}))?")
_MORE: Final = re.compile(r"^ *#   Failed (?:\(TODO\) )?test(?: '(.*)')?(?: at (\S+) line \d+\.)?$")
_MORE_AT: Final = re.compile(r"^ *#   at (\S+) line \d+\.$")
"""What Test::More writes of a failing test, whose number ``prove`` tells only."""


class _Tree:
    """Failures of a tree of subtests. A parent that fails because of a child is no failure of its own."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._path: list[str] = []
        self._blamed: set[tuple[str, ...]] = set()

    def enter(self, depth: int, name: str) -> None:
        self._path[depth:] = [name]

    def fail(self, depth: int, name: str, line: int) -> None:
        path = (*self._path[:depth], name)
        if path in self._blamed:
            self._blamed.discard(path)
        elif len(path) == 1 and _SCRIPT.search(name):
            self._reading.break_(not_loaded(name), line)
        else:
            self._reading.fail(" > ".join(path), line)
        self._blamed |= {path[:end] for end in range(1, min(len(path), 20))}


def tap(lines: Sequence[str]) -> Reading:
    """Names ``suite > test``; of a test without a name, its number. What is marked TODO or SKIP has not failed."""
    found = Reading(runner="node" if any("duration_ms" in line for line in lines) else "tap")
    tree = _Tree(found)
    passed = 0
    named: dict[str, list[str]] | None = None
    for index, line in enumerate(lines):
        if _PASSED.match(line) and not _EXCUSED.search(line):
            passed += 1
        elif "All tests successful." in lines[max(0, index - 3) : index] and (match := _PROVEN.match(line)):
            found.count(passed=int(match[1]))
        if "# Subtest: " in line and (match := _SUBTEST.match(line)):
            tree.enter(len(match[1]) // 4, match[2].replace("\\#", "#"))
        elif "not ok" in line and (match := _RESULT.match(line)):
            if not _EXCUSED.search(match[3] or ""):
                tree.fail(len(match[1]) // 4, (match[3] or f"test {match[2]}").replace("\\#", "#"), index)
        elif line.startswith("# ") and (match := _TOTAL.match(line)):
            _count(found, match)
        elif match := _PROVE.match(line):
            named = _named_by_more(lines) if named is None else named
            for name in _of_prove(match[1], int(match[2] or 0), named.get(match[1], [])):
                found.fail(name, index)
    if found.passed is None and found.failures is None and any(map(_PLAN.match, lines)):
        # bats and others plan their tests, and count nothing at the end.
        found.count(passed, len(found.failed))
    return found


def _named_by_more(lines: Sequence[str]) -> dict[str, list[str]]:
    """The failing tests that Test::More names, by file; one without a name is a ``test``."""
    found: dict[str, list[str]] = defaultdict(list)
    for index, line in enumerate(lines):
        if "Failed" in line and (match := _MORE.match(line)):
            below = _MORE_AT.match(lines[index + 1]) if index + 1 < len(lines) else None
            if file := match[2] or (below and below[1]):
                found[file].append(match[1] or "test")
    return found


def _of_prove(file: str, failed: int, named: Sequence[str]) -> list[str]:
    """The failing tests of a file by their names, and others by their count; the file where it died."""
    names = [*named, *["test"] * (failed - len(named))]
    return numbered(f"{file}: {name}" for name in names) or [file]


def node(lines: Sequence[str]) -> Reading:
    """The same names as from node's TAP. The list of failing tests at the end has no suites and is left out."""
    found = Reading(runner="node")
    tree = _Tree(found)
    listed = False
    for index, line in enumerate(lines):
        name = line.lstrip(" ")
        depth = (len(line) - len(name)) // 2
        if name.startswith("▶ "):
            tree.enter(depth, _TIME.sub("", name[2:]))
        elif name.startswith("✖ failing tests:"):
            listed = True
        elif name.startswith("✖ ") and not listed and not _EXCUSED.search(name):
            tree.fail(depth, _TIME.sub("", name[2:]), index)
        elif line.startswith("ℹ ") and (match := _TOTAL.match(line)):
            _count(found, match)
            listed = False
    return found


def _count(reading: Reading, match: re.Match[str]) -> None:
    number = int(match[2])
    if match[1] == "pass":
        reading.count(passed=number)
    else:
        reading.count(failures=number)
