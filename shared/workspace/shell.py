"""The steps of a shell text, flat: enough to say which programs run, and what becomes of their exit codes.

No shell: nothing is expanded, and what stands inside of quotes or ``$(…)`` is a part of its word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

MAX_CHARS: Final = 256 * 1024
"""Of a text. A longer one is not read."""

_TOKEN: Final = re.compile(
    r"""(?P<blank>(?:[ \t\r]|\\\n)+|\#[^\n]*)
    | (?P<redirection>&>>?|\d*(?:>>|>&|<&|<<<|>\||<>|[<>]))(?![(<])
    | (?P<operator>&&|\|\||;;|\|&|[|&;()\n])
    | (?P<word>(?:[^\s;&|()<>'"\\`$]|\\.|'[^']*'|"(?:[^"\\]|\\.)*"|`[^`]*`
        |\$\((?:[^()]|\([^()]{0,200}\)){0,400}\)|\$\{[^}]{0,200}\}|\$)+)""",
    re.VERBOSE | re.DOTALL,
)
_OPENING: Final = frozenset({"if", "elif", "while", "until", "then", "else", "do", "{", "!", "time"})
_CLOSING: Final = frozenset({"fi", "esac", "}", "done"})
_HEADS: Final = frozenset({"for", "case", "select", "function"})
"""Begin what is no program: the words of a loop, or of a choice."""
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*\+?=")


class Step(msgspec.Struct, frozen=True):
    """One program with its arguments, without quotes around them; no words where variables are set only.

    ``assigned`` are the assignments in front. ``before`` and ``after`` are the operators around it: ``&&``, ``||``,
    ``|``, ``&``, ``;`` (also for a new line), ``;;`` in a choice, ``done`` for the end of a loop, or nothing.
    ``keywords`` stand in front, such as ``if`` or ``!``.
    """

    words: tuple[str, ...]
    assigned: tuple[str, ...]
    before: str
    after: str
    keywords: tuple[str, ...]

    @property
    def program(self) -> str:
        """The first word without its folders."""
        return self.words[0].rpartition("/")[2] if self.words else ""


def steps_of(text: str) -> list[Step] | None:
    """The steps in their order; None for what is not understood: a quote without an end, a text in the text."""
    found: list[Step] = []
    words: list[str] = []
    depth, before, skips = 0, "", False

    def take(after: str) -> None:
        nonlocal words, before
        if (step := _step(words, before, after)) is not None:
            found.append(step)
        elif words and found and words[0] in _CLOSING:
            end = after if words[0] != "done" or after == "|" else "done"
            found[-1] = msgspec.structs.replace(found[-1], after=end)
        words, before = [], after

    for kind, token in _tokens(text):
        match kind, token:
            case "wrong", _:
                return None
            case "word", _ if skips:
                skips = False
            case "word", _:
                words.append(token)
            case "redirection", _:
                skips = True
            case _, "(":
                depth += 1
            case _, ")" if depth == 0:
                words = []  # the pattern of a choice
            case _, ")":
                depth -= 1
                take("")
            case _, _:
                operator = {"\n": ";", "|&": "|"}.get(token, token)
                if words:
                    take(operator)
                elif found and not found[-1].after:
                    # Behind a group the operator is that of its last step.
                    found[-1] = msgspec.structs.replace(found[-1], after=operator)
                    before = operator
    take("")
    if found and found[-1].after == ";":
        found[-1] = msgspec.structs.replace(found[-1], after="")
    return found


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or len(text) > MAX_CHARS:
            yield "wrong", text[at : at + 1]
            return
        if match.lastgroup and match.lastgroup != "blank":
            yield match.lastgroup, match[0]
        at = match.end()


def _step(words: list[str], before: str, after: str) -> Step | None:
    keywords: list[str] = []
    rest = list(words)
    while rest and rest[0] in _OPENING:
        keywords.append(rest.pop(0))
    if not rest or rest[0] in _HEADS or rest[0] in _CLOSING:
        return None
    assigned = []
    while rest and _ASSIGNMENT.match(rest[0]):
        assigned.append(rest.pop(0))
    return Step(tuple(map(unquoted, rest)), tuple(assigned), before, after, tuple(keywords))


def unquoted(word: str) -> str:
    """The word without the quotes around the whole of it."""
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "'\"" else word
