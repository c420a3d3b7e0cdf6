"""Jira's texts as Markdown: wiki markup and documents of ADF (pure).

Quotations and code stay quotations and code, so that words in them address nobody. What is not known is passed over,
and its text stays.

Source: https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/ and
https://jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=all
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from services.gateway.inbound.jira_payloads import Rich

MAX_CHARS: Final = 256 * 1024
MAX_NODES: Final = 20_000

_CODE: Final = re.compile(r"\{(code|noformat)(?::[^}\n]{0,200})?\}(.*?)(?:\{\1\}|\Z)", re.DOTALL)
_QUOTE: Final = re.compile(r"\{quote\}(.*?)(?:\{quote\}|\Z)", re.DOTALL)
_ACCOUNT: Final = re.compile(r"\[~(?:accountid:)?([^\]\n]{1,200})\]")
_LINK: Final = re.compile(r"\[([^\]|\n]{1,500})\|([^\]\s|]{1,2000})(?:\|[^\]\n]{0,100})?\]")
_BARE_LINK: Final = re.compile(r"\[((?:https?|mailto):[^\]\s|]{1,2000})\]")
_MACRO: Final = re.compile(r"\{(?:color|panel|anchor)(?::[^}\n]{0,200})?\}")
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
    text = _MONO.sub(r"`\1`", text)
    text = _IMAGE.sub(r"(image: \1)", text)
    return _BOLD.sub(r"**\1**", text)


def _fenced(code: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    body = code.strip("\n")
    return f"\n\n{fence}\n{body}\n{fence}\n\n"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.strip().split("\n"))


# ---- ADF


def _adf(document: dict[str, Any], own: set[str], mention: str) -> str:
    """The document's text. It is walked without recursion: a hostile one is nested as deeply as it likes."""
    lines: list[str] = []
    line: list[str] = []
    # (node or closing text, prefix of its lines)
    waiting: list[tuple[Any, str]] = [(document, "")]
    seen = 0

    def end_line(prefix: str) -> None:
        lines.append(prefix + "".join(line))
        line.clear()

    while waiting and seen < MAX_NODES:
        node, prefix = waiting.pop()
        seen += 1
        if isinstance(node, str):
            end_line(prefix) if node == "\n" else line.append(node)
            continue
        if not isinstance(node, dict):
            continue
        kind, attrs = node.get("type"), node.get("attrs")
        attrs = attrs if isinstance(attrs, dict) else {}
        content = node.get("content")
        children = [child for child in content if isinstance(child, dict)] if isinstance(content, list) else []
        match kind:
            case "text":
                line.append(_marked(node))
            case "hardBreak":
                end_line(prefix)
            case "mention":
                account = str(attrs.get("id", "")).lower()
                line.append(mention if account in own else str(attrs.get("text") or f"@{account}"))
            case "emoji":
                line.append(str(attrs.get("text") or attrs.get("shortName") or ""))
            case "inlineCard" | "blockCard" | "embedCard":
                line.append(f"<{attrs.get('url', '')}>")
            case "date":
                line.append(str(attrs.get("timestamp", "")))
            case "status":
                line.append(str(attrs.get("text", "")))
            case "media":
                line.append(f"(attachment: {attrs.get('alt') or attrs.get('id') or 'file'})")
            case "rule":
                lines.extend((prefix + "---", prefix))
            case "codeBlock":
                code = "".join(str(child.get("text", "")) for child in children)
                lines.extend(prefix + each for each in _fenced(code).strip("\n").split("\n"))
                lines.append(prefix)
            case _:
                block = _blocks(kind, attrs, children, prefix)
                waiting.extend(reversed(block))
    if line:
        end_line("")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(each.rstrip() for each in lines)).strip()


def _blocks(kind: Any, attrs: dict[str, Any], children: list[Any], prefix: str) -> list[tuple[Any, str]]:
    """What a node with children comes to: its children and line ends, each with the prefix of its lines."""
    match kind:
        case "paragraph":
            return [*((child, prefix) for child in children), ("\n", prefix), ("\n", prefix)]
        case "heading":
            level = attrs.get("level")
            marks = "#" * (level if isinstance(level, int) and 1 <= level <= 6 else 1)
            return [(f"{marks} ", prefix), *((child, prefix) for child in children), ("\n", prefix), ("\n", prefix)]
        case "blockquote":
            return [(child, f"{prefix}> ") for child in children]
        case "listItem" | "taskItem" | "decisionItem":
            return [("* ", prefix), *((child, prefix) for child in children), ("\n", prefix)]
        case "tableRow":
            return [*((child, prefix) for child in children), ("\n", prefix)]
        case "tableCell" | "tableHeader":
            return [("| ", prefix), *((child, prefix) for child in children)]
        case _:
            return [(child, prefix) for child in children]


def _marked(node: dict[str, Any]) -> str:
    text = str(node.get("text", ""))
    marks = node.get("marks")
    for mark in marks if isinstance(marks, list) else ():
        kind = mark.get("type") if isinstance(mark, dict) else None
        match kind:
            case "code":
                return f"`{text.replace('`', ' ')}`"
            case "strong":
                text = f"**{text}**"
            case "strike":
                text = f"~~{text}~~"
            case "link":
                found = mark.get("attrs")
                href = found.get("href") if isinstance(found, dict) else None
                text = f"[{text}]({href})" if isinstance(href, str) else text
    return text
