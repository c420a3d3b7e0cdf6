"""``do not plan``: what tells us not to do something, which is no word that anything follows (pure).

Words in front of a directive are read from left to right as long as they only say who does what how. Among them a "not"
turns the directive into its opposite; what else is negated (``don't break the parser``) is a wish in plain language.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import takewhile
from typing import Final

MAX_CHARS: Final = 400
"""Of what stands behind a mention; nobody says "not" later than that."""

_WORD: Final = re.compile(r"\x00|[^\W\d_]+(?:['’`´ʼ-][^\W\d_]+)*|[.!?;:,]|\S", re.IGNORECASE)
_GO_ON: Final = re.compile(r"\bgo\s+on\b", re.IGNORECASE)
_HOLD_OFF: Final = re.compile(r"\b(?:hold(?:ing)?\s+off|abstain|desist)\b", re.IGNORECASE)
"""These say by themselves that nothing is to begin."""
_APOSTROPHES: Final = str.maketrans("’`´ʼ‘", "'''''")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NOT: Final = _words(
    "not never no neither nor none nobody nothing cannot without avoid refrain "
    "dont doesnt didnt wont cant couldnt wouldnt shouldnt mustnt neednt isnt arent "
    "nicht nie niemals kein keine keinen pas jamais non nunca jamás niet nooit geen não nem nie не никогда"
)
_BETWEEN: Final = _words(
    "please pls kindly bitte por favor s'il vous plaît plait can could would will shall should must may might need "
    "do does did have has had be been is are was were am you we i it he she they this that these those there us let "
    "let's lets the a an any anything to just now yet ever even still really also again already ahead and go going "
    "want wants wanted like try start starting begin beginning bother dare attempt rather better if so but or "
    "from on with under in at all circumstances circumstance case way "
    "means by need reason ok okay well hey hi hello thanks "
    "i'd i'm we'd you'd it's that's everybody everyone anybody anyone somebody said say says think"
)
_AUXILIARY: Final = frozenset({"do", "does", "doing"})
_ENDS: Final = frozenset(".!?;:")
_ABOUT_WORK: Final = frozenset({"start", "begin", "work", "act", "execute", "starting", "beginning", "working"})
"""What nobody may do, as little as the words themselves."""
_ALL_OF_IT: Final = re.compile(
    r"\W*(?:not|no|never|nothing|never mind|nevermind|nope)\W*$|\W*(?:not (?:yet|now)|nothing yet|nicht|pas|niet)\b",
    re.I,
)
_UNLESS: Final = re.compile(
    r"\b(?:not|no|never|nothing|wait|but|if|once|when|whenever|after|unless|until|till|only|except|yet|hold|later|maybe"
    r"|perhaps|nicht|wenn|falls|sobald|pas|si)\b|n['’]t\b",
    re.I,
)


def is_negated(spoken: str, directives: Collection[str]) -> bool:
    """Whether the words behind a mention say that one of the directives (in lower case) is not to be done; "don't" by
    itself says so of all of them, and "no" may be an answer.
    """
    is_not = is_pause = False
    if (held := _HOLD_OFF.search(spoken[:MAX_CHARS])) and all(
        word in _BETWEEN for word in spoken[: held.start()].lower().translate(_APOSTROPHES).replace(",", " ").split()
    ):
        return True
    words = [word.lower().translate(_APOSTROPHES) for word in _WORD.findall(_GO_ON.sub("proceed", spoken[:MAX_CHARS]))]
    sentence = list(takewhile(lambda word: word not in _ENDS, words))
    for word in sentence:
        if word == ",":
            is_pause = True  # "do not, whatever they say, plan"
        elif is_not and (_base(word, directives) or word in _ABOUT_WORK) and word not in _AUXILIARY:
            return True
        elif word in _NOT or word.endswith("n't"):
            is_not, is_pause = True, False
        elif word not in _BETWEEN and not (is_pause and is_not) and word.isalpha():
            return False
    return is_not and ("not" in sentence[1:] or any(word.endswith("n't") for word in sentence))


def takes_back(argument: str) -> bool:
    """Whether what stands behind a directive takes it back: ``implement not``, ``plan not yet``."""
    return _ALL_OF_IT.match(argument) is not None


def has_a_condition(argument: str) -> bool:
    """Whether an approval says more than what is approved: ``v1 once it is faster``."""
    return _UNLESS.search(argument) is not None


def _base(word: str, directives: Collection[str]) -> bool:
    """Whether it is one of them, also as ``planning``, ``planned`` and ``plans``."""
    stems = [word, *(word.removesuffix(end) for end in ("s", "es", "d", "ed", "ing") if word.endswith(end))]
    stems += [stem[:-1] for stem in stems[1:] if stem[-1:] == stem[-2:-1]]
    return any(stem in directives or f"{stem}e" in directives for stem in stems)
