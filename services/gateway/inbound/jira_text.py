"""Jira's texts as Markdown: wiki markup and documents of ADF (pure).

Quotations and code stay quotations and code, so that words in them address nobody. What is not known is passed over,
and its text stays.

Source: https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/ and
https://jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=all
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from services.gateway.inbound.jira_payloads import Rich

MAX_CHARS: Final = 256 * 1024
MAX_NODES: Final = 20_000

_CODE: Final = re.compile(r"\{(code|noformat)(?::[^}\n]{0,200})?\}(.*?)(?:\{\1\}|\Z)", re.DOTALL)
_QUOTE: Final = re.compile(r"\{quote\}(.*?)(?:\{quote\}|\Z)", re.DOTALL)
_ACCOUNT: Final = re.compile(r"\[~(?:accountid:)?([^\]\n]{1,200})\]")
_LINK: Final = re.compile(r"\[([^\]|\n]{1,500})\|([^\]\s|]{1,2000})(?:\|[^\]\n]{0,100})?\]")
_BARE_LINK: Final = re.compile(r"\[((?:https?|mailto):[^\]\s|]{1,2000})\]")
_MACRO: Final = re.compile(r"\{(?:color|panel|anchor|expand|section|column)(?::[^}\n]{0,200})?\}")
_FILE: Final = re.compile(r"\[\^([^\]\n]{1,300})\]")
_HEADER: Final = re.compile(r"^\|\|(.{1,2000}?)\|\|[ \t]*$", re.MULTILINE)
_MONO: Final = re.compile(r"\{\{([^}\n]{1,500})\}\}")
_HEADING: Final = re.compile(r"^h([1-6])\.\s*", re.MULTILINE)
_BLOCK_QUOTE: Final = re.compile(r"^bq\.\s*", re.MULTILINE)
_NUMBERED: Final = re.compile(r"^(#+)\s+", re.MULTILINE)
_BULLETS: Final = re.compile(r"^(\*{2,6}|-{2,6})\s+", re.MULTILINE)
_BOLD: Final = re.compile(r"(?<![\w*])\*(?=\S)([^*\n]{1,500}?)(?<=\S)\*(?![\w*])")
_IMAGE: Final = re.compile(r"!([^!\n|]{1,300})(?:\|[^!\n]{0,200})?!")


def markdown_of(text: Rich, *, us: Sequence[str], mention: str) -> str:
    """The text as Markdown; a mention of one of our own accounts (``us``) becomes ``mention``."""
    own = {each.lower() for each in us}
    if isinstance(text, dict):
        return _adf(text, own, mention)
    return _wiki((text or "")[:MAX_CHARS].replace("\r\n", "\n").replace("\r", "\n"), own, mention)


# ---- wiki markup


def _wiki(text: str, own: set[str], mention: str) -> str:
    parts: list[str] = []
    at = 0
    for found in _CODE.finditer(text):
        parts.append(_prose(text[at : found.start()], own, mention))
        parts.append(_fenced(found[2]))
        at = found.end()
    parts.append(_prose(text[at:], own, mention))
    return "".join(parts).strip()


def _prose(text: str, own: set[str], mention: str) -> str:
    text = _QUOTE.sub(lambda found: f"\n\n{_quoted(found[1])}\n\n", text)
    text = _MACRO.sub("", text)
    text = _BLOCK_QUOTE.sub("> ", text)
    text = _NUMBERED.sub(lambda found: "   " * (len(found[1]) - 1) + "1. ", text)
    text = _BULLETS.sub(lambda found: "  " * (len(found[1]) - 1) + "* ", text)
    text = _HEADING.sub(lambda found: "#" * int(found[1]) + " ", text)
    text = _ACCOUNT.sub(lambda found: mention if found[1].lower() in own else f"@{found[1]}", text)
    text = _LINK.sub(r"[\1](\2)", text)
    text = _BARE_LINK.sub(r"<\1>", text)
    text = _FILE.sub(r"(attachment: \1)", text)
    text = _MONO.sub(r"`\1`", text)
    text = _HEADER.sub(_header, text)
    text = _IMAGE.sub(r"(image: \1)", text)
    return _BOLD.sub(r"**\1**", text)


def _header(found: re.Match[str]) -> str:
    cells = [each.strip() for each in found[1].split("||")]
    return f"| {' | '.join(cells)} |\n|{' --- |' * len(cells)}"


def _fenced(code: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    body = code.strip("\n")
    return f"\n\n{fence}\n{body}\n{fence}\n\n"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.strip().split("\n"))


# ---- ADF

_APART: Final = frozenset({"blockCard", "embedCard", "extension"})
"""What has no children and stands on a line of its own."""
CUT: Final = f"[cut here by Journeyman: the document has more than {MAX_NODES:,} parts]"


class _Place(NamedTuple):
    """Where a node stands: what its lines begin with, and whether its paragraphs follow one another closely."""

    prefix: str = ""
    close: bool = False


class _Line(StrEnum):
    """What is not text: the end of a line, that of a block, and that of a line which may be open."""

    END = "\n"
    BLANK = "\n\n"
    CLOSE = "\0"


class _Marker(NamedTuple):
    """What the next line begins with instead of ``prefix``: the bullet of an item."""

    text: str
    prefix: str


def _adf(document: dict[str, Any], own: set[str], mention: str) -> str:
    """The document's text. It is walked without recursion: a hostile one is nested as deeply as it likes."""
    lines: list[str] = []
    line: list[str] = []
    marker: _Marker | None = None
    waiting: list[tuple[Any, _Place]] = [(document, _Place())]
    left = MAX_NODES

    def end_line(prefix: str) -> None:
        nonlocal marker
        if marker is not None and prefix.startswith(marker.prefix):
            # A quotation inside of an item stays one.
            prefix = marker.text + prefix.removeprefix(marker.prefix)
        lines.append(prefix + "".join(line))
        line.clear()
        marker = None

    while waiting and left:
        node, place = waiting.pop()
        left -= 1
        match node:
            case _Marker():
                marker = node
            case _Line.END:
                end_line(place.prefix)
            case _Line.BLANK:
                if line or marker is not None:
                    end_line(place.prefix)
                lines.append(place.prefix)
            case _Line.CLOSE:
                if line:
                    end_line(place.prefix)
            case str():
                line.append(node)
            case {"type": "hardBreak"}:
                end_line(place.prefix)
            case {"type": "text"}:
                line.append(_marked(node))
            case {"type": "rule"}:
                lines.extend((f"{place.prefix}---", place.prefix))
            case {"type": "codeBlock"}:
                code = "".join(str(child.get("text", "")) for child in _children(node)).replace("\r", "\n")
                for each in _fenced(code).strip("\n").split("\n"):
                    line.append(each)
                    end_line(place.prefix)
                lines.append(place.prefix)
            case {"type": "tableRow"}:
                cells = [_cell(child, own, mention) for child in _children(node)]
                line.append(f"| {' | '.join(cells)} |")
                end_line(place.prefix)
                if cells and all(child.get("type") == "tableHeader" for child in _children(node)):
                    lines.append(f"{place.prefix}|{' --- |' * len(cells)}")
            case dict():
                said = _inline(node, own, mention)
                if said is None:
                    waiting.extend(reversed(_blocks(node, place)))
                else:
                    line.append(_unbroken(said))
                    if node.get("type") in _APART:
                        waiting.append((_Line.BLANK, place))
    if line:
        end_line("")
    if waiting:
        lines.extend(("", CUT))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(each.rstrip() for each in lines)).strip()


