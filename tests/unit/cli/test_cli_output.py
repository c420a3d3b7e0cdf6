"""What scripts read is one line each, and what people read is not cut."""

from __future__ import annotations

import io
import json
from pathlib import Path

import msgspec
import pytest
import rich_click as click
from rich.console import Console

from cli.console import print_json
from cli.follow import log_line, print_whole
from cli.main import cli
from shared.contracts import task
from testing.recorded import TASK_ID, recorded


def test_a_body_that_was_stored_on_several_lines_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    stored = b'{\r\n  "text": "two\\nlines",\n  "number": 1\n}\n'
    print_json({"seq": 1, "event": msgspec.Raw(stored)}, lines=True)
    shown = capsys.readouterr().out
    assert shown.count("\n") == 1
    assert json.loads(shown)["event"] == {"text": "two\nlines", "number": 1}


def test_a_narrow_terminal_shows_the_whole_sentence_of_an_event_and_no_id_that_is_known() -> None:
    event = recorded(task.Failed(stage="executing", code="x", message="The agent reached " + "a " * 60 + "bound."))
    file = io.StringIO()
    print_whole(Console(file=file, force_terminal=True, width=40), log_line(event, with_id=False))
    assert "a bound." in " ".join(file.getvalue().split())
    assert "…" not in file.getvalue()
    assert TASK_ID not in file.getvalue()
    assert TASK_ID in log_line(event)


@pytest.mark.parametrize(
    ("shell", "words", "found"),
    [("bash", "journeyman task su", "submit"), ("zsh", "journeyman task retry --bu", "--budget")],
)
def test_a_shell_completes_commands_and_their_options(
    shell: str, words: str, found: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from click.shell_completion import shell_complete

    assert cli.main(["completion", shell], prog_name="journeyman", standalone_mode=False) == 0
    assert "_JOURNEYMAN_COMPLETE" in capsys.readouterr().out
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    assert shell_complete(cli, {}, "journeyman", "_JOURNEYMAN_COMPLETE", f"{shell}_complete") == 0
    assert found in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("journeyman task list --status aw", ["awaiting-approval"]),
        ("journeyman task list --source j", ["jira"]),
        ("journeyman events --kind del", ["delivery"]),
        ("journeyman task list --context wo", ["work"]),
        ("journeyman context use wo", ["work"]),
        ("journeyman task submit --data ./data --repo ACME/w", ["acme/web"]),
        ("journeyman task submit --data ./nothing --repo a", []),
        ("journeyman task show 01", []),
        ("journeyman deliveries show 01", []),
    ],
)
def test_a_shell_completes_what_the_system_has_and_says_nothing_where_there_is_none(
    words: str, found: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from click.shell_completion import shell_complete

    from cli import contexts

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    contexts.write(contexts.Contexts(named={"work": contexts.Context(url="nats://127.0.0.1:1")}))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "journeyman.toml").write_text('[repos."acme/web"]\npath = "/srv/web.git"\n')
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    assert shell_complete(cli, {}, "journeyman", "_JOURNEYMAN_COMPLETE", "bash_complete") == 0
    said = capfd.readouterr()
    assert [line.partition(",")[2] for line in said.out.splitlines() if line] == found
    assert said.err == ""


@pytest.mark.parametrize("arguments", [[], ["x", "--file", "/dev/null"]])
def test_a_task_has_one_text(arguments: list[str]) -> None:
    with pytest.raises(click.UsageError, match="Say what is to be done"):
        cli.main(["task", "submit", *arguments], prog_name="journeyman", standalone_mode=False)
