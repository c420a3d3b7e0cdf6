"""Who may write to a repository, as GitHub says it, kept for a minute."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from services.gateway.github.answers import Permission
from services.gateway.github.client import GitHub
from services.gateway.github.errors import NotThere

KEPT_S: Final = 60.0
MAX_KEPT: Final = 10_000
WRITERS: Final = frozenset({"admin", "write"})
"""What `permission` says of somebody who may push; maintain is told as write.

Source: https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
"""
CHANGES: Final = frozenset({"member", "membership", "organization", "team", "team_add", "repository"})
"""Events after which people may be able to do something else."""
NONE: Final = Permission(permission="none")


class Permissions:
    """Answers of the permission API. Names of repositories and accounts have no case."""

    def __init__(self, github: GitHub, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._github = github
        self._clock = clock
        self._kept: dict[tuple[str, str], tuple[float, Permission]] = {}

    async def may_write(self, repo: str, login: str) -> bool:
        """Whether the account may push to the repository. Raises `GitHubError` where nobody can tell."""
        return (await self.of(repo, login)).permission in WRITERS

    async def of(self, repo: str, login: str) -> Permission:
        """What the account may do; ``none`` for one that GitHub does not know there."""
        key = (repo.lower(), login.lower())
        kept = self._kept.get(key)
        if kept is not None and kept[0] > self._clock():
            return kept[1]
        try:
            found = await self._github.permission(repo, login)
        except NotThere:
            # The repository itself must be there: credentials that do not see it must not look like a "no".
            await self._github.repository(repo)
            found = NONE
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
        self._kept[key] = (self._clock() + KEPT_S, found)
        return found

    def heard(self, webhook: str, event: str) -> None:
        """Ask everything anew after an event that may have changed what people may do."""
        if webhook == "github" and event in CHANGES:
            self.forget()

    def forget(self, *, repo: str = "", login: str = "") -> None:
        """Ask anew: about one account, one repository, both, or with neither about everything."""
        repo, login = repo.lower(), login.lower()
        for key in [key for key in self._kept if repo in ("", key[0]) and login in ("", key[1])]:
            del self._kept[key]
