"""Whether work on a configured repository may begin: where its base is, and whether a branch could be pushed."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Final

import structlog

from shared.contracts.git_queries import RepoLook
from shared.ops.config import Config, Repo
from shared.workspace.credentials import unusable
from shared.workspace.git import GitFailed
from shared.workspace.local_target import cannot_write
from shared.workspace.mirror import is_remote
from shared.workspace.remote import commit_at, try_to_write
from shared.workspace.remote_access import GitCredentials, Right

PATIENCE_S: Final = 20.0
"""How long a server may take to answer one question."""
FRESH_S: Final = 60.0
"""How long it is known that a repository can be written."""
REFUSED_S: Final = 10.0
"""How long it is known that one cannot: somebody may be mending it."""

log = structlog.get_logger(__name__)


class RepositoryAccess:
    """Tries what the credentials let us do. ``clock`` gives seconds."""

    def __init__(
        self, config: Callable[[], Config], credentials: GitCredentials, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._config = config
        self._credentials = credentials
        self._clock = clock
        self._tried: dict[tuple[str, str], tuple[float, str]] = {}
        self._trying: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def look(self, name: str, *, anew: bool = False) -> RepoLook:
        """The commit to start from, or why work must not begin; ``anew`` asks the server also for what is known.

        Raises `BadConfig`.
        """
        config = self._config()
        if (repo := config.repo_for(name)) is None:
            return RepoLook(problem=f"The repository {name!r} is not in journeyman.toml: add it and retry.")
        try:
            async with asyncio.timeout(PATIENCE_S):
                commit = await commit_at(repo.target, repo.base or None, self._credentials)
        except TimeoutError:
            return RepoLook(problem=_silent(repo))
        except (GitFailed, ValueError) as error:
            return RepoLook(problem=str(error))
        if problem := await self._cannot_write(repo, anew=anew):
            return RepoLook(commit=commit, problem=problem)
        access = (await self._credentials.access(repo.target, Right.WRITE)).origin if is_remote(repo.target) else ""
        return RepoLook(commit=commit, access=access)

    async def look_at_all(self) -> dict[str, str]:
        """What is wrong with each configured repository that has an address, by name."""
        names = [name for name, repo in self._config().repos.items() if is_remote(repo.target)]
        looks = await asyncio.gather(*(self.look(name) for name in names))
        return {name: look.problem for name, look in zip(names, looks, strict=True) if look.problem}

    def unusable(self) -> list[str]:
        """A line for each repository whose credentials cannot be used as they are configured."""
        return unusable(self._config())

    async def _cannot_write(self, repo: Repo, *, anew: bool) -> str:
        if not is_remote(repo.target):
            return await asyncio.to_thread(cannot_write, repo.target) or ""
        key = (repo.target, repo.branch_prefix)
        async with self._trying[key]:  # a crowd of tasks asks the server once
            until, problem = self._tried.get(key, (0.0, ""))
            if anew or self._clock() >= until:
                problem = await self._try(repo)
                self._tried[key] = (self._clock() + (REFUSED_S if problem else FRESH_S), problem)
            return problem

    async def _try(self, repo: Repo) -> str:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await try_to_write(repo.target, self._credentials, repo.branch_prefix)
        except TimeoutError:
            return _silent(repo)
        except GitFailed as error:
            return str(error)
        return ""


def _silent(repo: Repo) -> str:
    return f"{repo.target} has not answered for {PATIENCE_S:g} s: see whether this machine reaches it, then retry."
