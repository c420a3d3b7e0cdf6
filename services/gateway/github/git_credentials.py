"""How git gets in at GitHub: with a token of the App that is for one repository and for what git is to do there."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Final
from urllib.parse import unquote, urlsplit

from services.gateway.github.client import GitHub
from services.gateway.github.credentials import FETCH, PUSH, AppCredentials
from services.gateway.github.errors import GitHubError
from services.gateway.github.site import site_of
from shared.workspace.credentials import NO_HOME
from shared.workspace.git import GitFailed
from shared.workspace.remote_access import GitCredentials, Login, RemoteAccess, Right, server_of

USER: Final = "x-access-token"


class GitHubGitCredentials:
    """Tokens for the repositories on the site of an API. What ``otherwise`` knows goes before."""

    def __init__(self, github: GitHub, api_url: str, otherwise: GitCredentials) -> None:
        self._github = github
        self._site = site_of(api_url)
        self._otherwise = otherwise

    async def access(self, url: str, right: Right) -> RemoteAccess:
        """What git needs for one command at this address. Raises `GitFailed`."""
        known = await self._otherwise.access(url, right)
        repo = self._repo_at(url)
        if known.origin or not repo:
            return known
        try:
            granted = await self._github.credentials.git_token(repo, PUSH if right is Right.WRITE else FETCH)
        except GitHubError as error:
            raise GitFailed(f"GitHub gives no token for {repo}. {error}") from error
        app = isinstance(self._github.credentials, AppCredentials)
        ends = None if math.isinf(granted.expires_at) else datetime.fromtimestamp(granted.expires_at, UTC)
        return RemoteAccess(
            "the GitHub App" if app else "JOURNEYMAN_GITHUB_TOKEN",
            known.config,
            {**known.env, "HOME": NO_HOME},
            Login(server_of(url), USER, granted.token),
            ends,
        )

    def _repo_at(self, url: str) -> str:
        """``owner/name`` of an address on our site; empty for another one."""
        if server_of(url).lower() != self._site.lower():
            return ""
        path = unquote(urlsplit(url).path).strip("/").removesuffix(".git")
        return path if path.count("/") == 1 else ""
