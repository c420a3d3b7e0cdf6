"""A Markdown text as its author's own words, line by line (pure): what is quoted, code, hidden, the text of a link or
an e-mail's tail is nobody's word here.

A CommonMark parser says what is code and what is a quotation, because GitHub shows the text by the same rules.
Source: https://spec.commonmark.org/0.31.2/ and, for tables, https://github.github.com/gfm/#tables-extension-
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from itertools import islice, takewhile
from typing import Final

import msgspec
from markdown_it import MarkdownIt
from markdown_it.token import Token

from services.gateway.inbound.email_tail import tails

MAX_CHARS: Final = 64 * 1024
"""A sender's limit for a comment; the parser does not see what lies behind."""
MAX_PARAGRAPH_CHARS: Final = 8 * 1024
"""So much of one paragraph is read: the time for hostile brackets grows with the square of its length."""

HIDDEN: Final = "\x00"
"""Stands for each character that is seen and is not said. No text of a stranger has it (`text.visible`)."""

_parser: Final = MarkdownIt("commonmark").enable(["strikethrough", "table"]).disable("inline")
"""It reads the blocks; of their paragraphs only those that matter are read further (`_lines_of`)."""

_UNSPOKEN_TAGS: Final = re.compile(
    r"<(/?)(?:blockquote|code|pre|samp|kbd|tt|del|s|strike|q|table|a)\b[^<>]*>", re.IGNORECASE
)


class Line(msgspec.Struct, frozen=True):
    """One line as a reader sees it. ``spoken`` is as long as ``seen`` and has `HIDDEN` where a character is in code.
    ``is_cell`` says that it is one of a table's cells.
    """

    seen: str
    spoken: str
    is_cell: bool = False


def own_lines(text: str, names: Collection[str]) -> list[list[Line]]:
    """The author's own lines, by paragraph, heading or item of a list, of those that have one of the names in them.

    The text has ``\\n`` line ends, and the names are in lower case.
    """
    text = text[:MAX_CHARS]
    references: dict[str, object] = {}
    tokens = _parser.parse(text, references)
    end = _tail_begins(text, tokens)
    found: list[list[Line]] = []
    quoted = unspoken = 0
    is_cell = False
    for token in tokens:
        match token.type:
            case "blockquote_open" | "blockquote_close":
                quoted += token.nesting
            case "table_open" | "table_close":
                is_cell = token.nesting > 0
            case "html_block":
                unspoken = _depth(unspoken, token.content)
            case "inline" if "<" in token.content or names_any(token.content, names):
                first = token.map[0] if token.map else 0
                lines, unspoken = _lines_of(token, references, unspoken, names)
                if is_cell:
                    lines = [msgspec.structs.replace(line, is_cell=True) for line in lines]
                if quoted == 0 and first < end:
                    found.append(lines[: end - first])
            case _:
                pass
    return found


def names_any(text: str, names: Collection[str]) -> bool:
    """Whether one of the names, in lower case, is in the text in any case."""
    lower = text.lower()
    return any(name in lower for name in names)


def _lines_of(
    inline: Token, references: dict[str, object], unspoken: int, names: Collection[str]
) -> tuple[list[Line], int]:
    seen, spoken, lines = "", "", []
    struck = 0
    is_linked = False
    children: list[Token] = []
    _parser.inline.parse(inline.content[:MAX_PARAGRAPH_CHARS], _parser, references, children)
    for at, child in enumerate(children):
        match child.type:
            case "text" | "text_special":
                seen += child.content
                spoken += HIDDEN * len(child.content) if struck or unspoken or is_linked else child.content
            case "code_inline":
                seen += child.content
                spoken += HIDDEN * len(child.content)
            case "softbreak" | "hardbreak":
                lines.append(Line(seen, spoken))
                seen = spoken = ""
            case "s_open" | "s_close":
                struck += child.nesting
            case "link_open":
                is_linked = not _is_a_name(islice(children, at + 1, None), names)
            case "link_close":
                is_linked = False
            case "html_inline":
                unspoken = _depth(unspoken, child.content)
            case _:
                pass
    return [*lines, Line(seen, spoken)], unspoken


def _is_a_name(linked: Iterable[Token], names: Collection[str]) -> bool:
    """Whether the text of a link is one of the names and nothing else, as where a sender links who is mentioned."""
    text = "".join(child.content for child in takewhile(lambda child: child.type != "link_close", linked))
    return text.strip().lower().removeprefix("@").removesuffix("[bot]") in names


def _depth(depth: int, html: str) -> int:
    """How many elements are open whose words are not the author's, after a piece of HTML."""
    for closing in _UNSPOKEN_TAGS.findall(html):
        depth = max(0, depth - 1) if closing else depth + 1
    return depth


def _tail_begins(text: str, tokens: list[Token]) -> int:
    """The number of the line at which an e-mail's tail begins, or that of the line behind the last one."""
    code = {line for token in tokens if token.type in ("fence", "code_block") for line in _span(token)}
    lines = text.split("\n")
    return next((at for at in tails(lines) if at not in code), len(lines) + 1)


def _span(token: Token) -> range:
    return range(*token.map) if token.map else range(0)
