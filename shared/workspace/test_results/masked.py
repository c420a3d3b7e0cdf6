"""What a command says has failed although it ended with 0: a pipe or ``|| true`` has lost the exit code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from shared.workspace.test_results.diagnostics import diagnostics, loading_errors
from shared.workspace.test_results.steps import failed_steps

_TOTALS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"^FAILED \((?:(?:failures|errors)=(\d{1,9}))(?:, errors=(\d{1,9}))?",  # unittest
        r"^\s*Tests:? +(\d{1,9}) failed\b",  # jest, vitest
        r"^(?:#|ℹ) fail (\d{1,9})$",  # node
        r"^test result: FAILED\. \d+ passed; (\d{1,9}) failed",  # cargo
        r"^\s*(\d{1,9}) failing$",  # mocha
        r"^(?:\[\w+\] )?Tests(?: run)?: \d+,.* Failures: (\d{1,9})\b(?:, Errors: (\d{1,9}))?",  # phpunit, surefire
        r"^\d+ examples?, (\d{1,9}) failures?\b",  # rspec
        r"^(FAIL)$",  # go, which counts none
    )
)
_AN_ERROR: Final = re.compile(
    r"^[^\s:]+(?::\d+(?::\d+)?|\(\d+,\d+\)): (?:fatal )?error\b|^\S+ - error TS\d+: |^CMake Error\b|^e: \S"
    r"|\bundefined reference to |^error(?:\[E\d+\])?: |^\[ERROR\] |^\[error\] |^\S+: \*\*\* "
    r"|^g?make(?:\[\d+\])?: \*\*\* |^npm (?:ERR!|error) "
)
"""Lines of compilers and make. Those of linters may be warnings, and a program that is not there may be optional."""
_TRACEBACK: Final = "Traceback (most recent call last):"
_RAISED: Final = re.compile(r"^[A-Za-z_][\w.]*(?::|$)")


def lost_count(lines: Sequence[str]) -> int:
    """How many tests failed by the last words of their runners, for an output in which no runner has named one."""
    counts = (match.groups("0") for line in lines for pattern in _TOTALS if (match := pattern.match(line)))
    return sum(1 if number == "FAIL" else int(number) for numbers in counts for number in numbers)


def masked_errors(lines: Sequence[str], *, tested: bool) -> list[str]:
    """Steps that failed and what could not be built; without a test runner (``tested``), what Python has raised too.

    In the output of a test runner an error of that kind may be what a test expects.
    """
    complaints = diagnostics(lines)
    errors = [
        name for name, index in zip(complaints.broken, complaints.lines, strict=True) if _AN_ERROR.search(lines[index])
    ]
    raised = [] if tested else [*loading_errors(lines).broken, *_raised(lines)]
    return list(dict.fromkeys([*failed_steps(lines), *errors, *raised]))


def _raised(lines: Sequence[str]) -> list[str]:
    """The errors at the ends of tracebacks."""
    found = []
    inside = False
    for line in lines:
        if line == _TRACEBACK:
            inside = True
        elif inside and line and not line.startswith(" "):
            inside = False
            if _RAISED.match(line):
                found.append(line)
    return found
