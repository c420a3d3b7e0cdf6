"""Who we are at GitHub: an App, whose tokens are made at need for one repository each, or a person's token.

The gateway alone reads the private key and the token. What it gives to others are tokens of one repository and at
most one hour.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

import structlog
from gidgethub.apps import get_jwt

from services.gateway.github.answers import AccessToken, App, Installation, Repository, User
from services.gateway.github.errors import Denied, NotConfigured, NotThere, Refused, Unavailable
from services.gateway.github.transport import Transport, repo_path
from shared.ops.settings import Settings

EFFECTS: Final = {
    "actions": "read",
    "checks": "write",
    "contents": "write",
    "issues": "write",
    "members": "read",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}
"""What comments, pull requests, checks, pushes, failed jobs' logs and questions about teams need, and nothing else."""
PUSH: Final = {"contents": "write", "metadata": "read"}
FETCH: Final = {"contents": "read", "metadata": "read"}
SPARE_S: Final = 300.0
"""A token is replaced so long before it expires: a push that begins with it must be able to end with it."""
INSTALLATION_KEPT_S: Final = 300.0
JWT_KEPT_S: Final = 300.0
"""A JWT of an App is good for ten minutes, from a minute ago on."""
_RANK: Final = {"read": 1, "write": 2, "admin": 3}
_SELECTION: Final = "/settings/installations"


@dataclass(frozen=True)
class AppKey:
    """A GitHub App: its id (or client id) and the private key, PEM."""

    app_id: str
    private_key: str = field(repr=False)


@dataclass(frozen=True)
class PersonalToken:
    """A fine-grained token of an account."""

    token: str = field(repr=False)


log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Identity:
    """The account that our effects are made by. ``app_id`` is 0 with a personal token."""

    login: str
    user_id: int = 0
    app_id: int = 0


@dataclass(frozen=True)
class Granted:
    """A token, its end in seconds since 1970 (infinite for one that has none that we know), and what it allows."""

    token: str = field(repr=False)
    expires_at: float
    permissions: Mapping[str, str]


class Credentials(Protocol):
    """How requests prove who sends them. All raise `GitHubError`."""

    async def authorization(self, repo: str) -> tuple[str, str]:
        """The header of a call about a repository, and the account whose limits the call counts against."""

    def renew(self, repo: str) -> bool:
        """Forget the token of a repository that was not accepted; False where there is no other to have."""

    async def git_token(self, repo: str, permissions: Mapping[str, str]) -> Granted:
        """A token for git over HTTPS, as the password of the user ``x-access-token``."""

    async def identity(self) -> Identity:
        """The account that effects are made by."""


def access_of(settings: Settings) -> AppKey | PersonalToken | None:
    """What the settings give; None when they give nothing. Raises `NotConfigured` for half of an App."""
    token = settings.github_token.get_secret_value().strip()
    key = _key(settings.github_app_private_key_file)
    app_id = settings.github_app_id
    match bool(app_id), bool(key):
        case True, True:
            return AppKey(app_id, key)
        case True, False:
            raise NotConfigured(
                "JOURNEYMAN_GITHUB_APP_ID is set without a private key: name its file in "
                "JOURNEYMAN_GITHUB_APP_PRIVATE_KEY_FILE, or run `journeyman github setup`."
            )
        case False, True:
            raise NotConfigured(
                "JOURNEYMAN_GITHUB_APP_PRIVATE_KEY_FILE is set without JOURNEYMAN_GITHUB_APP_ID: set the App's id."
            )
        case _:
            return PersonalToken(token) if token else None


def _key(path: Path | None) -> str:
    if path is None:
        return ""
    name = "JOURNEYMAN_GITHUB_APP_PRIVATE_KEY_FILE"
    try:
        text = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no text"
        raise NotConfigured(f"{name}: {path} cannot be read ({reason}); name the App's key in PEM.") from error
    if text and "PRIVATE KEY-----" not in text:
        raise NotConfigured(f"{name}: {path} holds no private key in PEM; make one on the App's page.")
    return text


def credentials_of(access: AppKey | PersonalToken, transport: Transport) -> AppCredentials | TokenCredentials:
    """The credentials that belong to what is configured."""
    match access:
        case AppKey():
            return AppCredentials(access, transport)
        case PersonalToken():
            return TokenCredentials(access, transport)


class TokenCredentials:
    """One token for everything. Check runs and the App's deliveries are not for it."""

    def __init__(self, access: PersonalToken, transport: Transport) -> None:
        self._authorization = f"Bearer {access.token}"
        self._token = access.token
        self._transport = transport
        self._identity: Identity | None = None

    async def authorization(self, repo: str) -> tuple[str, str]:
        return self._authorization, "token"

    def renew(self, repo: str) -> bool:
        return False

    async def git_token(self, repo: str, permissions: Mapping[str, str]) -> Granted:
        return Granted(self._token, math.inf, permissions)

    async def identity(self) -> Identity:
        if self._identity is None:
            user = await self._transport.ask(User, "GET", "/user", authorization=self._authorization, account="token")
            self._identity = Identity(user.login, user.id)
        return self._identity


