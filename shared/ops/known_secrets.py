"""Secrets that are known by their shape: keys and tokens of services that give them a prefix, and private keys (pure).

A secret without a shape of its own (a password in a setting) cannot be told from other text and is not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

REMOVED: Final = "[secret removed]"

_SHAPES: Final[dict[str, str]] = {
    # https://github.blog/engineering/behind-githubs-new-authentication-token-formats/
    "GitHub token": r"gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{40,255}",
    "GitLab token": r"gl(?:pat|ptt|rt|dt|soat)-[A-Za-z0-9_-]{20,64}",
    "Anthropic key": r"sk-ant-[A-Za-z0-9_-]{24,200}",
    "OpenAI key": r"sk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{20,48}T3BlbkFJ[A-Za-z0-9_-]{20,120}",
    "AWS access key": r"(?:AKIA|ASIA)[A-Z2-7]{16}",
    "Google API key": r"AIza[A-Za-z0-9_-]{35}",
    "Slack token": r"xox[abeoprs]-[A-Za-z0-9-]{20,250}|xapp-\d-[A-Z0-9]+-\d+-[a-f0-9]{32,128}",
    "Slack webhook": r"https://hooks\.slack\.com/services/T[A-Z0-9]{6,12}/B[A-Z0-9]{6,12}/[A-Za-z0-9]{20,32}",
    "Stripe key": r"[rs]k_live_[A-Za-z0-9]{20,120}",
    "npm token": r"npm_[A-Za-z0-9]{36}",
    "PyPI token": r"pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,250}",
    "SendGrid key": r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",
    "Hugging Face token": r"hf_[A-Za-z]{34}",
    "Docker token": r"dckr_pat_[A-Za-z0-9_-]{27}",
    "private key": r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:[^-]{0,8192}-----END "
    r"(?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----)?",
    "password in an address": r"(?<=://)[^\s/:@'\"<>]{1,64}:[^\s/:@'\"<>${}]{8,256}(?=@[A-Za-z0-9.-])",
}
_PATTERN: Final = re.compile(
    "|".join(rf"(?P<s{at}>(?<![A-Za-z0-9_])(?:{shape}))" for at, shape in enumerate(_SHAPES.values()))
)
_NAMES: Final = tuple(_SHAPES)


class Secret(msgspec.Struct, frozen=True):
    """Where a secret is in a text, and what it is; never what it says."""

    what: str
    start: int
    end: int


def secrets_in(text: str) -> Iterator[Secret]:
    """Every secret of a known shape, in order."""
    for found in _PATTERN.finditer(text):
        assert found.lastgroup is not None, "each shape is a group"
        yield Secret(_NAMES[int(found.lastgroup[1:])], found.start(), found.end())


def without_secrets(text: str) -> str:
    """The text with a note in the place of each secret."""
    return _PATTERN.sub(REMOVED, text)
