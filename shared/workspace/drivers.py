"""Scripts in Python or Node that start other programs and look at none of their exit codes.

Read as text. A script with any sign of looking, or of judging by itself, is taken for one that does.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Final

from shared.workspace.judges.reach import reach_of
from shared.workspace.reached import text_of

_STARTS: Final = {
    ".py": re.compile(r"\bsubprocess\.(?:run|call|Popen|getoutput)\(|\bos\.(?:system|popen|spawn\w+)\("),
    ".js": re.compile(r"\b(?:spawn|spawnSync|exec|execFile|fork)\("),
}
_LOOKS: Final = {
    ".py": re.compile(
        r"\bcheck\s*=|\bcheck_(?:call|output|returncode)\b|\breturncode\b|\bexit\b|\b_exit\b|\braise\b|\bSystemExit\b"
        r"|\bwait\(|^[ \t]*assert\b|\bself\.assert|=\s*(?:subprocess\.call|os\.system)\(|\b(?:if|or|and|not|return)\b.*"
        r"(?:subprocess\.call|os\.system)\(",
        re.MULTILINE,
    ),
    ".js": re.compile(r"\.status\b|\bstatus\b.*\}|\bexit\w*\b|\bcode\b|\berr(?:or)?\b|\bthrow\b|\bassert\b|\bawait\b"),
}
_KINDS: Final = {".py": ".py", ".js": ".js", ".cjs": ".js", ".mjs": ".js"}


def drivers_that_do_not_look(command: str, checkout: Path) -> list[tuple[str, int]]:
    """Such scripts that the command reaches in ``checkout``: the path, and in how many places it starts a program."""
    read = partial(text_of, checkout)
    found = []
    for path in sorted(reach_of([command], read).scripts):
        kind = _KINDS.get(Path(path).suffix)
        text = read(path) if kind else ""
        if kind and (starts := len(_STARTS[kind].findall(text))) and not _LOOKS[kind].search(text):
            found.append((path, starts))
    return found