class AppCredentials:
    """An App. Its key makes a JWT of ten minutes, that a token of a repository, with no more rights than it needs."""

    def __init__(self, access: AppKey, transport: Transport, *, clock: Callable[[], float] = time.time) -> None:
        self._access = access
        self._transport = transport
        self._clock = clock
        self._tokens: dict[tuple[str, tuple[tuple[str, str], ...]], Granted] = {}
        self._installations: dict[str, tuple[float, Installation]] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._jwt, self._jwt_until = "", 0.0
        self._app: App | None = None
        self._identity: Identity | None = None

    def jwt(self) -> str:
        """The header by which the App itself asks. Raises `NotConfigured` for a key that cannot sign.

        It is kept for a while: reading the key takes a twentieth of a second, in which nothing else is done.
        """
        if self._jwt_until > self._clock():
            return self._jwt
        try:
            made = get_jwt(app_id=self._access.app_id, private_key=self._access.private_key)
        except Exception as error:  # whatever the library of keys raises for a key that it cannot read
            raise NotConfigured(
                f"The App's private key cannot sign ({type(error).__name__}): make a new one on the App's page."
            ) from None
        self._jwt, self._jwt_until = f"Bearer {made}", self._clock() + JWT_KEPT_S
        return self._jwt

    async def app(self) -> App:
        """The App, as GitHub knows it."""
        if self._app is None:
            self._app = await self._transport.ask(App, "GET", "/app", authorization=self.jwt(), account="app")
        return self._app

    async def installation(self, repo: str) -> Installation:
        """Where the App may act on a repository. Raises `NotThere` where it is not installed."""
        kept = self._installations.get(repo)
        if kept is None or kept[0] < self._clock():
            try:
                found = await self._transport.ask(
                    Installation,
                    "GET",
                    f"{repo_path(repo)}/installation",
                    authorization=self.jwt(),
                    account="app",
                )
            except NotThere as error:
                raise NotThere(f"The App is not installed on {repo}: install it there ({_SELECTION}).") from error
            kept = self._installations[repo] = (self._clock() + INSTALLATION_KEPT_S, found)
        if kept[1].suspended_at:
            raise Denied(f"The App's installation on {repo} is suspended: let its owner resume it.")
        return kept[1]

    async def authorization(self, repo: str) -> tuple[str, str]:
        if not repo:
            return self.jwt(), "app"
        granted = await self.granted(repo, EFFECTS)
        return f"Bearer {granted.token}", f"installation:{(await self.installation(repo)).id}"

    def renew(self, repo: str) -> bool:
        self._installations.pop(repo, None)
        held = [key for key in self._tokens if key[0] == repo]
        for key in held:
            del self._tokens[key]
        return bool(held)

    async def git_token(self, repo: str, permissions: Mapping[str, str]) -> Granted:
        return await self.granted(repo, permissions)

    async def granted(self, repo: str, wanted: Mapping[str, str]) -> Granted:
        """A token of one repository with what is wanted, as far as the installation has it."""
        key = (repo, tuple(sorted(wanted.items())))
        async with self._locks.setdefault(repo, asyncio.Lock()):
            held = self._tokens.get(key)
            if held is None or held.expires_at - SPARE_S < self._clock():
                held = self._tokens[key] = await self._made(repo, wanted)
            return held

    async def _made(self, repo: str, wanted: Mapping[str, str]) -> Granted:
        installation = await self.installation(repo)
        permissions = _both(wanted, installation.permissions)
        allowed = {"permissions": permissions} if permissions else {}
        try:
            made = await self._token(installation, {"repositories": [repo.partition("/")[2]], **allowed})
        except Refused as refused:
            # GitHub redirects the name that a repository had before, but makes no token for it.
            number = await self._number_of(repo, installation)
            if not number:
                raise
            log.info("a repository has another name on GitHub by now", repo=repo, why=str(refused))
            made = await self._token(installation, {"repository_ids": [number], **allowed})
        return Granted(made.token, _epoch(made.expires_at), made.permissions or permissions)

    async def _number_of(self, repo: str, installation: Installation) -> int:
        """A repository's number by the name that it has or had; 0 where there is none."""
        made = await self._token(installation, {"permissions": {"metadata": "read"}})
        try:
            found = await self._transport.ask(
                Repository,
                "GET",
                repo_path(repo),
                authorization=f"Bearer {made.token}",
                account=f"installation:{installation.id}",
            )
        except NotThere:
            return 0
        return found.id

    async def _token(self, installation: Installation, body: dict[str, Any]) -> AccessToken:
        return await self._transport.ask(
            AccessToken,
            "POST",
            f"/app/installations/{installation.id}/access_tokens",
            authorization=self.jwt(),
            account="app",
            body=body,
        )

    async def identity(self) -> Identity:
        if self._identity is None:
            app = await self.app()
            self._identity = Identity(f"{app.slug}[bot]", app_id=app.id)
        return self._identity


def _both(wanted: Mapping[str, str], has: Mapping[str, str]) -> dict[str, str]:
    """What is wanted and is there: GitHub refuses a token for more than the installation has."""
    return {
        name: min(level, has[name], key=lambda each: _RANK.get(each, 0))
        for name, level in wanted.items()
        if name in has
    }


def _epoch(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        raise Unavailable(f"GitHub gave a token whose end cannot be read ({text[:40]!r}).") from error
