"""Ids: sortable ones for tasks, and derived ones that come out the same on every retry."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
import uuid
from typing import Final

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_IN_A_BRANCH: Final = re.compile(rf"(?:.*/)?([{_CROCKFORD}]{{26}})(?:-[^/]*)?", re.IGNORECASE)
_NAMESPACE: Final = uuid.UUID("6f6a1a9e-7d0b-5d5c-9c5e-3f1f0a6d2b11")


def new_task_id(now_ms: int | None = None) -> str:
    """A UUIDv7 (RFC 9562) in Crockford base32: 26 characters, sortable by creation time in milliseconds."""
    return _task_id(time.time_ns() // 1_000_000 if now_ms is None else now_ms, secrets.token_bytes(10))


def derived_task_id(opened_at_ms: int, key: str) -> str:
    """The id of the task for one outside thing: the same for every event about that thing, sortable by its opening."""
    return _task_id(max(0, opened_at_ms), hashlib.sha256(key.encode()).digest()[:10])


def task_id_in(branch: str) -> str:
    """The id in the name of a task's branch (``journeyman/01jx…-fix-the-sum``), or empty: anybody may name one so."""
    found = _IN_A_BRANCH.fullmatch(branch)
    return found.group(1).upper() if found else ""


def derived_id(*parts: str) -> str:
    """A UUIDv5 of the parts: a retry derives the same id again, so it can be recognised."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(parts)))


def _task_id(ms: int, random: bytes) -> str:
    bits = int.from_bytes(random, "big")
    value = (ms & (1 << 48) - 1) << 80 | 0x7 << 76 | (bits >> 68 & 0xFFF) << 64 | 0b10 << 62 | bits & (1 << 62) - 1
    return "".join(_CROCKFORD[value >> shift & 31] for shift in range(125, -5, -5))
