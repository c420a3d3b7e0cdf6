"""What an output says of failures where no runner counts tests: a script of people's own may end with 0 all the same.

Whether the words mean a failure nobody can tell; that they were not said at the base commit is told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from shared.workspace.test_results.normalise import normalise
from shared.workspace.test_results.text import stable

MOST_COMPLAINTS: Final = 500
"""Different lines of one run that are kept, the first ones."""
_ANY: Final = re.compile(r"(?i:fail|error|fatal|broken)|[✕✖✗✘❌]|not ok")
"""Looked for in the whole output first: most have none."""
_COUNTED: Final = re.compile(
    r"\b[1-9]\d{0,8} (?:[a-z]+ )?(?:failed|failing|failures?|errors?|broken)\b"
    r"|\b(?:failed|failing|failures?|errors?|broken)\s{0,3}[:=]\s{0,3}[1-9]",
    re.IGNORECASE,
)
_SAID: Final = re.compile(
    r"\b(?:FAIL(?:ED|URES?)?|ERRORS?|FATAL)\b(?![\w./-]*[\w/])|^\s{0,20}(?:\S{1,40} )?[✕✖✗✘❌]|\bnot ok\b"
    r"|^(?:Error|Failed|Failure)\b|\b(?:tests?|checks?|steps?|specs?|assertions?) failed\b"
)
_NONE: Final = re.compile(
    r"\b(?:0|no|zero|without)(?: [a-z]+)? (?:errors?|fail\w*)\b"
    r"|\b(?:errors?|fail\w*)\s{0,3}[:=]\s{0,3}(?:0|none|no)\b(?! \w)",
    re.IGNORECASE,
)


def complaints_in(lines: Sequence[str]) -> tuple[str, ...]:
    """The lines that speak of a failure, without what differs from run to run; sorted."""
    found: set[str] = set()
    for line in lines:
        if len(found) == MOST_COMPLAINTS:
            break
        if _ANY.search(line) and (_COUNTED.search(line) or (_SAID.search(line) and not _NONE.search(line))):
            found.add(stable(normalise(line)))
    return tuple(sorted(found - {""}))
