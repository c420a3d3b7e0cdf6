"""Each line of docs/mentions.md is read as the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.gateway.inbound.mention import Mention, find_mention

PAGE = Path(__file__).resolve().parents[2] / "docs" / "mentions.md"
ROWS = re.findall(r"^\| `+ ?(.+?) ?`+ \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
IN_CODE = "`@agent stop`"


def told(mention: Mention | None) -> str:
    match mention:
        case None:
            return "nothing"
        case Mention(directive=""):
            return "a wish in plain language"
        case Mention(directive=word, argument=""):
            return f"`{word}`"
        case Mention(directive=word, argument=argument):
            return f'`{word}`, with "{argument}"'


def test_the_page_has_its_table() -> None:
    assert len(ROWS) >= 12
    assert IN_CODE in [text for text, _ in ROWS]


@pytest.mark.parametrize(("text", "meaning"), ROWS)
def test_what_somebody_writes_is_read_as_the_page_says(text: str, meaning: str) -> None:
    assert told(find_mention(text, "@agent")) == meaning
