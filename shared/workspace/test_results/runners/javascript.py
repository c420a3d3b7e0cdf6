"""jest, vitest and mocha, and their JSON (a report file, or a line of the output)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from shared.workspace.test_results.reading import Reading

_HEADER: Final = re.compile(r"^ ?(FAIL|PASS) +(\S.*)$")
_TIME: Final = re.compile(r" \(\d[\d.]* m?s\)$")
_COUNT: Final = re.compile(r"\b(\d{1,9}) (passed|failed)\b")
_NO_TEST: Final = ("Console", "Validation Warning", "Deprecation Warning", "Cannot log after tests are done")
_LOADING: Final = re.compile(r"^(\S.*?) \[ .+ \]$")
_NUMBERED: Final = re.compile(r"^ {2}(\d{1,6})\) (.*)$")
_MOCHA_COUNT: Final = re.compile(r"^\s*(\d{1,9}) (passing|failing)\b")
_BUN_FILE: Final = re.compile(r"^(\S+\.[cm]?[jt]sx?):$")
_BUN_TIME: Final = re.compile(r" \[[\d.]+m?s\]$")
_BUN_COUNT: Final = re.compile(r"^ *(\d{1,9}) (pass|fail)$")
_MAX_TITLE_LINES: Final = 20


def jest(lines: Sequence[str]) -> Reading:
    """Names ``file > describe > test``."""
    found = Reading(runner="jest")
    file: str | None = None
    for index, line in enumerate(lines):
        if match := _HEADER.match(line):
            file = relative(_TIME.sub("", match[2])) if match[1] == "FAIL" else None
        elif file is not None and line.startswith("  ● "):
            title = line[4:].strip()
            if title == "Test suite failed to run":
                found.break_(not_loaded(file), index)
            elif title not in _NO_TEST:
                found.fail(" > ".join([file, *title.split(" › ")]), index)
        elif line.startswith("Tests: "):
            _count(found, line)
    return found


def vitest(lines: Sequence[str]) -> Reading:
    """Names ``file > describe > test``, with ``|project|`` in front where there are several."""
    found = Reading(runner="vitest")
    for index, line in enumerate(lines):
        if line.startswith(" FAIL ") and (match := _HEADER.match(line)):
            if loading := _LOADING.match(match[2]):
                found.break_(not_loaded(loading[1]), index)
            elif " > " in match[2]:
                found.fail(match[2], index)
        elif line.startswith("      Tests  "):
            _count(found, line)
        elif line.startswith("Vitest caught ") and " unhandled error" in line:
            found.break_("vitest: unhandled errors", index)
    return found


def bun(lines: Sequence[str]) -> Reading:
    """Names ``file > describe > test``."""
    found = Reading(runner="bun")
    file = ""
    for index, line in enumerate(lines):
        if match := _BUN_FILE.match(line):
            file = match[1]
        elif line.startswith("(fail) "):
            found.fail(f"{file} > {_BUN_TIME.sub('', line[7:])}", index)
        elif match := _BUN_COUNT.match(line):
            number = int(match[1])
            found.count(passed=number) if match[2] == "pass" else found.count(failures=number)
    return found


def mocha(lines: Sequence[str]) -> Reading:
    """Names as mocha's full titles: the titles of the suites and of the test with spaces between."""
    found = Reading(runner="mocha")
    expected = 0
    for index, line in enumerate(lines):
        if match := _MOCHA_COUNT.match(line):
            number = int(match[1])
            if match[2] == "failing":
                expected = 1
                found.count(failures=number)
            else:
                found.count(passed=number)
        elif expected and line.startswith("  ") and (match := _NUMBERED.match(line)) and int(match[1]) == expected:
            found.fail(_title(match[2], lines[index + 1 : index + _MAX_TITLE_LINES]), index)
            expected += 1
    return found


def relative(file: str) -> str:
    """A file as the runners name it, without the leading ``./``."""
    return file.removeprefix("./")


def not_loaded(file: str) -> str:
    """The name of a test file that could not be run at all."""
    return f"{file} (not loaded)"


def _title(first: str, following: Iterable[str]) -> str:
    parts = [first.strip()]
    for line in following:
        if parts[-1].endswith(":") or not line.strip():
            break
        parts.append(line.strip())
    return " ".join(parts).removesuffix(":")


def _count(reading: Reading, line: str) -> None:
    counts = {word: int(number) for number, word in _COUNT.findall(line)}
    if counts:
        reading.count(counts.get("passed", 0), counts.get("failed", 0))
