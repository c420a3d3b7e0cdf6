"""What a message in a conversation is: work, which becomes a task at once, or something that the brain answers (pure).

Rules, no model: they are told in docs/conversation.md. In doubt it is work when it tells somebody to do something, and
a question otherwise. Nothing is lost by a wrong guess: the brain proposes a task where a question was a wish.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from shared.contracts.task import Directive

SLASH: Final[dict[str, Directive | None]] = {
    "plan": Directive.PLAN,
    "implement": Directive.IMPLEMENT,
    "fix": Directive.AUTO,
    "task": Directive.AUTO,
    "ask": None,
    "status": None,
    "cost": None,
    "help": None,
}
"""The words behind a slash at the beginning: what the task is told, None for what is answered."""

_SLASH: Final = re.compile(r"/([a-z]+)\b[ \t]*", re.IGNORECASE)
_COURTESY: Final = (
    r"(?:(?:please|pls|kindly|now|then|also|ok|okay|hi|hello|hey|can|could|would|will|should|you|we|i|want|need|to|like|"
    r"the|brain|let's|lets)\b[\s,:!]*)*"
)
_DOING: Final = re.compile(
    _COURTESY
    + r"(?:add|adapt|adjust|allow|apply|bump|build|change|clean|convert|correct|create|cut|delete|deprecate|disable|do|"
    r"document|drop|enable|ensure|extend|extract|fix|format|generate|handle|implement|improve|increase|introduce|make|"
    r"mend|merge|migrate|modify|move|optimi[sz]e|pin|plan|port|prevent|reduce|refactor|remove|rename|reorgani[sz]e|"
    r"repair|replace|resolve|restore|return|reuse|revert|rewrite|rework|run|set|simplify|solve|sort|speed|split|support|"
    r"switch|test|translate|tune|turn|unify|update|upgrade|use|validate|work on|wrap|write)\b",
    re.IGNORECASE,
)
_ASKING: Final = re.compile(
    r"[\W_]*(?:what|whats|why|how|when|who|whose|which|where|is|are|am|do|does|did|has|have|had|was|were|can|could|"
    r"should|would|will|may|might|explain|tell|show|list|describe|summari[sz]e|compare|find|look|propose|suggest|"
    r"recommend|give me|any|thanks|"
    r"thank|thx|hi|hello|hey|good|great|nice|ok|okay|yes|no|stop|retry|cancel|status|help)\b",
    re.IGNORECASE,
)


class Intent(msgspec.Struct, frozen=True):
    """``text`` is what is to be done or answered; ``directive`` is None for what is answered."""

    text: str
    directive: Directive | None


def intent_of(message: str) -> Intent:
    """What a person means by a message."""
    text = message.strip()
    slash = _SLASH.match(text)
    if slash is not None and (word := slash[1].lower()) in SLASH:
        rest = text[slash.end() :].strip()
        directive = SLASH[word]
        # Of "/plan" alone nothing can be done: the brain says what is missing.
        return Intent(rest, directive) if rest and directive is not None else Intent(text, None)
    if _DOING.match(text):
        return Intent(text, Directive.AUTO)
    if _ASKING.match(text) or text.endswith("?"):
        return Intent(text, None)
    return Intent(text, Directive.AUTO)