def _children(node: dict[str, Any]) -> list[dict[str, Any]]:
    content = node.get("content")
    return [child for child in content if isinstance(child, dict)] if isinstance(content, list) else []


def _attrs(node: dict[str, Any]) -> dict[str, Any]:
    attrs = node.get("attrs")
    return attrs if isinstance(attrs, dict) else {}


def _inline(node: dict[str, Any], own: set[str], mention: str) -> str | None:
    """What a node without children says; None for one that has some."""
    attrs = _attrs(node)
    match node.get("type"):
        case "mention":
            account = str(attrs.get("id", ""))
            return mention if account.lower() in own else str(attrs.get("text") or f"@{account}")
        case "emoji":
            return str(attrs.get("text") or attrs.get("shortName") or "")
        case "inlineCard" | "blockCard" | "embedCard":
            return f"<{attrs.get('url', '')}>" if attrs.get("url") else ""
        case "date":
            return _date(attrs.get("timestamp"))
        case "status":
            return str(attrs.get("text", ""))
        case "media" | "mediaInline":
            return f"(attachment: {attrs.get('alt') or attrs.get('id') or 'file'})"
        case "extension" | "inlineExtension":
            return str(attrs.get("text") or "")
        case "placeholder":
            # The editor's own words.
            return ""
        case _:
            return None


