"""The terminal and the dashboard mark the same characters: both are held to one file, which this writes.

``python -m tests.contract.test_hidden_characters_are_the_same_everywhere`` writes it anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from shared.ops.visible import visible

FILE: Final = Path(__file__).resolve().parents[2] / "web" / "tests" / "support" / "hidden.json"
TEXTS: Final = (
    "plain",
    "a\tb\nc\r\nd\re",
    "\x1b[31mred\x1b[0m",
    "API title \u202egnp.exe\u202c",
    'if level != "user\u202e \u2066# admin\u2069 \u2066":',
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "\u0915\u094d\u200d\u0937",
    "a\u200cb",
    "\U0001f469\u200d\U0001f4bb",
    "a\u200db",
    "\u2764\ufe0f",
    "1\ufe0f\u20e3",
    "a\ufe0f",
    "\u2764\ufe0f\ufe0f\ufe0f",
    "flag\U000e0067\U000e0062",
    "\ufeffBOM",
    "half \ud800 pair",
    "\x7f\x85\xad",
    "\ufdfa\u200c\u200c\u0628",
)


def document() -> dict[str, Any]:
    """The hidden characters as ranges of code points, both ends included, and texts with what is shown of them."""
    ranges: list[list[int]] = []
    for code in range(0x110000):
        alone = f"a{chr(code)}a"
        if visible(alone) == alone:
            continue
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return {"hidden": ranges, "texts": [[text, visible(text)] for text in TEXTS]}


def test_the_file_that_the_dashboard_is_held_to_is_what_the_terminal_marks() -> None:
    assert json.loads(FILE.read_text()) == document()


if __name__ == "__main__":
    FILE.write_text(json.dumps(document(), indent=1) + "\n")
