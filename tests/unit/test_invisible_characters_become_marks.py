"""Foreign text: what steers a terminal or hides from a reader is a mark, and what people write stays readable."""

from __future__ import annotations

import json
import sys
import unicodedata

import pytest

from shared.ops.visible import is_blank, visible, visible_json


@pytest.mark.parametrize(
    ("character", "mark"),
    [
        ("\x1b", "␛"),
        ("\x00", "␀"),
        ("\r", "␍"),
        ("\x7f", "␡"),
        ("\x9b", "<U+009B>"),
        ("\xad", "<U+00AD>"),
        ("\u200b", "<U+200B>"),
        ("\u200d", "<U+200D>"),
        ("\u2028", "<U+2028>"),
        ("\u202e", "<U+202E>"),
        ("\u2066", "<U+2066>"),
        ("\u3164", "<U+3164>"),
        ("\ufeff", "<U+FEFF>"),
        ("\ufe0f", "<U+FE0F>"),
        ("\U000e0041", "<U+E0041>"),
        ("\U000e0100", "<U+E0100>"),
        ("\ud800", "<U+D800>"),
    ],
)
def test_an_invisible_character_becomes_its_mark(character: str, mark: str) -> None:
    assert visible(f"a{character}b") == f"a{mark}b"


def test_no_control_format_or_separator_character_of_unicode_is_left() -> None:
    readable = {"\n", "\t"} | {chr(code) for code in range(sys.maxunicode + 1) if _is_number_sign(chr(code))}
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp", "Cs"} and character not in readable:
            assert character not in visible(f"a{character}b"), hex(code)


def _is_number_sign(character: str) -> bool:
    """Whether the format character is drawn: the number and verse signs of Arabic, Syriac, Kaithi and Egypt."""
    return (0x600 <= ord(character) <= 0x8E2 and character != "\u061c") or 0x110BD <= ord(character) <= 0x1343F


@pytest.mark.parametrize(
    "text",
    [
        "two\tcolumns\nand two lines",
        "שלום עולם",
        "مرحبا بالعالم",
        "می\u200cخواهم",
        "क्\u200dष",
        "👩\u200d💻 and 👨\u200d👩\u200d👧",
        "❤\ufe0f\u200d🔥",
        "👩🏽\u200d🚀",
        "1\ufe0f⃣ ☎\ufe0e",
        "naïve façade, 東京, [red]",
    ],
)
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_a_text_hidden_behind_an_emoji_is_seen() -> None:
    assert visible("😀\ufe0f\ufe0f\U000e0121") == "😀\ufe0f<U+FE0F><U+E0121>"


def test_a_line_end_of_windows_is_a_line_end() -> None:
    assert visible("a\r\nb") == "a\nb"


def test_json_escapes_what_is_invisible_and_parses_to_the_same_value() -> None:
    value = {"title\u202e": "a\x1bb\x9bc\x7f\u2028\U000e0041\ufeff\r\n👩\u200d💻"}
    document = json.dumps(value, ensure_ascii=False)
    escaped = visible_json(document)
    assert json.loads(escaped) == value
    assert escaped == visible(escaped)
    assert "\\u202e" in escaped and "\\udb40\\udc41" in escaped


@pytest.mark.parametrize(
    "text", ["", " \n\t\u00a0", "\u200b\u200b", "\x00", "\ufeff \u2060", "\u3164", "\u2800", "\U000e0041"]
)
def test_a_text_that_nobody_can_see_is_blank(text: str) -> None:
    assert is_blank(text)
    assert not is_blank(f"{text}.{text}")


@pytest.mark.parametrize("text", ["a", "\u200bשלום", "می\u200cخواهم", "❤️", "0"])
def test_a_text_with_one_sign_that_is_drawn_is_not_blank(text: str) -> None:
    assert not is_blank(text)
