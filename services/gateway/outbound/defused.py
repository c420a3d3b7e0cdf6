"""Texts of agents and strangers as Markdown that does nothing to its reader (pure).

On GitHub a text can do more than be read: it calls people (`@name`), links and closes issues (`Fixes #7`), loads images
that tell who reads (a beacon), hides words in HTML, and may carry a secret out of a repository. `defused` leaves what a
text says, and takes all of that out of it. A parser then looks at what was made: a text in which it still finds
anything alive is shown as code, in which nothing is.

GitHub finds mentions and references in the rendered text, so a backslash or an entity in front of them is no help; code
is the only place where they are left alone. Source: https://spec.commonmark.org/0.31.2/ and https://github.github.com/gfm/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from services.gateway.inbound.text import visible
from shared.ops.known_secrets import without_secrets

MAX_CHARS: Final = 60_000
"""Of a text that is read at all: GitHub takes no longer ones."""
MAX_PARAGRAPH_CHARS: Final = 8 * 1024
"""A longer paragraph is not looked into: the time for hostile brackets grows with the square of its length."""
CUT_NOTE: Final = "*Cut here; the whole is in the task.*"

_parser: Final = MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable("inline")

CALLING: Final = re.compile(
    r"\\*(?:"
    r"https?://[^\s<>`\[\]()]{0,500}(?:@|/(?:issues|pull|pulls|discussions|commit|compare)/)[^\s<>`\[\]()]{0,500}"
    r"|(?<![A-Za-z0-9])@[A-Za-z0-9](?:[A-Za-z0-9-]*)(?:/[A-Za-z0-9._-]+)?"
    r"|(?<![A-Za-z0-9])(?:[\w.-]{1,100}/[\w.-]{1,100})?#\d+"
    r"|(?<![A-Za-z0-9])[Gg][Hh]-\d+"
    r")"
)
"""What GitHub turns into a link that somebody is told about: a mention, a reference, an address that is one."""
_SPECIAL: Final = {"<": "&lt;", "&": "&amp;", "`": "&#96;"}
_ESCAPED: Final = re.compile(r"[<`]|&(?=#|[A-Za-z])")
_IMAGE: Final = re.compile(r"!\\*\[")
_TICKS: Final = re.compile(r"`+")
_FENCE: Final = re.compile(r"^([ \t]*)(`{3,}|~{3,})")
_INFO: Final = re.compile(r"[A-Za-z0-9+#._-]{1,30}")


def defused(text: str) -> str:
    """The text as harmless Markdown; what hides, calls, loads or is secret in it does not."""
    seen = without_secrets(visible(text))
    if len(seen) > MAX_CHARS:
        seen = seen[:MAX_CHARS].rpartition("\n")[0] or seen[:MAX_CHARS]
        return f"{_harmless(seen)}\n\n{CUT_NOTE}"
    return _harmless(seen)


def units(text: str) -> int:
    """The length of a text in UTF-16 code units: what the stricter readings of a limit count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _harmless(text: str) -> str:
    made = _rewritten(text)
    return made if not is_live(made) else as_code(text)


def is_live(markdown: str) -> bool:
    """Whether a reader's page would do anything but show the text: call, refer, load, or hide."""
    references: dict[str, object] = {}
    for token in _parser.parse(markdown, references):
        if token.type == "html_block":
            return True
        if token.type == "inline" and (len(token.content) > MAX_PARAGRAPH_CHARS or _is_live_inline(token, references)):
            return True
    return False


def as_code(text: str, info: str = "") -> str:
    """The text as a block of code that it cannot end."""
    fence = "`" * max(3, 1 + max((len(run) for run in _TICKS.findall(text)), default=0))
    body = text.strip("\n")
    return f"{fence}{info}\n{body}\n{fence}"


def code(text: str, limit: int = 300) -> str:
    """The text as a code span on one line, also for a cell of a table; of empty text nothing."""
    line = " ".join(without_secrets(visible(text)).split()).replace("|", "¦")
    line = line if len(line) <= limit else f"{line[: limit - 1]}…"
    if not line:
        return ""
    ticks = "`" * (1 + max((len(run) for run in _TICKS.findall(line)), default=0))
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{space}{line}{space}{ticks}"


def one_line(text: str, limit: int = 300) -> str:
    """The text on one line of harmless Markdown, with nothing that begins a block."""
    line = " ".join(visible(text).split())
    line = defused(line if len(line) <= limit else f"{line[: limit - 1]}…")
    if "\n" in line:
        return code(text, limit)
    return re.sub(r"^([#>+*=-]|\d{1,9}[.)])", r"\\\1", line) if not line.startswith("**") else line


