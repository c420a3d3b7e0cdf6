"""`.journeyman.yml` of a repository's base branch: what its people may write for our words (pure).

::

    words:
      plan: [entwerfe]
      fix: [repariere, behebe]
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import structlog
import yaml

from services.gateway.inbound.mention import ALIASES
from shared.contracts.delivery import Word

MAX_BYTES: Final = 64 * 1024
MAX_WORDS: Final = 200
NONE: Final[Mapping[str, Word]] = MappingProxyType({})

log = structlog.get_logger(__name__)


def words_in(file: bytes | None, *, repo: str) -> Mapping[str, Word]:
    """The repository's aliases in lower case; none where the file says none, or cannot be read (which is logged)."""
    if not file:
        return NONE
    try:
        return _words(file)
    except BadWords as error:
        log.warning("the words of a repository do not count", repo=repo, problem=str(error))
        return NONE


class BadWords(ValueError):
    """The file cannot be used; the text says where."""


def _words(file: bytes) -> Mapping[str, Word]:
    """Raises `BadWords`."""
    if len(file) > MAX_BYTES:
        raise BadWords(f"the file has more than {MAX_BYTES:,} bytes")
    if b"&" in file or b"*" in file:
        # A few aliases of YAML can stand for gigabytes.
        raise BadWords("anchors and aliases of YAML are not read")
    try:
        content: Any = yaml.safe_load(file)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise BadWords(f"it is no YAML: {error}") from error
    told = (content or {}).get("words", {}) if isinstance(content, dict | None) else None
    if not isinstance(told, dict):
        raise BadWords("write `words:` with a list for each word")
    found: dict[str, Word] = {}
    for name, aliases in told.items():
        if name not in ALIASES:
            raise BadWords(f"{name!r} is no word of ours; there are {', '.join(ALIASES)}")
        if not isinstance(aliases, list) or not all(isinstance(each, str) for each in aliases):
            raise BadWords(f"the aliases of {name} are a list of words")
        found.update({each.strip().lower(): Word(name) for each in aliases if each.strip()})
    if len(found) > MAX_WORDS:
        raise BadWords(f"more than {MAX_WORDS} words")
    return found
