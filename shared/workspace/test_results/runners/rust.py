"""``cargo test`` and ``cargo nextest``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from shared.workspace.test_results.reading import Reading
from shared.workspace.test_results.text import numbered

_BEGUN: Final = re.compile(r"^running \d+ tests?$")
_TARGET: Final = re.compile(r"^\s+Running (?:unittests )?(\S+) \((?:\S*/)?(\S+?)(?:-[0-9a-f]{16})?(?:\.exe)?\)$")
_DOC: Final = re.compile(r"^\s+Doc-tests (\S+)$")
_RESULT: Final = re.compile(r"^test (.+) \.\.\. FAILED\b")
_OK: Final = re.compile(r"^test (.+) \.\.\. ok$")
_LISTED: Final = re.compile(r"^    (\S.*)$")
_TOTALS: Final = re.compile(r"^test result: \S+ (\d{1,9}) passed; (\d{1,9}) failed;")
_NOT_COMPILED: Final = re.compile(r"^error: (could not compile `[^`]+`(?: \([^)]*\))?)")
_CARGO: Final = re.compile(
    r"^error: ((?:failed to (?:parse|load|read|select|get)|no matching package|could not find `Cargo).*)$"
)
_EXPECTATION: Final = re.compile(r" - (?:should panic|compile fail|compile|should_panic)$")
_LINE: Final = re.compile(r" \(line \d+\)$")
_NEXTEST: Final = re.compile(
    r"^\s+(?:TRY \d+ )?(?:FAIL|FAIL \+ LEAK|LEAK-FAIL|TIMEOUT|TMT|ABORT|SIG[A-Z0-9]+) \[[ >.\d]+s\] "
    r"(?:\( *\d+/\d+\) )?(\S+) (\S.*)$"
)
_SUMMARY: Final = re.compile(r"^\s+Summary \[[ .\d]+s\]")
_COUNTS: Final = re.compile(r"\b(\d{1,9}) (passed|failed|timed out)\b")


def cargo(lines: Sequence[str]) -> Reading:
    """Names ``crate (src/lib.rs) module::test``; doc-tests without their line, as an edit above them moves it."""
    found = Reading(runner="cargo")
    target = ""
    listing = False
    seen: dict[tuple[str, str], int] = {}
    passed: list[tuple[str, str]] = []
    begun: tuple[int, str] | None = None
    for index, line in enumerate(lines):
        if (starts := _BEGUN.match(line)) or line.startswith("test result: "):
            if begun and starts:
                found.break_(f"cargo: {begun[1]}the tests ended early", begun[0])
            begun = (index, target) if starts else None
        if match := _TARGET.match(line):
            target, listing = f"{match[2]} ({match[1]}) ", False
        elif match := _DOC.match(line):
            target, listing = f"{match[1]} (doc) ", False
        elif line == "failures:":
            listing = True
        elif listing and (match := _LISTED.match(line)):
            seen.setdefault((target, _EXPECTATION.sub("", match[1])), index)
        elif line.startswith("test result: ") and (match := _TOTALS.match(line)):
            found.count(int(match[1]), int(match[2]))
            listing = False
        elif line.startswith("test ") and (match := _RESULT.match(line)):
            seen.setdefault((target, _EXPECTATION.sub("", match[1])), index)
        elif line.startswith("test ") and (match := _OK.match(line)):
            passed.append((target, _EXPECTATION.sub("", match[1])))
        elif line.startswith("---- "):
            listing = False
        elif (match := _NOT_COMPILED.match(line)) or (match := _CARGO.match(line)):
            found.break_(f"cargo: {match[1]}", index)
    if begun:
        found.break_(f"cargo: {begun[1]}the tests ended early", begun[0])
    found.failed += numbered(f"{target}{_LINE.sub('', test)}" for target, test in seen)
    found.lines += seen.values()
    if passed:
        found.ran += [*found.failed, *numbered(f"{target}{_LINE.sub('', test)}" for target, test in passed)]
    return found


def nextest(lines: Sequence[str]) -> Reading:
    """Names ``binary-id test``. Only what is listed after the summary has failed for good, after all retries."""
    found = Reading(runner="nextest")
    during: dict[str, int] = {}
    final: dict[str, int] = {}
    current, ended = during, False
    for index, line in enumerate(lines):
        if _SUMMARY.match(line):
            current, ended = final, True
            counts = {word: int(number) for number, word in _COUNTS.findall(line)}
            found.count(counts.get("passed", 0), counts.get("failed", 0) + counts.get("timed out", 0))
        elif " [" in line and (match := _NEXTEST.match(line)):
            current.setdefault(f"{match[1]} {match[2]}", index)
    for name, index in (final if ended else during).items():
        found.fail(name, index)
    return found