def _date(timestamp: Any) -> str:
    """Milliseconds since 1970 as a day."""
    try:
        return datetime.fromtimestamp(int(timestamp) / 1000, UTC).date().isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return str(timestamp or "")[:40]


def _blocks(node: dict[str, Any], place: _Place) -> list[tuple[Any, _Place]]:
    """What a node with children comes to: its children and line ends, each with its place."""
    attrs, children = _attrs(node), _children(node)
    inside = [(child, place) for child in children]
    match node.get("type"):
        case "paragraph":
            return [*inside, (_Line.END if place.close else _Line.BLANK, place)]
        case "heading":
            level = attrs.get("level")
            marks = "#" * (level if isinstance(level, int) and 1 <= level <= 6 else 1)
            return [(f"{marks} ", place), *inside, (_Line.BLANK, place)]
        case "blockquote":
            quoted = _Place(f"{place.prefix}> ")
            return [
                (_Line.CLOSE, place),
                *((child, quoted) for child in children),
                (_Line.CLOSE, quoted),
                (_Line.BLANK, place),
            ]
        case "bulletList" | "orderedList" | "taskList" | "decisionList":
            return _items(node, place)
        case "expand" | "nestedExpand" if attrs.get("title"):
            return [(f"**{_unbroken(str(attrs['title']))}**", place), (_Line.BLANK, place), *inside]
        case "mediaGroup":
            parts = [part for child in children for part in ((child, place), (_Line.END, place))]
            return [*parts, (_Line.BLANK, place)]
        case "mediaSingle" | "table":
            return [*inside, (_Line.BLANK, place)]
        case _:
            return inside


def _items(node: dict[str, Any], place: _Place) -> list[tuple[Any, _Place]]:
    """The items of a list; one inside of another is set in."""
    found: list[tuple[Any, _Place]] = []
    order = _attrs(node).get("order")
    number = order if isinstance(order, int) and not isinstance(order, bool) and 0 <= order < 10**6 else 1
    for child in _children(node):
        if child.get("type") in ("bulletList", "orderedList", "taskList", "decisionList"):
            found.append((child, _Place(f"{place.prefix}  ", close=True)))
            continue
        match node.get("type"):
            case "orderedList":
                bullet = f"{number}. "
                number += 1
            case "taskList":
                bullet = "* [x] " if _attrs(child).get("state") == "DONE" else "* [ ] "
            case "decisionList":
                bullet = "* Decided: "
            case _:
                bullet = "* "
        within = _Place(place.prefix + (" " * 3 if bullet[0].isdigit() else "  "), close=True)
        found.append((_Marker(place.prefix + bullet, within.prefix), within))
        # Items of tasks and decisions have their words without a paragraph.
        found += [*((each, within) for each in _children(child)), (_Line.CLOSE, within)]
    return found if place.close else [*found, (_Line.BLANK, place)]


def _cell(cell: dict[str, Any], own: set[str], mention: str) -> str:
    """A cell on one line. Code and quotations in it stay code, so that words in them address nobody."""
    parts: list[str] = []
    waiting: list[tuple[dict[str, Any], bool]] = [(cell, False)]
    left = MAX_NODES
    while waiting and left:
        node, is_hidden = waiting.pop()
        left -= 1
        kind = node.get("type")
        said = _marked(node) if kind == "text" else _inline(node, own, mention)
        if said is None:
            hides = is_hidden or kind in ("codeBlock", "blockquote")
            waiting.extend((child, hides) for child in reversed(_children(node)))
            parts.append(" " if parts else "")
        else:
            parts.append(f"`{said.replace('`', ' ')}`" if is_hidden and said.strip() else said)
    return " ".join("".join(parts).split()).replace("|", "\\|")


def _unbroken(text: str) -> str:
    """On one line: what stands behind a line's end would have left its quotation."""
    return text.replace("\r", " ").replace("\n", " ")


def _marked(node: dict[str, Any]) -> str:
    text = _unbroken(str(node.get("text", "")))
    marks = node.get("marks")
    for mark in marks if isinstance(marks, list) else ():
        kind = mark.get("type") if isinstance(mark, dict) else None
        match kind:
            case "code":
                return f"`{text.replace('`', ' ')}`"
            case "strong":
                text = f"**{text}**"
            case "em":
                text = f"*{text}*"
            case "strike":
                text = f"~~{text}~~"
            case "link":
                found = mark.get("attrs")
                href = found.get("href") if isinstance(found, dict) else None
                text = f"[{text}]({_unbroken(href)})" if isinstance(href, str) else text
    return text
