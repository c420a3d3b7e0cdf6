"""Whether a run gave up at its first failures: then nothing is known of the tests behind them. And whether a process of
tests ended with 0 before it was done: an ``exit(0)`` in the code that they load is no pass.
"""

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


_GO_OK: Final = re.compile(r"^ok  \t\S+\t")
_GO_BEGINS: Final = re.compile(r"^(?:=== RUN   |ok  \t|FAIL\t|\?   \t)")
_GO_PASS: Final = re.compile(r"PASS$")
_CARGO_BEGINS: Final = re.compile(r"^running \d+ tests?$")
_CARGO_ENDS: Final = re.compile(r"^test result: ")
_PYTEST_BEGINS: Final = re.compile(r"^=+ test session starts =+$")
_PYTEST_ENDS: Final = re.compile(r"^=+ .*\bin \d[\d.]*s\b.* =+$")
_NODE_FILE: Final = re.compile(r"^(?:✔ |# Subtest: )\S+\.[cm]?[jt]sx?(?: \(\d[\d.]*ms\))?$")
"""Node names a file as one test where no test in it has begun."""
_TAP_PLAN: Final = re.compile(r"^1\.\.(\d{1,6})$")
_TAP_RESULT: Final = re.compile(r"^(?:not )?ok \d")


def ended_without_a_word(output: str) -> bool:
    """Whether a process of tests has ended, by all that a run with exit code 0 has printed, before its tests did."""
    lines = [line.rstrip() for line in output.splitlines()]
    return (
        _go_ended(lines)
        or _more(_CARGO_BEGINS, _CARGO_ENDS, lines)
        or _more(_PYTEST_BEGINS, _PYTEST_ENDS, lines)
        or any(map(_NODE_FILE.match, lines))
        or _plan_is_not_met(lines)
    )


def _go_ended(lines: Sequence[str]) -> bool:
    """Of verbose output: a package says ``PASS`` before the go command says that it is ok."""
    if not any(line.startswith("=== RUN   ") for line in lines):
        return False
    has_passed = False
    for line in lines:
        if _GO_OK.match(line) and not has_passed:
            return True
        has_passed = bool(_GO_PASS.search(line)) or (has_passed and not _GO_BEGINS.match(line))
    return False


def _more(begins: re.Pattern[str], ends: re.Pattern[str], lines: Sequence[str]) -> bool:
    return sum(1 for line in lines if begins.match(line)) > sum(1 for line in lines if ends.match(line))


def _plan_is_not_met(lines: Sequence[str]) -> bool:
    """Of one run that told at its begin how many tests there are, as bats does."""
    plans = [int(match[1]) for line in lines if (match := _TAP_PLAN.match(line))]
    return len(plans) == 1 and sum(1 for line in lines if _TAP_RESULT.match(line)) < plans[0]
