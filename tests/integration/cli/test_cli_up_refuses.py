"""`up` with something wrong: one line with the mend, exit code 1, nothing started."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from testing.command_line import Ended, Run


def assert_one_line(ended: Ended, *words: str) -> None:
    lines = [line for line in ended.err.splitlines() if line.strip()]
    assert ended.code == 1, ended.err
    assert len(lines) == 1, ended.err
    assert lines[0].startswith("journeyman: ")
    for word in words:
        assert word in lines[0]
    assert ended.out == ""


async def test_a_busy_port_is_one_line_that_names_the_option(journeyman: Run, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert_one_line(await journeyman("up", "--port", port, "--data", "d"), str(port), "--port")
    assert not (tmp_path / "d" / "nats").exists()


async def test_a_wrong_setting_is_one_line_that_names_it(journeyman: Run) -> None:
    assert_one_line(await journeyman("up", JOURNEYMAN_HTTP_PORT="eighty"), "JOURNEYMAN_HTTP_PORT", "eighty")


async def test_a_missing_claude_cli_is_one_line_that_names_the_setting(journeyman: Run) -> None:
    assert_one_line(await journeyman("up", "--port", "0", CLAUDE_CLI="/nowhere/claude"), "CLAUDE_CLI")


async def test_a_broken_configuration_is_one_line_that_names_the_file(journeyman: Run, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "journeyman.toml").write_text("[repos")
    assert_one_line(await journeyman("up", "--port", "0", "--data", "d"), "journeyman.toml")


async def test_the_demo_never_takes_over_a_configuration_of_somebody(journeyman: Run, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    mine = '[repos."me/mine"]\npath = "/srv/mine"\n'
    (tmp_path / "d" / "journeyman.toml").write_text(mine)
    assert_one_line(await journeyman("up", "--demo", "--port", "0", "--data", "d"), "--data")
    assert (tmp_path / "d" / "journeyman.toml").read_text() == mine


@pytest.mark.parametrize("arguments", [["up", "--once"], ["up", "--port", "x"], ["fly"], ["task", "approve"]])
async def test_wrong_usage_is_exit_code_2(journeyman: Run, arguments: list[str]) -> None:
    ended = await journeyman(*arguments)
    assert ended.code == 2
    assert "Traceback" not in ended.err


async def test_without_nats_every_command_says_so_in_one_line(journeyman: Run) -> None:
    nowhere = "nats://127.0.0.1:1"
    commands = (["verify"], ["events"], ["task", "list"], ["state", "task", "X"], ["replay"])
    # Each waits for seconds before it gives up, so they wait at the same time.
    *refused, up = await asyncio.gather(
        *(journeyman(*each, JOURNEYMAN_NATS_URL=nowhere) for each in commands),
        journeyman("up", "--port", "0", "--nats-url", nowhere),
    )
    for ended in refused:
        assert_one_line(ended, nowhere)
    assert up.code == 1
    assert nowhere in up.err.splitlines()[-1]
    assert "Traceback" not in up.err
