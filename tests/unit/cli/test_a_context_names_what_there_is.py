"""A name for a data directory that is not there is kept, for it may come, and said to lead nowhere yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import contexts
from cli.main import cli


@pytest.fixture(autouse=True)
def _own_contexts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.mark.parametrize(("folder", "warned"), [("no such place", True), ("here", False)])
def test_a_data_directory_that_is_not_there_is_told(
    folder: str, warned: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "here").mkdir()
    data = tmp_path / folder
    cli.main(["context", "add", "work", "--data", str(data)], prog_name="journeyman", standalone_mode=False)
    said = capsys.readouterr()
    assert said.out == "work\n"
    assert (f"{data} is not there" in said.err, f"up --data '{data}'" in said.err) == (warned, warned)
    assert contexts.read()["work"].data == str(data)
