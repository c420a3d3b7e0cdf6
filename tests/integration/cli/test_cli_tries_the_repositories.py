"""`doctor` and `up` read each repository and try to write it, with the credentials that the gateway has."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.doctor.machine import look_at_repository
from cli.repositories import refused_repositories
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
    ("variable", "state", "detail", "mend"),
    [
        ("WRITER", "good", "answers, and can be written with the token in the variable WRITER", ""),
        ("READER", "bad", "cannot be written with the token in the variable READER", "See that it is valid and may"),
        ("NOT_SET", "bad", "there is no token in the variable NOT_SET", "docs/git-credentials.md"),
        ("", "bad", "cannot be read without credentials", 'Correct the address, or give [credentials."127.0.0.1:'),
    ],
)
async def test_each_repository_is_tried_and_no_secret_is_told(
    server: GitHttpServer, variable: str, state: str, detail: str, mend: str
) -> None:
    host = server.url.partition("://")[2]
    credentials = {host: {"token_env": variable}} if variable else {}
    config = Config.model_validate(
        {"repos": {"acme/app": {"url": f"{server.url}/app.git"}}, "credentials": credentials}
    )
    repo = config.repos["acme/app"]
    found = await look_at_repository("acme/app", repo, config, runs=False)
    refused = await refused_repositories(config)
    assert found.state == state
    assert detail in found.detail
    assert mend in found.mend
    assert [name for name, _ in refused] == ([] if state == "good" else ["acme/app"])
    assert not any(secret in f"{found} {refused}" for secret in SECRETS.values())
    # The gateway that runs may have what is not set here.
    known = await look_at_repository("acme/app", repo, config, runs=True)
    assert known.state == ("note" if variable == "NOT_SET" else state)
