"""What the scripted reviewer finds in a diff: something at a new line of each file, and what it lacks (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from shared.claude.demo import repo as demo_repo

MOST: Final = 5
_HUNK: Final = re.compile(r"^@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")


def review_of(prompt: str) -> dict[str, Any]:
    """An answer in the reviewer's schema."""
    new = list(_new_lines(prompt))
    files = list(dict.fromkeys(path for path, _, _ in new))
    findings = [_finding(*_worst([each for each in new if each[0] == path])) for path in files[:MOST]]
    if files and not any("test" in path for path in files):
        lacking = {"path": files[0], "line": 0, "side": "RIGHT", "severity": "low"}
        findings.append({**lacking, "text": "No test comes with it that would fail without it."})
    changed = ", ".join(f"`{path}`" for path in files) or "nothing that could be read"
    return {
        "summary": f"The pull request changes {changed}. The scripted demo model has looked at its new lines, and "
        "judges nothing by itself.",
        "findings": findings,
    }


def _worst(new: list[tuple[str, int, str]]) -> tuple[str, int, str]:
    """The line of a file that is looked at: the mistake of the demo's repository, else its first one."""
    return next((each for each in new if _is_buggy(each[2])), new[0])


def _is_buggy(line: str) -> bool:
    return bool(line.strip()) and line.strip() in demo_repo.BUGGY


def _finding(path: str, line: int, text: str) -> dict[str, Any]:
    found = {"path": path, "line": line, "side": "RIGHT"}
    if _is_buggy(text):
        told = "The remainder of the division is dropped: three people who share 10.00 pay 9.99."
        return {**found, "severity": "high", "text": told}
    mended = {"suggestion": text.rstrip()} if text != text.rstrip() else {}
    return {**found, "severity": "low", "text": f"The first new line of `{path}`: is it what was meant?", **mended}


def _new_lines(diff: str) -> Iterator[tuple[str, int, str]]:
    """Path, number and text of each line that is new."""
    path, number = "", 0
    for line in diff.splitlines():
        if line.startswith("+++ b/"):
            path, number = line[6:].split("\t")[0], 0
        elif line.startswith("diff --git "):
            path, number = "", 0
        elif hunk := _HUNK.match(line):
            number = int(hunk[1])
        elif path and number and line.startswith("+"):
            yield path, number, line[1:]
            number += 1
        elif path and number and not line.startswith(("-", "\\")):
            number += 1
