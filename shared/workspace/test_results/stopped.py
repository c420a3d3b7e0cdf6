"""Whether a run gave up at its first failures: then nothing is known of the tests behind them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_SAID: Final = re.compile(
    r"^!{3,} .+ !{3,}$"  # pytest, with -x, at a module that it could not import, by pytest.exit, by a signal
    r"|\(signal: \d+, SIG[A-Z]+\b"  # cargo, of a process of tests
    r"|^\s*(?:Cancel(?:l)?ing due to test failure|warning: \d+/\d+ tests? \S+ not run due to )"  # nextest
    r"|\bERR_PNPM_RECURSIVE_RUN_FIRST_FAIL\b"
    r"|^\[INFO\] \S.* \.{2,} SKIPPED\b"  # maven, the modules behind the one that failed
)
_CARGO_FAILED: Final = re.compile(r"^error: (?:doc)?test failed, to rerun pass ")
_CARGO_WENT_ON: Final = re.compile(r"^error: \d+ targets? failed:$")
_GO_PACKAGE: Final = re.compile(r"^FAIL\t\S+\t[\d.]+s$")
_ASKED: Final = re.compile(r"(?<![\w-])--?(?:bail|fail-?fast|stop-on-(?:failure|error|defect))(?![\w-])")
"""Options of jest, mocha, vitest, go, unittest, rspec and phpunit, which say nothing when they stop."""


def _said_by_go(before: Sequence[str]) -> bool:
    return any(line == "FAIL" for line in before)


def has_stopped(command: str, lines: Sequence[str]) -> bool:
    """By the lines of the output of a failed command, or by the options of the command."""
    if _ASKED.search(command) or any(_SAID.search(line) for line in lines):
        return True
    # The go command tells that a package failed; its tests say so themselves, unless the process ended before.
    if any(_GO_PACKAGE.match(line) and not _said_by_go(lines[max(0, at - 2) : at]) for at, line in enumerate(lines)):
        return True
    # Cargo says at the end how many targets have failed, where it went on to the others (--no-fail-fast).
    return any(map(_CARGO_FAILED.match, lines)) and not any(map(_CARGO_WENT_ON.match, lines))
