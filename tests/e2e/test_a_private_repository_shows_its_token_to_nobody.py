"""A repository behind a login, by the whole system: published, or refused before the work, and no token is seen."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.claude.demo.repo import create_demo_repository
from shared.nats.bus import Message
from testing import git_http
from testing.api_client import ApiClient, names_of
from testing.git_http import GitHttpServer, git_http_server
from testing.programs import NO_GIT_HTTP
from testing.system import System

pytestmark = [pytest.mark.xdist_group("system"), pytest.mark.skipif(git_http.MISSING, reason=NO_GIT_HTTP)]
CANARY = "ghp_canaryCANARY0123456789abcdefABCDEF"
READER = "ghp_readerREADER0123456789abcdefABCDEF"
WISH = "demo executor: write NOTE.md hello"


@pytest.fixture(scope="module")
def server(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHttpServer]:
    """Three private repositories, configured for as long as this module's tests run: one has a token that may write."""
    folder = tmp_path_factory.mktemp("private")
    create_demo_repository(folder / "work")
    for name in ("writable", "readable", "unknown"):
        bare = ["git", "clone", "--quiet", "--bare", str(folder / "work"), str(folder / f"{name}.git")]
        subprocess.run(bare, check=True, capture_output=True)
    for name, token in (("writer", CANARY), ("reader", READER)):
        (folder / name).write_text(token)
    config = system.data / "journeyman.toml"
    before = config.read_text()
    with git_http_server(folder) as running:
        running.writers, running.readers, running.echo = {CANARY}, {READER}, True
        host = running.url.partition("://")[2]
        repos = "".join(
            f'[repos."private/{each}"]\nurl = "{running.url}/{each}.git"\n'
            for each in ("writable", "readable", "unknown")
        )
        known = "".join(
            f'[credentials."{host}/{each}"]\ntoken_file = "{folder / token}"\n'
            for each, token in (("writable", "writer"), ("readable", "reader"))
        )
        config.write_text(f"{before}\n{repos}{known}")
        yield running
        config.write_text(before)


async def test_its_work_is_published_and_its_token_is_in_no_message_file_or_process(
    api_client: ApiClient, server: GitHttpServer
) -> None:
    said: list[bytes] = []
    seen: list[bytes] = []

    async def hear(message: Message) -> None:
        said.extend((message.data, str(message.headers).encode()))

    def look_at_processes() -> None:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                seen.extend((process / name).read_bytes() for name in ("cmdline", "environ"))
            except OSError:
                continue

    await api_client.bus.nc.subscribe(">", cb=hear)
    server.looked = look_at_processes
    id = await api_client.submit(f"Take a note\n\n{WISH}", repo="private/writable", directive="implement")
    task = await api_client.completed(id)
    assert task["branch"] and any("git-receive-pack" in each for each in server.requests)
    assert any(b"remote-http" in each for each in seen), "no git was looked at"
    assert any(id.encode() in each for each in said), "no message was heard"
    for secret in (CANARY.encode(), READER.encode()):
        assert not any(secret in each for each in (*said, *seen))
        for file in api_client.system.data.rglob("*"):
            if file.is_file() and not file.is_symlink():
                assert secret not in file.read_bytes(), file


async def test_the_doctor_has_the_gateway_try_each_repository(api_client: ApiClient, server: GitHttpServer) -> None:
    told = await asyncio.to_thread(api_client.system.command, "doctor", "--json")
    found = {each["what"]: each for each in json.loads(told.stdout) if each["what"].startswith("repo private/")}
    assert {name: each["state"] for name, each in found.items()} == {
        "repo private/writable": "good",
        "repo private/readable": "bad",
        "repo private/unknown": "bad",
    }
    assert "can be written with the token in " in found["repo private/writable"]["detail"]
    assert "cannot be written with the token in " in found["repo private/readable"]["detail"]
    assert "docs/git-credentials.md" in found["repo private/unknown"]["mend"]
    assert not any(secret in told.stdout + told.stderr for secret in (CANARY, READER))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("readable", "cannot be written with the token in"),
        ("unknown", "cannot be read without credentials"),
    ],
)
async def test_what_could_not_be_published_is_refused_before_a_model_is_asked(
    api_client: ApiClient, server: GitHttpServer, name: str, told: str
) -> None:
    # Without a directive, a model judges first.
    id = await api_client.submit(f"Take a note\n\n{WISH}", repo=f"private/{name}")
    failed = (await api_client.until(id, "task.failed")).data
    assert failed.code == "repo-refused"
    assert told in failed.message and "docs/git-credentials.md" in failed.message and READER not in failed.message
    assert (await api_client.task(id))["tokens"] == 0
    assert not {"plan.drafting-started", "run.requested"} & set(names_of(await api_client.story(id)))
