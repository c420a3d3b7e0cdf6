"""One thing the doctor looked at."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class FindingState(StrEnum):
    """GOOD; NOTE: works, but somebody should know; BAD: something will not work until it is mended."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at, how it is, and what to do about it when it is not good."""

    what: str
    state: FindingState
    detail: str
    mend: str = ""


def good(what: str, detail: str) -> Finding:
    return Finding(what=what, state=FindingState.GOOD, detail=detail)


def note(what: str, detail: str, mend: str) -> Finding:
    return Finding(what=what, state=FindingState.NOTE, detail=detail, mend=mend)


def bad(what: str, detail: str, mend: str) -> Finding:
    return Finding(what=what, state=FindingState.BAD, detail=detail, mend=mend)


def from_error(what: str, error: Exception) -> Finding:
    """A finding out of one of our one-line errors, which say the mend behind the colon."""
    detail, colon, mend = str(error).splitlines()[0].rpartition(": ")
    return bad(what, detail, mend[:1].upper() + mend[1:]) if colon else bad(what, mend, "")
