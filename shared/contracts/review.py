"""A review that we write of a pull request: what is reviewed, and what was found."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

MAX_FINDINGS: Final = 50
"""Findings of one review; the agent is told to name the worst ones."""
MAX_SUMMARY: Final = 6_000
MAX_FINDING: Final = 2_000
MAX_SUGGESTION: Final = 4_000
MAX_PATH: Final = 400
"""Characters of the parts of a review."""


class ReviewTarget(msgspec.Struct, frozen=True, kw_only=True):
    """A pull request as it is to be reviewed: the commit ``head`` against the branch ``base``.

    ``base_commit`` is where that branch stood when the review was asked for.
    """

    number: int
    head: str
    base: str
    base_commit: str = ""


class Severity(StrEnum):
    """How much a finding matters: HIGH breaks something, MEDIUM will, LOW is worth a thought."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Side(StrEnum):
    """The side of the diff that a line is on, by GitHub's names: LEFT is what was there before."""

    RIGHT = "RIGHT"
    LEFT = "LEFT"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent has to say about one line; ``line`` 0 is about the file, an empty ``path`` about all of it.

    ``suggestion`` is to stand in the line's place. ``in_diff``: the line is shown in the diff, as far as we see.
    """

    severity: Severity
    text: str
    path: str = ""
    line: int = 0
    side: Side = Side.RIGHT
    suggestion: str = ""
    in_diff: bool = False
