"""Trying to merge: whether what protects a branch also stops us. Only a person asks for it; the client cannot merge.

The pull request has one commit with the very tree of its base, so that a merge that goes through changes no file.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from enum import StrEnum
from typing import Final

import msgspec

from services.gateway.github.answers import Pull
from services.gateway.github.client import GitHub
from services.gateway.github.errors import Denied, GitHubError, Refused
from services.gateway.github.transport import path_part, repo_path

TRIES: Final = 15
AGAIN_S: Final = 1.0
"""GitHub finds out in the background whether a pull request can be merged; until then it refuses for that alone."""


class Outcome(StrEnum):
    """What became of the trial."""

    REFUSED = "refused"
    MERGED = "merged"
    UNCLEAR = "unclear"


class Trial(msgspec.Struct, frozen=True):
    """The outcome and GitHub's words."""

    outcome: Outcome
    said: str


class _Object(msgspec.Struct, frozen=True):
    sha: str


class _Ref(msgspec.Struct, frozen=True):
    object: _Object


class _Commit(msgspec.Struct, frozen=True):
    sha: str
    tree: _Object


async def try_to_merge(github: GitHub, repo: str, base: str, prefix: str, *, again_s: float = AGAIN_S) -> Trial:
    """Open a pull request, try to merge it, and clear it away. Raises `GitHubError` where it cannot be opened."""
    at = repo_path(repo)
    tip = await github.get(_Ref, repo, f"{at}/git/ref/heads/{path_part(base)}")
    commit = await github.get(_Commit, repo, f"{at}/git/commits/{tip.object.sha}")
    body = {
        "message": "A trial of Journeyman's setup: may it merge?",
        "tree": commit.tree.sha,
        "parents": [commit.sha],
    }
    made = await github.change(_Object, repo, "POST", f"{at}/git/commits", body)
    branch = f"{prefix}/setup-trial-{secrets.token_hex(4)}"
    await github.change(object, repo, "POST", f"{at}/git/refs", {"ref": f"refs/heads/{branch}", "sha": made.sha})
    try:
        pull = await github.create_pull(
            repo,
            head=branch,
            base=base,
            title="A trial of Journeyman's setup: it must not be able to merge this",
            body="`journeyman github` tries whether the App can merge, and closes this pull request in a moment.",
            draft=False,
        )
        try:
            return await _tried(github, repo, pull, again_s)
        finally:
            with contextlib.suppress(GitHubError):
                await github.update_pull(repo, pull.number, state="closed")
    finally:
        with contextlib.suppress(GitHubError):
            await github.change(object, repo, "DELETE", f"{at}/git/refs/heads/{path_part(branch)}", None)


async def _tried(github: GitHub, repo: str, pull: Pull, again_s: float) -> Trial:
    for _ in range(TRIES):
        seen = await github.pull(repo, pull.number)
        if seen.mergeable is not None:
            break
        await asyncio.sleep(again_s)
    else:
        return Trial(Outcome.UNCLEAR, "GitHub did not find out whether the pull request can be merged: try again.")
    if not seen.mergeable:
        return Trial(Outcome.UNCLEAR, "GitHub says that the pull request has conflicts: try again.")
    try:
        await github.change(object, repo, "PUT", f"{repo_path(repo)}/pulls/{pull.number}/merge", {"sha": pull.head.sha})
    except (Refused, Denied) as refusal:
        return Trial(Outcome.REFUSED, str(refusal))
    return Trial(Outcome.MERGED, "The pull request was merged.")
