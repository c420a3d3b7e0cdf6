"""Markdown of ours as a document of ADF, Jira Cloud's format, and as wiki markup, that of Data Center (pure).

Only nodes that do nothing but show text come out: no mentions, images, cards or macros that act.
Source: https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

Node = dict[str, Any]

_parser: Final = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_SUMMARY: Final = re.compile(r"<details><summary>(.*?)</summary>", re.DOTALL)
_TAG: Final = re.compile(r"<[^<>]*>")
_BOX: Final = re.compile(r"^\[([ x])\] ")
_MARKS: Final = {"strong_open": "strong", "em_open": "em", "s_open": "strike"}
_IN_ITEM: Final = frozenset({"paragraph", "bulletList", "orderedList", "codeBlock"})
_LANGUAGE: Final = re.compile(r"[a-z0-9+#-]{1,20}")


def document(markdown: str) -> Node:
    """The whole text as a document of version 1."""
    content = _Blocks(_parser.parse(markdown)).all()
    return {"type": "doc", "version": 1, "content": content or [_paragraph([])]}


class _Blocks:
    """The blocks of a list of tokens, read from the front."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def all(self) -> list[Node]:
        """The whole text; what stands between ``<details>`` and its end opens at a click."""
        made: list[Node] = []
        folded: Node | None = None
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token.type == "html_block":
                self._at += 1
                if found := _SUMMARY.search(token.content):
                    title = html.unescape(_TAG.sub("", found[1])).strip()
                    folded = {"type": "expand", "attrs": {"title": title}, "content": []}
                    made.append(folded)
                elif "</details>" in token.content:
                    folded = None
                continue
            (made if folded is None else folded["content"]).extend(self._next())
        return [each for each in made if each["type"] != "expand" or each["content"]]

    def _until(self, closing: str) -> list[Node]:
        self._at += 1
        made: list[Node] = []
        while self._tokens[self._at].type != closing:
            made.extend(self._next())
        self._at += 1
        return made

    def _next(self) -> list[Node]:
        token = self._tokens[self._at]
        match token.type:
            case "paragraph_open":
                return [_paragraph(content) for content in [self._inline()] if content]
            case "heading_open":
                level = int(token.tag[1:])
                return [{"type": "heading", "attrs": {"level": level}, "content": self._inline()}]
            case "bullet_list_open":
                return _list("bulletList", self._until("bullet_list_close"), {})
            case "ordered_list_open":
                return _list("orderedList", self._until("ordered_list_close"), {"order": _start(token)})
            case "list_item_open":
                content = list(_kept(self._until("list_item_close"), _IN_ITEM))
                if not content or content[0]["type"] not in ("paragraph", "codeBlock"):
                    content.insert(0, _paragraph([]))
                return [{"type": "listItem", "content": content}]
            case "blockquote_open":
                content = list(_kept(self._until("blockquote_close"), _IN_ITEM))
                return [{"type": "blockquote", "content": content}] if content else []
            case "table_open":
                return [{"type": "table", "content": self._rows()}]
            case "fence" | "code_block":
                self._at += 1
                return [_code_block(token)]
            case "hr":
                self._at += 1
                return [{"type": "rule"}]
            case _:
                self._at += 1
                return []

    def _inline(self) -> list[Node]:
        token = self._tokens[self._at + 1]
        self._at += 3
        return _texts(token.children or [])

    def _rows(self) -> list[Node]:
        rows: list[Node] = []
        while (token := self._tokens[self._at]).type != "table_close":
            self._at += 1
            match token.type:
                case "tr_open":
                    rows.append({"type": "tableRow", "content": []})
                case "th_open" | "td_open":
                    kind = "tableHeader" if token.type == "th_open" else "tableCell"
                    cell = _paragraph(_texts(self._tokens[self._at].children or []))
                    rows[-1]["content"].append({"type": kind, "attrs": {}, "content": [cell]})
                case _:
                    pass
        self._at += 1
        return rows


def _paragraph(content: list[Node]) -> Node:
    return {"type": "paragraph", "content": content}


def _list(kind: str, items: list[Node], attrs: Node) -> list[Node]:
    return [{"type": kind, **({"attrs": attrs} if attrs else {}), "content": items}] if items else []


def _start(token: Token) -> int:
    return min(int(token.attrGet("start") or 1), 1_000_000)


def _code_block(token: Token) -> Node:
    language = token.info.strip().lower()
    attrs = {"attrs": {"language": language}} if _LANGUAGE.fullmatch(language) else {}
    text = token.content.rstrip("\n")
    return {"type": "codeBlock", **attrs, "content": [{"type": "text", "text": text}] if text else []}


def _kept(nodes: Iterable[Node], allowed: frozenset[str]) -> Iterator[Node]:
    """The nodes, and of those that cannot stand there their paragraphs."""
    for node in nodes:
        if node["type"] in allowed:
            yield node
        elif node["type"] == "heading":
            yield _paragraph([_with(each, {"type": "strong"}) for each in node["content"]])
        else:
            yield from _kept(node.get("content", ()), allowed)


