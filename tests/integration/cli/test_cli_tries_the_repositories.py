"""`doctor` and `up` read each repository and try to write it, with the credentials that the gateway has."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.repositories import refused_repositories, try_repository
from shared.claude.demo.repo import create_demo_repository
from shared.ops.config import Config
from testing import git_http
from testing.git_http import GitHttpServer, git_http_server
from testing.programs import NO_GIT_HTTP

pytestmark = pytest.mark.skipif(git_http.MISSING, reason=NO_GIT_HTTP)
SECRETS = {"WRITER": "ghp_writer0123456789", "READER": "ghp_reader0123456789"}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHttpServer]:
    create_demo_repository(tmp_path / "work")
    bare = ["git", "clone", "--quiet", "--bare", str(tmp_path / "work"), str(tmp_path / "app.git")]
    subprocess.run(bare, check=True, capture_output=True)
    for name, value in {**SECRETS, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    with git_http_server(tmp_path) as running:
        running.writers, running.readers, running.echo = {SECRETS["WRITER"]}, {SECRETS["READER"]}, True
        yield running


@pytest.mark.parametrize(
    ("variable", "detail", "mend"),
    [
        ("WRITER", "the token in the variable WRITER", ""),
        ("READER", "cannot be written with the token in the variable READER", "See that it is valid and may"),
        ("NOT_SET", "there is no token in the variable NOT_SET", "docs/git-credentials.md"),
        ("", "cannot be read without credentials", 'Correct the address, or give [credentials."127.0.0.1:'),
    ],
)
async def test_each_repository_is_tried_and_no_secret_is_told(
    server: GitHttpServer, variable: str, detail: str, mend: str
) -> None:
    host = server.url.partition("://")[2]
    credentials = {host: {"token_env": variable}} if variable else {}
    config = Config.model_validate(
        {"repos": {"acme/app": {"url": f"{server.url}/app.git"}}, "credentials": credentials}
    )
    trial = await try_repository("acme/app", config.repos["acme/app"], config, None)
    refused = await refused_repositories(config, None)
    assert detail in trial.problem or detail == trial.access
    assert mend in trial.mend
    assert [name for name, _ in refused] == ([] if not trial.problem else ["acme/app"])
    assert bool(trial.problem) == (variable != "WRITER")
    assert not any(secret in f"{trial} {refused}" for secret in SECRETS.values())
