"""``implement once #5 is merged``: work that is not to begin now, which we cannot keep in mind (pure).

A condition counts where it stands directly behind the word: "fix the bug that appears when #5 is merged" is a wish, and
so is a report that begins behind a colon ("fix: when I save, it crashes"). Elsewhere only a part of the sentence that
says not to begin, or to forget it, puts the work off.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

MAX_CHARS: Final = 1000
"""Of what stands behind a word; nobody puts work off later than that."""

_POSSIBLE: Final = (
    r"(?:(?:it(?:['’]s|\s+is)\s+)?(?:possible|feasible|needed|necessary)\b"
    r"|(?:you(?:['’]re|\s+are)\s+)?(?:done|finished)\b"
    r"|(?:you|we)\s+(?:can|could|have|want|like|wish|please|get)\b)"
)
"""What is said out of courtesy: "when you have time"."""
_THING: Final = (
    r"(?:statements?|expressions?|clauses?|conditions?|branch(?:es)?|blocks?|guards?|else|callbacks?|hooks?)\b"
)
"""What "if" and "when" are names of: "implement when expressions"."""
_END: Final = r"\s*(?:$|[.,;:!?)\n—–]|-\s|please\b|morning\b|evening\b|afternoon\b|at\b|and\b|or\b|when\b|after\b)"
_DAY: Final = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_BEHIND_THE_WORD: Final = re.compile(
    r"[\s,(*_~]*(?:(?:this|it|that|them|everything|all\s+of\s+(?:this|it)|only|please|but|just|not)\b[\s,(*_~]*)*(?:"
    rf"(?:if|when|whenever|once|unless|until|till|as\s+soon\s+as|provided\s+that)\s+(?!{_POSSIBLE}|{_THING})[^\s.,;!?]"
    r"|(?:after|before)\s+[^\s.,;!?]"
    rf"|(?:tomorrow|tonight|later|someday|some\s+day|eventually|maybe|perhaps|next\s+(?:week|month|year|sprint|{_DAY})"
    rf"|on\s+{_DAY}|in\s+(?:a|an|\d+|some|two|three|few|a\s+few)\s+(?:minute|hour|day|week|month)s?){_END}"
    r"|(?:wenn|falls|sobald|morgen|später|erst)\b"
    r")",
    re.IGNORECASE,
)

_ASIDE: Final = (
    r"(?:(?:but|and|though|however|please|pls|actually|sorry|oh|ah|hm+|well|no|wait|ok|okay|then|or|rather|just|you|we"
    r"|should|must|can|could)\b[\s,—–-]*)*"
)
_BEGIN: Final = r"(?:start(?:ing)?|begin(?:ning)?|work(?:ing)?|act|execute|run|proceed|do|go\s+ahead|go\s+on)"
_NO_MORE: Final = (
    r"(?:\s+(?:on|with|it|this|that|anything|working|work|now|so)\b)*\s*"
    r"(?:$|[.,;:!?)\n—–]|(?:yet|before|until|till|unless|if|when|now)\b)"
)
_PUT_OFF: Final = re.compile(
    rf"(?:[,;:.!?(\n—–]|\s-+\s|\bbut\b)[\s*_~]*{_ASIDE}(?:"
    rf"(?:do\s+not|don['’]?t|never|not)\s+(?:yet\s+|ever\s+|even\s+)?{_BEGIN}{_NO_MORE}"
    rf"|(?:not\s+(?:yet|now|before|until|till)|never\s*mind(?!\s+[^\W\d_])|on\s+second\s+thoughts?|hold\s+(?:off|it|on)(?!\s+to)\b)"
    r"|(?:forget|scratch|cancel|drop|skip|ignore)\s+(?:about\s+)?(?:it|that|this|me|everything)\s*(?:$|[.,;:!?)\n—–])"
    r"|wait\s*(?:$|[.,;:!?)\n]|(?:until|till|with|for\s+(?:me|my|us|our|ci|approval|#\d+))\b)"
    r")",
    re.IGNORECASE,
)


def is_put_off(behind: str, following: Iterable[str] = ()) -> bool:
    """Whether what stands behind a word, in its line and in those that follow, says that the work begins later, under a
    condition or not at all.
    """
    text = "\n".join((behind, *following))[:MAX_CHARS]
    return _BEHIND_THE_WORD.match(behind[:MAX_CHARS]) is not None or _PUT_OFF.search(text) is not None