def _texts(tokens: Sequence[Token]) -> list[Node]:
    made: list[Node] = []
    marks: list[Node] = []
    for token in tokens:
        match token.type:
            case "text" | "text_special":
                text = (
                    _BOX.sub(lambda box: "☑ " if box[1] == "x" else "☐ ", token.content) if not made else token.content
                )
                _add(made, text, marks)
            case "code_inline":
                _add(made, token.content, [*(each for each in marks if each["type"] == "link"), {"type": "code"}])
            case "strong_open" | "em_open" | "s_open":
                marks.append({"type": _MARKS[token.type]})
            case "link_open":
                href = str(token.attrGet("href") or "")
                marks.append({"type": "link", "attrs": {"href": href}} if _leads_somewhere(href) else {"type": ""})
            case "strong_close" | "em_close" | "s_close" | "link_close":
                marks.pop()
            case "softbreak" | "hardbreak":
                made.append({"type": "hardBreak"})
            case "image":
                _add(made, token.content, marks)
            case _:
                pass
    return made


def _leads_somewhere(href: str) -> bool:
    return href.lower().startswith(("https://", "http://"))


def _add(made: list[Node], text: str, marks: Sequence[Node]) -> None:
    if not text:
        return
    kept = list({each["type"]: each for each in marks if each["type"]}.values())
    if made and made[-1]["type"] == "text" and made[-1].get("marks", []) == kept:
        made[-1] = {**made[-1], "text": made[-1]["text"] + text}
        return
    made.append({"type": "text", "text": text, **({"marks": kept} if kept else {})})


def _with(node: Node, mark: Node) -> Node:
    marks = node.get("marks", [])
    if node["type"] != "text" or any(each["type"] in ("code", mark["type"]) for each in marks):
        return node
    return {**node, "marks": [*marks, mark]}


_WIKI_MARKS: Final = {"strong": "{*}", "em": "{_}", "strike": "{-}"}
_ACTS: Final = re.compile(
    r"[\\{}\[\]!*_+^~|#&]"
    r"|(?<![A-Za-z0-9])-|-(?![A-Za-z0-9])"
    r"|\?(?=\?)|(?<=\?)\?"
    r"|\((?=(?:[!/x?yni+\-*]|on|off|flag|flagoff|\*[rgby])\))"
    r"|[:;](?=[)(PpDd])"
    r"|(?m:^(?:h(?=[1-6]\.)|b(?=q\.)))"
)
"""What wiki markup would act on; as an entity it is text. Source: Jira's own page of its notation."""


def wiki(document: Node) -> str:
    """A document as wiki markup."""
    return "\n\n".join(text for text in map(_wiki_block, document["content"]) if text)


def _wiki_block(node: Node, prefix: str = "") -> str:
    match node["type"]:
        case "paragraph":
            return _wiki_texts(node["content"])
        case "heading":
            return f"h{node['attrs']['level']}. {_wiki_texts(node['content'])}"
        case "codeBlock":
            text = "".join(each["text"] for each in node["content"]).replace("{noformat", "{ noformat")
            return f"{{noformat}}\n{text}\n{{noformat}}"
        case "bulletList" | "orderedList":
            return _wiki_list(node, prefix)
        case "blockquote":
            return "{quote}\n" + "\n\n".join(map(_wiki_block, node["content"])) + "\n{quote}"
        case "rule":
            return "----"
        case "table":
            return "\n".join(_wiki_row(row) for row in node["content"])
        case "expand":
            title = _escaped(node["attrs"]["title"])
            inner = "\n\n".join(map(_wiki_block, node["content"]))
            return f"{{panel:title={title}}}\n{inner}\n{{panel}}"
        case _:
            return ""


def _wiki_list(node: Node, prefix: str) -> str:
    here = prefix + ("*" if node["type"] == "bulletList" else "#")
    rows = []
    for item in node["content"]:
        first, *rest = item["content"]
        lines = [f"{here} {_wiki_block(first, here)}", *(_wiki_block(each, here) for each in rest)]
        rows.append("\n".join(lines))
    return "\n".join(rows)


def _wiki_row(row: Node) -> str:
    bar = "||" if row["content"] and row["content"][0]["type"] == "tableHeader" else "|"
    cells = [_wiki_texts(cell["content"][0]["content"]).replace("\n", " ") or " " for cell in row["content"]]
    return f"{bar}{bar.join(cells)}{bar}"


def _wiki_texts(nodes: Sequence[Node]) -> str:
    return "".join(_wiki_text(node) for node in nodes)


def _wiki_text(node: Node) -> str:
    if node["type"] == "hardBreak":
        return "\n"
    text = _escaped(node["text"])
    marks = {each["type"]: each for each in node.get("marks", [])}
    if "code" in marks:
        text = f"{{{{{text}}}}}"
    elif text.strip():
        for kind, sign in _WIKI_MARKS.items():
            text = f"{sign}{text}{sign}" if kind in marks else text
    if "link" in marks:
        href = re.sub(r"[\s|\]\[{}]", lambda each: f"%{ord(each[0]):02X}", marks["link"]["attrs"]["href"])
        text = f"[{text}|{href}]"
    return text


def _escaped(text: str) -> str:
    return _ACTS.sub(lambda found: "".join(f"&#{ord(each)};" for each in found[0]), text)
