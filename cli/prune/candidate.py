"""One thing that could be cleared away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import NamedTuple


class Pruned(StrEnum):
    """The kinds of things that are looked for."""

    CONVERSATIONS = "conversations"
    ARTIFACTS = "artifacts"
    MIRRORS = "mirrors"
    CACHES = "caches"
    BRANCHES = "branches"


class Candidate(NamedTuple):
    """What it is, how many bytes that gives back (0 where nobody knows), why nobody needs it, and how it is cleared.

    ``held`` says why it cannot be cleared right now; it is empty otherwise.
    """

    kind: Pruned
    what: str
    bytes: int
    reason: str
    clear: Callable[[], Awaitable[None]]
    held: str = ""
