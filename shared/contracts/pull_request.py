"""The pull request of a task: what is known of it, and what a sender's event says about one."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class PullState(StrEnum):
    """What became of a pull request."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


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
    ``line`` what it is about. ``author`` is the pull request's.
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