def cut(markdown: str, limit: int, note: str = CUT_NOTE) -> str:
    """At most ``limit`` code units of a defused text, cut between lines; a block of code that is cut is ended."""
    if units(markdown) <= limit:
        return markdown
    room = limit - len(note) - 200
    kept: list[str] = []
    size, fence = 0, ""
    for line in markdown.split("\n"):
        size += units(line) + 1
        if size > room:
            break
        kept.append(line)
        fence = _fence_after(fence, line)
    if not fence:
        _drop_half_table(kept)
    ended = [fence] if fence else []
    return "\n".join([*kept, *ended, "", note]).strip("\n") if room > 0 else ""


def _fence_after(fence: str, line: str) -> str:
    """The line that ends the block of code which is open behind this line, or empty."""
    found = _FENCE.match(line)
    if fence:
        return "" if line.strip() == fence.strip() else fence
    return f"{found[1]}{found[2]}" if found else ""


def _drop_half_table(lines: list[str]) -> None:
    """A table's head alone is no table."""
    if lines and lines[-1].startswith("|") and (len(lines) < 2 or not lines[-2].startswith("|")):
        lines.pop()


def _rewritten(text: str) -> str:
    lines = text.split("\n")
    parts: list[str] = []
    at = 0
    for start, end, block in _code_blocks(text, lines):
        if start >= at:
            parts += [_prose("\n".join(lines[at:start])), block]
            at = end
    parts.append(_prose("\n".join(lines[at:])))
    return "\n".join(part for index, part in enumerate(parts) if part or index % 2)


def _code_blocks(text: str, lines: list[str]) -> Iterator[tuple[int, int, str]]:
    """Each block of code by its lines and as we write it; one that begins in the line of a list's mark is prose."""
    for token in _parser.parse(text):
        if token.map is None:
            continue
        start, end = token.map
        if token.type == "fence" and (found := _FENCE.match(lines[start])):
            indent = found[1]
            info = token.info.strip().split(" ")[0]
            block = as_code(token.content, info if _INFO.fullmatch(info) else "")
            yield start, end, "\n".join(f"{indent}{line}" if line else line for line in block.split("\n"))
        elif token.type == "code_block" and token.level == 0:
            yield start, end, as_code(token.content)


def _prose(text: str) -> str:
    return "\n\n".join(_paragraph(part) for part in re.split(r"\n[ \t]*\n", text))


def _paragraph(text: str) -> str:
    """The text with its code spans as code, and all else without effect."""
    parts: list[str] = []
    at = 0
    while opening := _TICKS.search(text, at):
        closing = next(
            (run for run in _TICKS.finditer(text, opening.end()) if len(run[0]) == len(opening[0])),
            None,
        )
        inner = text[opening.end() : closing.start()] if closing else ""
        if closing is None or _is_escaped(text, opening.start()) or "\n" in inner or "|" in inner:
            parts.append(_plain(text[at : opening.start()]) + "&#96;" * len(opening[0]))
            at = opening.end()
        else:
            parts += [_plain(text[at : opening.start()]), f"{opening[0]}{inner}{closing[0]}"]
            at = closing.end()
    return "".join([*parts, _plain(text[at:])])


def _is_escaped(text: str, at: int) -> bool:
    before = at
    while before and text[before - 1] == "\\":
        before -= 1
    return (at - before) % 2 == 1


def _plain(text: str) -> str:
    parts: list[str] = []
    at = 0
    for found in CALLING.finditer(text):
        parts += [_escaped(text[at : found.start()]), f"`{found[0].lstrip(chr(92))}`"]
        at = found.end()
    return "".join([*parts, _escaped(text[at:])])


def _escaped(text: str) -> str:
    return _IMAGE.sub(r"!\\[", _ESCAPED.sub(lambda found: _SPECIAL[found[0]], text))


def _is_live_inline(token: Token, references: dict[str, object]) -> bool:
    children: list[Token] = []
    _parser.inline.parse(token.content, _parser, references, children)
    links = 0
    seen = ""
    for child in children:
        match child.type:
            case "html_inline" | "image":
                return True
            case "link_open" | "link_close":
                links += child.nesting
            case "text" | "text_special" if not links:
                seen += child.content
                continue
        # Another element between them: neither belongs to the other.
        if _calls(seen):
            return True
        seen = ""
    return _calls(seen)


def _calls(text: str) -> bool:
    return CALLING.search(text) is not None
