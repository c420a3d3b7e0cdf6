"""Foreign Markdown for a terminal, with nothing in it hidden."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.markdown import Markdown

from shared.ops.visible import visible

_LANGUAGE: Final = re.compile(r"[\w+#.-]{0,16}")
"""What stands behind the fence of a code block when it only names a language."""
_HIDING: Final = ("html_block", "html_inline", "image", "link", "autolink", "reference", "entity")
"""The rules of Markdown after which a part of the source is not shown."""


def markdown(text: str) -> Markdown:
    """Foreign Markdown with everything in it visible.

    HTML comments, addresses of links and images, link definitions and entities stand there as they were written. The
    agent that works by a plan reads them, so the person who approves it must see them.
    """
    source = visible(text)
    parser = MarkdownIt("commonmark", {"html": False}).enable(["strikethrough", "table"])
    parser.disable(list(_HIDING))
    shown = Markdown(source, hyperlinks=False)
    shown.parsed = list(_with_tables_as_lists(parser, source))
    for token in shown.parsed:
        if token.type == "fence" and not _LANGUAGE.fullmatch(token.info.strip()):
            token.content, token.info = f"{token.info}\n{token.content}", ""
    return shown


def _with_tables_as_lists(parser: MarkdownIt, source: str) -> Iterator[Token]:
    """Each table as a list of its rows: a drawn one cuts long words, and leaves out the cells that have no head."""
    lines, inside = source.split("\n"), False
    for token in parser.parse(source):
        if token.type == "table_open" and token.map is not None:
            first, end = token.map
            yield from parser.parse("\n".join(_rows(lines[first:end])))
            inside = True
        elif token.type == "table_close":
            inside = False
        elif not inside:
            yield token


def _rows(lines: Sequence[str]) -> Iterator[str]:
    heads = _cells(lines[0])
    for line in lines[2:] or lines[:1]:
        named = zip_longest(heads if lines[2:] else [], _cells(line), fillvalue="")
        told = (f"{head}: {cell}" if head else cell for head, cell in named if cell)
        yield f"- {' · '.join(told) or '–'}"


def _cells(line: str) -> list[str]:
    """All that stands between bars, where no backslash takes their meaning."""
    line = line.strip().lstrip(">").strip()
    inner = line.removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]
