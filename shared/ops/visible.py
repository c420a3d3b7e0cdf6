"""Foreign text without invisible characters: what could steer a terminal, or hide from a reader, becomes a mark (pure).

Titles, plans, summaries and file names are written by strangers and by models. Among their characters there may be
terminal escapes, bidirectional overrides, and characters that take no room at all. A person who approves a plan must
see all of it, so each of them is replaced by a mark that one can read: a control picture (`␛`) or its code point
(`<U+202E>`).

Two things stay because a reader needs them. A joiner (U+200C, U+200D) stays between two letters of a script that joins
its letters (Persian, Hindi …), and U+200D stays between two emoji. One variation selector for text or emoji (U+FE0E,
U+FE0F) stays behind a sign that has these two forms. A second one in a row is a mark, because a row of them can carry
a hidden text.
"""

from __future__ import annotations

import re
from typing import Final

_INVISIBLE: Final = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 without tab and line feed, DEL, C1
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufeff\uffa0"  # soft hyphen, fillers, BOM …
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, line and paragraph separators, bidi controls
    "\ufe00-\ufe0f\ufff0-\ufffb"  # variation selectors, interlinear annotation
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # shorthand, music, tags
    "\ud800-\udfff"  # a surrogate alone cannot be printed at all
)
"""Unicode's Cc, Zl, Zp and Default_Ignorable_Code_Point (DerivedCoreProperties.txt), in a character class."""

_JOINING: Final = (
    "\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17b3\u17b6-\u17d3\u1820-\u1878\ufb50-\ufdff\ufe70-\ufefc"
)
"""Arabic, Syriac and their kin, the scripts of India, Myanmar, Khmer and Mongolian, in a character class."""
_EMOJI: Final = "\u2190-\u21ff\u2300-\u27bf\u2900-\u297f\u2b00-\u2bff\U0001f000-\U0001faff"
_TWO_FORMS: Final = f"#*0-9\u00a9\u00ae\u203c\u2049\u2122\u2139\u3030\u303d\u3297\u3299{_EMOJI}"

_SEEN: Final = re.compile(rf"[^\s\u2800{_INVISIBLE}]")
"""One character that a reader sees; U+2800 is the Braille sign without a dot."""

_PATTERN: Final = re.compile(
    f"(?<=[{_JOINING}])[\u200c\u200d](?=[{_JOINING}])"
    f"|(?<=[{_EMOJI}\ufe0f])\u200d(?=[{_EMOJI}])"
    f"|(?<=[{_TWO_FORMS}])[\ufe0e\ufe0f]"
    f"|(?P<invisible>[{_INVISIBLE}])"
)


def visible(text: str) -> str:
    """The text with a mark for each invisible character; tabs and line ends stay, and CR LF becomes LF."""
    return _PATTERN.sub(_mark, text.replace("\r\n", "\n"))


def is_blank(text: str) -> bool:
    """Whether a reader would see nothing: the text is empty, or holds only white space and invisible characters."""
    return _SEEN.search(text) is None


def visible_json(document: str) -> str:
    r"""The JSON document with ``\uXXXX`` for each invisible character; a parser reads the same value from it."""
    return _PATTERN.sub(_json_escape, document)


def _mark(found: re.Match[str]) -> str:
    character = found["invisible"]
    match ord(character) if character else None:
        case None:
            return found[0]
        case code if code < 0x20:
            return chr(0x2400 + code)
        case 0x7F:
            return "\u2421"
        case code:
            return f"<U+{code:04X}>"


def _json_escape(found: re.Match[str]) -> str:
    character = found["invisible"]
    if not character or character == "\r":
        return found[0]
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
