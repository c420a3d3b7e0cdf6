"""Outputs without names that differ in how much was looked at, or at which lines, and in nothing else: one more file is
no failure, and an edit moves what stands behind it.

How many problems there are, and how many files have one, is never such a number.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from typing import Final

from shared.workspace.test_results.failing_lines import is_reason

_NOUN: Final = (
    r"(?:files?|modules?|packages?|lines?|items?|targets?|sources?|documents?|pages?|directories|directory|folders?|"
    r"tests?|checks?|suites?|specs?|statements?|entries|rows?|objects?|symbols?|functions?|classes|links?|paths?)"
)
_DONE: Final = (
    r"(?:passed|passing|ok|succeeded|skipped|unchanged|checked|scanned|processed|analy[sz]ed|inspected|linted|"
    r"visited|read|parsed|loaded|validated|clean|valid)"
)
_BAD: Final = (
    r"(?:errors?|fail\w*|problems?|issues?|warnings?|would|needs?|invalid|broken|bad|not|without|missing|differ\w*|"
    r"wrong|too|violat\w*|reformatted|unformatted|changed|modified|incorrect|dirty|uncovered|vulnerab\w*|offen[sc]\w*)"
)
_OF_BAD: Final = rf"(?!(?: +[A-Za-z']+){{0,4}}? +{_BAD}\b)"
_NEUTRAL: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?<![\w.:/-])\d[\d,]*(?=(?: +[a-z]+)?? +{_NOUN}\b{_OF_BAD})",
        rf"(?<![\w.:/-])\d[\d,]*(?= +{_DONE}\b{_OF_BAD})",
        rf"(?:(?<=checked )|(?<=scanned )|(?<=processed )|(?<=inspected )|(?<=analyzed ))\d[\d,]*\b{_OF_BAD}",
        r"(?:(?<=files: )|(?<=checked: )|(?<=scanned: )|(?<=files = )|(?<=files=))\d[\d,]*\b",
    )
)
_PLACES: Final = re.compile(
    r"(?<=[\w\])]):\d+(?::\d+)?\b|(?<=\w)\(\d+(?:, ?\d+)?\)"
    r"|(?i:(?<=\bline )|(?<=\bline=)|(?<=\bcol=)|(?<=\bcolumn ))\d+\b"
)
"""Where something is in a file."""
_LISTED: Final = re.compile(
    r"\W*(?:check|scann?|lint|read|process|pars|load|compil|analy[sz]|inspect|format|validat|visit|open)(?:ing|ed)\b"
    r":? +\S+ *(?:\.{2,9}|…)?(?: *(?:ok|done|passed))?"
    r"|\S+ *(?:\.{2,9}|…|-|:)? *(?:ok|passed|unchanged|clean|valid|done)\.?"
    r"|(?:✓|✔|ok\b|pass\b)[\s:-]*\S+",
    re.IGNORECASE,
)


def same_but_for_totals(one: str, other: str, edited: Collection[str] = ()) -> bool:
    """Of two normalised outputs: whether all lines but those of what was looked at are the same, in any order.

    Where a line is about one of the ``edited`` files, the place in it does not count.
    """
    return _problems(one, edited) == _problems(other, edited)


def _problems(output: str, edited: Collection[str]) -> Counter[str]:
    lines = (_without_totals(line) for line in output.split("\n") if not _is_listed(line))
    return Counter(_PLACES.sub("<place>", line) if any(path in line for path in edited) else line for line in lines)


def _is_listed(line: str) -> bool:
    return _LISTED.fullmatch(line.strip()) is not None and not is_reason(line)


def _without_totals(line: str) -> str:
    for pattern in _NEUTRAL:
        line = pattern.sub("<total>", line)
    return line
