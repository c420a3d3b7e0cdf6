"""Fetching and pushing with the App: git gets a token for this repository and this purpose, and no other one."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.gateway.github.client import GitHub
from services.gateway.github.credentials import AppKey, PersonalToken, credentials_of
from services.gateway.github.git_credentials import GitHubGitCredentials
from services.gateway.github.transport import Transport
from shared.ops.config import Config
from shared.workspace.credentials import ConfiguredCredentials
from shared.workspace.git import GitFailed
from shared.workspace.remote import commit_at, try_to_write
from shared.workspace.remote_access import NO_CREDENTIALS, GitCredentials, Right
from testing import git_http
from testing.git_http import GitHttpServer, git_http_server
from testing.github_server import GitHubServer, app_key
from testing.programs import NO_GIT_HTTP

API = "https://api.github.com"
SITE = "https://github.com"
REPO = "octo/hello"
URL = f"{SITE}/{REPO}.git"
needs_http = pytest.mark.skipif(git_http.MISSING, reason=NO_GIT_HTTP)


@pytest_asyncio.fixture
async def github() -> AsyncIterator[GitHubServer]:
    server = GitHubServer()
    server.repo(REPO, people={"mona": "write"})
    server.app()
    async with server:
        yield server


def as_app(github: GitHubServer, api: str = API, otherwise: GitCredentials = NO_CREDENTIALS) -> GitHubGitCredentials:
    transport = Transport(github.url)
    app = next(iter(github.apps.values()))
    return GitHubGitCredentials(
        GitHub(transport, credentials_of(AppKey(str(app.id), app_key()), transport)), api, otherwise
    )


@pytest.mark.parametrize(("right", "level"), [(Right.READ, "read"), (Right.WRITE, "write")])
async def test_a_token_is_for_one_repository_and_for_what_is_to_be_done(
    github: GitHubServer, right: Right, level: str
) -> None:
    access = await as_app(github).access(URL, right)
    assert access.login is not None and access.login.server == SITE and access.expires_at is not None
    made = github.tokens[access.login.secret]
    assert made.repos == frozenset({REPO}) and made.permissions == {"contents": level, "metadata": "read"}
    assert access.login.secret not in repr(access) and access.origin == "the GitHub App"


@pytest.mark.parametrize(
    "url",
    [
        "https://gitlab.com/octo/hello.git",
        "https://github.com.evil.example/octo/hello.git",
        "https://github.com:8443/octo/hello.git",
        "http://github.com/octo/hello.git",
        "git@github.com:octo/hello.git",
        "https://github.com/octo/hello/more.git",
        "/srv/git/hello.git",
    ],
)
async def test_no_other_address_gets_a_token(github: GitHubServer, url: str) -> None:
    assert (await as_app(github).access(url, Right.READ)).login is None
    assert not [token for token in github.tokens if token.startswith("ghs_")]


async def test_what_a_person_has_configured_for_the_address_goes_before(github: GitHubServer, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("by hand\n".replace(" ", "-"))
    config = Config.model_validate({"credentials": {"github.com": {"token_file": tmp_path / "token"}}})
    configured = ConfiguredCredentials(lambda: config)
    access = await as_app(github, otherwise=configured).access(URL, Right.WRITE)
    assert access.login is not None and access.login.secret == "by-hand"


async def test_a_repository_that_the_app_is_not_installed_on_is_refused_with_the_mend(github: GitHubServer) -> None:
    next(iter(github.apps.values())).repos = {"octo/other"}
    with pytest.raises(GitFailed, match="install it there"):
        await as_app(github).access(URL, Right.READ)


async def test_a_person_s_token_serves_as_it_is(github: GitHubServer) -> None:
    transport, token = Transport(github.url), github.user("mona")
    client = GitHub(transport, credentials_of(PersonalToken(token), transport))
    access = await GitHubGitCredentials(client, API, NO_CREDENTIALS).access(URL, Right.WRITE)
    assert access.login is not None and access.login.secret == token and access.expires_at is None


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHttpServer]:
    """The repository behind HTTP; loopback is never asked of a proxy of this machine."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    bare, work = tmp_path / "git" / f"{REPO}.git", tmp_path / "work"
    for command in (
        ["git", "init", "-q", "--bare", "-b", "main", str(bare)],
        ["git", "clone", "-q", str(bare), str(work)],
        ["git", "-C", str(work), "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-mone"],
        ["git", "-C", str(work), "push", "-q", "origin", "HEAD:main"],
        ["git", "-C", str(bare), "config", "http.receivepack", "true"],
    ):
        subprocess.run(command, check=True, capture_output=True)
    with git_http_server(tmp_path / "git") as running:
        yield running


@needs_http
async def test_git_reads_and_writes_with_those_tokens_alone(github: GitHubServer, served: GitHttpServer) -> None:
    url = f"{served.url.rstrip('/')}/{REPO}.git"
    known = as_app(github, api=served.url.rstrip("/"))
    served.writers.add("nobody's")
    with pytest.raises(GitFailed):
        await commit_at(url, "main", known)
    for right, let_in in ((Right.READ, served.readers), (Right.WRITE, served.writers)):
        login = (await known.access(url, right)).login
        assert login is not None
        let_in.add(login.secret)
    assert len(await commit_at(url, "main", known)) == 40
    await try_to_write(url, known)
