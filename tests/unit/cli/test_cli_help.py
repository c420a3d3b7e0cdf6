"""The command line itself: every command explains itself, at once, and without what it needs for its work."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
import rich_click as click

from cli.console import SEQUENCE
from cli.main import COMMANDS, cli
from shared.contracts.messages import MAX_SEQUENCE

STANDALONE = {"up", "demo", "service", "demo-repo", "completion", "context", "github", "login", "logout"}
"""They act on no running system, as `deliveries explain` does not."""


def commands() -> list[list[str]]:
    found: list[list[str]] = [[]]
    for name, lazy in COMMANDS.items():
        command = importlib.import_module(f"cli.commands.{lazy.module}").command
        found.append([name])
        if isinstance(command, click.Group):
            found += [[name, sub] for sub in command.commands]
    return found


@pytest.mark.parametrize("path", commands(), ids=lambda path: " ".join(path) or "journeyman")
def test_every_command_explains_itself(path: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*path, "--help"], prog_name="journeyman", standalone_mode=False) == 0
    said = capsys.readouterr().out
    assert "Usage: journeyman" in said
    assert len(said.splitlines()) > 5


def test_a_groups_own_commands_stand_in_no_panel_of_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["webhook", "--help"], prog_name="journeyman", standalone_mode=False) == 0
    told = capsys.readouterr().out
    assert "deliveries" in told and "─ Tasks ─" not in told and "─ The log ─" not in told
    assert cli.main(["--help"], prog_name="journeyman", standalone_mode=False) == 0
    assert "─ Tasks ─" in capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - STANDALONE))
def test_every_command_on_a_running_system_can_be_told_which(name: str) -> None:
    command = importlib.import_module(f"cli.commands.{COMMANDS[name].module}").command
    each = command.commands if isinstance(command, click.Group) else {name: command}
    options = {sub: {option.name for option in found.params} for sub, found in each.items() if sub != "explain"}
    assert [sub for sub, known in options.items() if not {"data", "url", "context"} <= known] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_loads_none_of_them(name: str) -> None:
    stub = cli.get_command(click.Context(cli), name)
    assert stub is not None
    assert stub.callback is None


def test_help_comes_without_nats_settings_and_services() -> None:
    heavy = "{'nats', 'pydantic', 'msgspec', 'duckdb', 'litestar', 'httpx', 'shared.nats', 'services'}"
    probe = (
        "import sys\nfrom cli.main import cli\n"
        "cli.main(['--help'], prog_name='journeyman', standalone_mode=False)\n"
        f"sys.exit(str({heavy} & set(sys.modules)) if {heavy} & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", [["events", "--from"], ["state", "task", "T1", "--at"], ["replay", "--from"]])
@pytest.mark.parametrize("value", ["0", str(2**63)])
def test_a_sequence_that_no_stream_has_is_wrong_usage(
    arguments: list[str], value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main([*arguments, value], prog_name="journeyman")
    assert left.value.code == 2
    assert arguments[-1] in capsys.readouterr().err


def test_the_largest_sequence_is_that_of_the_log() -> None:
    assert SEQUENCE.max == MAX_SEQUENCE


def test_a_retry_either_goes_on_or_begins_afresh(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["task", "retry", "T1", "--from-result", "--afresh"], prog_name="journeyman")
    assert left.value.code == 2
    assert "--from-result" in capsys.readouterr().err
