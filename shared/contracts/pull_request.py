"""The pull request of a task: what is known of it, and what a sender's event says about one."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec


class PullState(StrEnum):
    """What became of a pull request."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


class CatchUp(StrEnum):
    """How a branch is brought up to date with its base."""

    MERGE = "merge"
    REBASE = "rebase"


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """A pull request was merged: ``commit`` is the one that is on the base branch since, empty where nobody said."""

    commit: str = ""
    by: str = ""


class PullRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The pull request in which a task's result is reviewed, from ``branch``.

    ``reverted_by`` is who has taken its merge back.
    """

    number: int
    url: str = ""
    branch: str = ""
    state: PullState = PullState.OPEN
    merge: Merge | None = None
    reverted_by: str = ""


class PullFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a sender's event says of a pull request, of a review of it, or of a check of a commit.

    ``branch`` is the head's, empty where that lies in another repository (a fork); ``head`` is its commit. ``state`` is
    what became of it, ``commit`` the merge, ``conflict`` that it cannot be merged as it is, ``reverts`` the branch
    whose merge it takes back. ``key`` is the forge's own id of the check or of what was said, and ``name`` the check's
    name: a stranger's words. ``conclusion`` is how the check ended. ``review`` is the id of the review that something
    was said in, ``verdict`` the review's (`commented`, `changes_requested`, `approved`, `dismissed`), ``path`` and
    ``line`` what it is about. ``author`` is the pull request's. ``edited``: it was said before, in other words.
    ``said`` is what a check says of its failure, ``check`` its number, and ``job`` that of its job of GitHub Actions.
    ``base`` is the branch that it goes to, which stood at ``base_commit``.
    """

    number: int = 0
    branch: str = ""
    head: str = ""
    state: PullState | None = None
    commit: str = ""
    conflict: bool = False
    reverts: str = ""
    key: str = ""
    name: str = ""
    conclusion: str = ""
    review: str = ""
    verdict: str = ""
    path: str = ""
    line: int = 0
    author: str = ""
    edited: bool = False
    said: str = ""
    check: int = 0
    job: int = 0
    base: str = ""
    base_commit: str = ""


PASSING: Final = frozenset({"success", "neutral", "skipped"})
FAILING: Final = frozenset({"failure", "error", "timed_out", "startup_failure"})
"""How a check ends well or badly; any other end (cancelled, stale …) says nothing of the work."""


class CheckSeen(msgspec.Struct, frozen=True, kw_only=True):
    """How a check of the head has ended last. ``key`` is the forge's own id of that run of it, ``name`` its name.

    ``said`` is what it says of its failure, with lines of its log.
    """

    key: str
    name: str
    conclusion: str
    url: str = ""
    said: str = ""


class ReviewNote(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says in a review, in all of it or about one line. ``key`` is the forge's own id of it.

    ``mentioned``: it speaks to us, which counts also where automatic rounds are off. ``as_of_ms`` is the moment of the
    words by the sender's clock, 0 where it is not known.
    """

    key: str
    review: str = ""
    author: str = ""
    text: str = ""
    path: str = ""
    line: int = 0
    url: str = ""
    by_program: bool = False
    mentioned: bool = False
    as_of_ms: int = 0


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """What has been seen of the open pull request, and what was done about it.

    ``head`` is the commit that ``checks`` (by name), ``conflict`` and ``passed`` are about; ``heads`` are those before.
    ``base`` is the commit of its base that we have brought this head up to date with.
    ``facts`` counts what was heard about it. ``notes`` wait for a round, ``submitted`` are the newest reviews that are
    written to their end, ``heard`` the newest things said. ``answered`` are the fingerprints of what a round was made
    of, ``told`` of what a person was told. ``due`` is when it is looked at next, and ``since`` when news began to wait
    for that. ``automatic``: rounds are made by themselves. ``attention`` says why a person is needed.
    """

    head: str = ""
    base: str = ""
    heads: tuple[str, ...] = ()
    checks: dict[str, CheckSeen] = {}
    conflict: bool = False
    passed: bool = False
    facts: int = 0
    notes: tuple[ReviewNote, ...] = ()
    submitted: tuple[str, ...] = ()
    heard: tuple[str, ...] = ()
    answered: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    due: datetime | None = None
    since: datetime | None = None
    automatic: bool = True
    attention: str = ""
