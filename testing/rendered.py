"""What a reader of GitHub gets of a Markdown text, as far as it acts: who is called, what is referred to or loaded."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from markdown_it import MarkdownIt

from testing.github_server import MAX_TEXT

# GitHub's filters find these in the rendered text outside code and links. After html-pipeline's MentionFilter and
# https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
_MENTION = re.compile(r"(?:^|[^a-zA-Z0-9])@([a-zA-Z0-9][a-zA-Z0-9-]*)")
_REFERENCE = re.compile(r"(?:^|[^a-zA-Z0-9_&])(?:[\w.-]+/[\w.-]+)?#(\d+)\b|(?:^|\W)GH-\d+", re.IGNORECASE)
_QUIET = frozenset({"code", "pre", "a", "script", "style"})
OWN_TAGS = frozenset({"details", "summary", "sub"})

_markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


class Reader(HTMLParser):
    """Collects what acts in a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.calls: list[str] = []
        self.references: list[str] = []
        self.tags: set[str] = set()
        self.comments: list[str] = []
        self._quiet = 0
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._flush()
        self.tags.add(tag)
        self._quiet += tag in _QUIET

    def handle_endtag(self, tag: str) -> None:
        self._flush()
        self._quiet -= tag in _QUIET

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_comment(self, data: str) -> None:
        self._flush()
        self.comments.append(data.strip())

    def close(self) -> None:
        super().close()
        self._flush()

    def _flush(self) -> None:
        if not self._quiet:
            self.calls += _MENTION.findall(self._text)
            self.references += [found[0] for found in _REFERENCE.finditer(self._text)]
        self._text = ""


def read(markdown: str) -> Reader:
    """The page as its reader gets it."""
    reader = Reader()
    reader.feed(_markdown.render(markdown))
    reader.close()
    return reader


def assert_harmless(markdown: str) -> None:
    """Nobody is called, nothing is referred to or loaded, and the text is short enough."""
    page = read(markdown)
    assert page.calls == []
    assert page.references == []
    assert not page.tags & {"img", "iframe", "script", "style", "svg", "picture", "video", "audio", "form", "input"}
    assert len(markdown.encode("utf-16-le", "surrogatepass")) // 2 <= MAX_TEXT
