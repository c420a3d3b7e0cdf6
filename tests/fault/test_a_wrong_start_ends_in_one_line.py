"""What cannot work says so in one line with the mend, ends with 1, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import fcntl
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.nats import Nats, refusing_port, server_with_password
from testing.processes import processes_of
from testing.system import plain_environment, run_to_end


@pytest.fixture
def busy() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def ended(data: Path, *arguments: str, **settings: str) -> str:
    """The one line with which the command ended."""
    done = run_to_end(data, plain_environment(data, **settings), *arguments)
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert [line for line in lines if line.startswith("journeyman")] == lines[-1:], done.stderr
    assert processes_of(data) == []
    return lines[-1]


def test_a_wrong_setting_is_named_with_its_problem(tmp_path: Path) -> None:
    line = ended(tmp_path, "up", http_port="many")
    assert "JOURNEYMAN_HTTP_PORT is 'many'" in line
    assert line.endswith(".")
    assert not (tmp_path / "nats").exists()


@pytest.mark.parametrize("command", [("verify",), ("service", "brain"), ("up", "--port", "0")])
def test_an_address_of_nats_that_cannot_be_read_is_named_without_its_password(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    line = ended(tmp_path, *command, nats_url="nats://jm:s3cret/word@127.0.0.1:1")
    assert "JOURNEYMAN_NATS_URL" in line
    assert "s3cret" not in line


def test_a_missing_cli_is_named_with_its_setting(tmp_path: Path) -> None:
    line = ended(tmp_path, "up", "--port", "0", claude_cli="/nonexistent/claude")
    assert "CLAUDE_CLI is '/nonexistent/claude'" in line
    assert not (tmp_path / "nats").exists()


def test_a_busy_port_is_named_with_the_ways_out(tmp_path: Path, busy: int) -> None:
    line = ended(tmp_path, "up", "--port", str(busy))
    assert f"Port {busy}" in line
    assert "--port" in line
    assert not (tmp_path / "nats").exists()


async def test_a_service_whose_own_port_is_busy_says_so(tmp_path: Path, nats_server: Nats, busy: int) -> None:
    data = tmp_path / "brain"
    data.mkdir()
    line = await asyncio.to_thread(ended, data, "service", "brain", nats_url=nats_server.url, health_port=str(busy))
    assert str(busy) in line
    assert "JOURNEYMAN_HEALTH_PORT" in line


async def test_a_nats_that_does_not_answer_or_refuses_the_credentials_is_named_with_the_setting(tmp_path: Path) -> None:
    async def said(name: str, *command: str, nats_url: str) -> str:
        data = tmp_path / name
        data.mkdir()
        return await asyncio.to_thread(ended, data, *command, nats_url=nats_url, health_port="0")

    with refusing_port() as nobody, server_with_password(tmp_path / "nats", "jm", "s3cret") as port:
        silent, wrong = f"nats://127.0.0.1:{nobody}", f"nats://jm:wr0ng@127.0.0.1:{port}"
        # Each tries for seconds before it gives up, so they try at the same time.
        unanswered, *refused = await asyncio.gather(
            said("unanswered", "service", "brain", nats_url=silent),
            said("verify", "verify", nats_url=wrong),
            said("service", "service", "brain", nats_url=wrong),
            said("up", "up", "--port", "0", nats_url=wrong),
        )
    assert silent in unanswered
    assert "JOURNEYMAN_NATS_URL" in unanswered
    for line in refused:
        assert "refuses these credentials" in line
        assert "JOURNEYMAN_NATS_URL" in line
        assert "wr0ng" not in line


def test_a_wrong_configuration_is_named_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "journeyman.toml").write_text("[repos.'octo/app']\nurl = 3\n")
    line = ended(tmp_path, "up", "--port", "0")
    assert "journeyman.toml" in line
    assert "octo/app" in line


def test_a_second_system_on_the_same_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with (tmp_path / "run" / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        line = ended(tmp_path, "up", "--port", "0")
    assert "already runs" in line
