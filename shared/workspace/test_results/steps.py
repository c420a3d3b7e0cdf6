"""The steps of make, tox, npm, gradle, maven and pre-commit that failed: what no test name tells, a step's name may."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from shared.workspace.test_results.text import either

_STEPS: Final = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"^g?make(?:\[\d+\])?: \*\*\* \[(?:[^\]]*: )?([^\]\s]+)\] (?:Error \d+|[A-Z]\w+.*)$", r"make \1"),
        # With "-" before a line, or -i, make goes on behind a failure.
        (r"^g?make(?:\[\d+\])?: \[(?:[^\]]*: )?([^\]\s]+)\] Error (?!12[67] )\d+ \(ignored\)$", r"make \1"),
        (r"^ {2}([\w.-]+): FAIL code \d+", r"tox \1"),
        (r"^ERROR: {3}([\w.-]+): (?:commands failed|InvocationError.*)$", r"tox \1"),
        (r"^nox > \* ([\w.()-]+): failed$", r"nox \1"),
        (r"^npm (?:ERR!|error) Lifecycle script `([^`]+)` failed", r"npm run \1"),
        (r"^\s*npm (?:ERR!|error) in workspace: (\S+)", r"npm workspace \1"),
        (r"^Execution failed for task '([^']+)'\.$", r"gradle \1"),
        (
            r"^\[ERROR\] Failed to execute goal \S+?:([\w-]+-plugin):[^:\s]+:(\S+) .*on project (\S+?):",
            r"maven \1:\2 of \3",
        ),
        (r"^- hook id: (\S+)$", r"pre-commit \1"),
        (r"^error: Recipe `([^`]+)` failed", r"just \1"),
        (r"^task: Failed to run task \"([^\"]+)\"", r"task \1"),
    )
)
_ANY: Final = either(pattern.pattern for pattern, _ in _STEPS)


def failed_steps(lines: Sequence[str]) -> list[str]:
    """The names of the steps, as ``make lint``, in the order in which they failed."""
    found: dict[str, None] = {}
    for line in lines:
        for pattern, name in _STEPS if _ANY.match(line) else ():
            if match := pattern.match(line):
                found[match.expand(name)] = None
                break
    return list(found)
