"""``@agent approve v2 3fa94c11``: how people address us inside a text (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import msgspec

from services.gateway.inbound.deferral import is_put_off
from services.gateway.inbound.negation import has_a_condition, is_negated, takes_back
from services.gateway.inbound.own_words import HIDDEN, Line, names_any, own_lines
from shared.contracts.delivery import Word

ALIASES: Final[dict[Word, tuple[str, ...]]] = {
    Word.PLAN: ("plan", "propose"),
    Word.IMPLEMENT: ("implement", "build", "do"),
    Word.FIX: ("fix", "repair", "solve", "resolve"),
    Word.REVIEW: ("review",),
    Word.ASK: ("ask", "explain"),
    Word.APPROVE: ("approve", "approved", "accept"),
    Word.REJECT: ("reject", "decline", "deny"),
    Word.REVISE: ("revise", "rework"),
    Word.RETRY: ("retry", "rerun", "again"),
    Word.CONTINUE: ("continue", "proceed", "resume", "go on"),
    Word.STOP: ("stop", "cancel", "abort", "halt"),
    Word.AUTO: ("auto",),
    Word.STATUS: ("status",),
    Word.HELP: ("help", "commands"),
}
"""What people may write for each word, in any case."""

_WORD_OF: Final = {alias: word for word, aliases in ALIASES.items() for alias in aliases}

_ALONE: Final = frozenset({Word.STATUS, Word.HELP})
"""These say nothing about what follows them: "help me with the parser" is a wish."""

_SWITCH: Final = frozenset({"on", "off"})
"""What turns our own rounds on and off; "auto generate the docs" is a wish."""

_COURTESY: Final = r"(?:please|pls|kindly|can|could|would|will|you|just|now)"
_VERB: Final = re.compile(
    rf"[\W_]*(?:{_COURTESY}\b[\W_]*)*(?P<verb>go\s+on|[^\W\d_][\w-]*)(?P<rest>.*)", re.IGNORECASE | re.DOTALL
)
_BEFORE_A_MENTION: Final = re.compile(
    r"(?:[^\w|]|_)*(?:(?:please|pls|kindly|hey|hi|hello|hallo|yo|ok|okay|so|now|dear|bitte)\b(?:[^\w|]|_)*)*",
    re.IGNORECASE,
)
"""A greeting may stand there, and no edge of a table's cell. "Thanks" may not: behind "Thanks @agent" follows what was
done, and no wish.
"""

_DO: Final = re.compile(r"(?P<verb>[^\W\d_]+)(?=\s|$|[.,:;!?])")
_NO_OBJECT: Final = re.compile(r"(?:not|no|never|n't|you|we|i|they)\b", re.IGNORECASE)
"""Behind "do": that is a question, or says what not to do in plain language."""

NEGATED: Final = "it says what not to do, so nothing was done; what is under way ends by `stop`"
CONDITIONAL: Final = "an approval has no conditions: say it when they are met, or say revise"
PUT_OFF: Final = "work begins at once or not at all: say it when it is to begin"
_BEGINS_WORK: Final = frozenset({Word.PLAN, Word.IMPLEMENT, Word.FIX, Word.REVIEW, Word.RETRY, Word.CONTINUE})


class Mention(msgspec.Struct, frozen=True):
    """We are addressed. ``directive`` is a `Word` or empty; ``argument`` is the rest of its line."""

    directive: str = ""
    argument: str = ""


class _Found(msgspec.Struct, frozen=True):
    """``unclear`` says what nobody can tell of what was said."""

    word: Word | None
    argument: str = ""
    unclear: str = ""


def find_mention(text: str, *handles: str, words: Mapping[str, Word] = MappingProxyType({})) -> Mention | None:
    """How the text's author addresses us by one of the handles (``@agent``), or None.

    ``words`` are further aliases, in lower case: those of the repository. A directive stands at the start of a line.
    Different ones in one text are answered with help: which of them is meant, only its author knows. So is one that is
    negated, put off or, of an approval, made conditional: nothing begins by what somebody has said not to do.
    """
    names = [handle.removeprefix("@").lower() for handle in handles if handle]
    if not names_any(text, names):
        return None
    patterns = [_pattern(handle) for handle in handles if handle]
    found = [each for lines in own_lines(text, names) for each in _in_paragraph(lines, patterns, words)]
    if not found:
        return None
    if unclear := next((each.unclear for each in found if each.unclear), ""):
        return Mention(Word.HELP, unclear)
    directives = [each for each in found if each.word is not None]
    different = dict.fromkeys(each.word for each in directives if each.word is not None)
    match len(different):
        case 0:
            return Mention()
        case 1:
            first = directives[0]
            return Mention(str(first.word), first.argument)
        case _:
            return Mention(Word.HELP, f"one at a time, not {' and '.join(different)}")


def _in_paragraph(lines: list[Line], patterns: list[re.Pattern[str]], words: Mapping[str, Word]) -> list[_Found]:
    found = []
    for at, line in enumerate(lines):
        first = min((match for pattern in patterns if (match := pattern.search(line.spoken))), key=_start, default=None)
        if first is None:
            continue
        before = line.spoken[: first.start()]
        starts_line = not line.is_cell and HIDDEN not in before and _BEFORE_A_MENTION.fullmatch(before) is not None
        if starts_line:
            found.append(_directive(line, first.end(), lines[at + 1 :], words))
        elif not first.group().startswith("/"):
            # In the middle of a line ``/agent`` is a path.
            found.append(_Found(None))
    return found


def _directive(line: Line, end: int, following: Sequence[Line], words: Mapping[str, Word]) -> _Found:
    """The word behind a mention; where its line ends with the mention, that of the following line."""
    seen, spoken = line.seen[end:], line.spoken[end:]
    if not re.search(r"\w", spoken) and HIDDEN not in spoken and following:
        seen, spoken, following = following[0].seen, following[0].spoken, following[1:]
    # A sentence may go on behind the end of a line.
    if is_negated("\n".join((spoken, *(each.spoken for each in following[:2]))), _WORD_OF.keys() | words.keys()):
        return _Found(None, unclear=NEGATED)
    match = _VERB.match(spoken)
    if match is None or HIDDEN in spoken[: match.end("verb")]:
        return _Found(None)
    verb = " ".join(match["verb"].lower().split())
    word = _WORD_OF.get(verb) or words.get(verb)
    argument = _bare(seen[match.start("rest") :])
    if verb == "do" and (emphasised := _DO.match(argument)) and _WORD_OF.get(emphasised["verb"].lower()):
        # "do stop" says stop.
        word, argument = _WORD_OF[emphasised["verb"].lower()], _bare(argument[emphasised.end() :])
    elif verb == "do" and _NO_OBJECT.match(argument):
        return _Found(None)
    if word is None or (word in _ALONE and argument) or (word is Word.AUTO and argument.lower() not in _SWITCH):
        return _Found(None)
    if takes_back(argument):
        return _Found(None, unclear=NEGATED)
    if word in _BEGINS_WORK and is_put_off(spoken[match.start("rest") :], (each.spoken for each in following[:2])):
        return _Found(None, unclear=PUT_OFF)
    if word is Word.APPROVE and has_a_condition(argument):
        return _Found(None, unclear=CONDITIONAL)
    return _Found(word, argument)


def _bare(text: str) -> str:
    """The text without what stands around it: ``implement)`` and ``stop: wrong repository.``"""
    bare = text.lstrip(" \t:,.;!?*_)~—–-").rstrip(" \t:,.;!?*_~")
    return bare if "(" in bare else bare.rstrip(")")


def _start(match: re.Match[str]) -> int:
    return match.start()


@lru_cache(maxsize=16)
def _pattern(handle: str) -> re.Pattern[str]:
    # Not in an e-mail address or a path, not as the beginning of a longer name such as @agent-smith.
    names = re.escape(handle)
    if handle.startswith("@"):
        names = rf"(?:{names}|/{re.escape(handle[1:])})"
    return re.compile(rf"(?<![\w@/.`-]){names}(?:\[bot\])?(?![\w/`-]|\.\w)", re.IGNORECASE)
