"""Addresses are shown without credentials, and the data directory is ours alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from cli.doctor.system import settings_of
from cli.supervisor import record
from shared.claude.work_dirs import node_id_of
from shared.ops.addresses import without_credentials
from shared.ops.private import private_directory, private_file
from shared.ops.settings import load_settings


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("nats://127.0.0.1:4222", "nats://127.0.0.1:4222"),
        ("nats://ada:s3cret@host:4222", "nats://host:4222"),
        ("tls://token@host", "tls://host"),
        ("nats://ada:p@ss/w,ord@host:1, tls://bob:x@other:2", "nats://host:1, tls://other:2"),
        ("ada:s3cret@host:4222", "host:4222"),
    ],
)
def test_an_address_is_shown_without_its_user_and_password(address: str, shown: str) -> None:
    assert without_credentials(address) == shown


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_doctor_names_a_file_of_settings_with_a_secret_that_others_may_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / ".env"
    for text, mode, states in (
        ("ANTHROPIC_API_KEY=k\n", 0o644, ["good", "note"]),
        ("ANTHROPIC_API_KEY=k\n", 0o600, ["good"]),
        ("JOURNEYMAN_HTTP_PORT=8123\n", 0o644, ["good"]),
    ):
        file.write_text(text)
        file.chmod(mode)
        assert [each.state for each in settings_of(load_settings())] == states


@pytest.mark.parametrize("sign", ["place", "run/up.lock", "run/up.json", "journeyman.toml", "demo/place"])
def test_a_data_directory_is_made_for_its_owner_and_tightened_when_it_was_used_before(
    tmp_path: Path, sign: str
) -> None:
    private_directory(tmp_path / "new" / "data")
    assert _mode(tmp_path / "new" / "data") == 0o700
    used = tmp_path / "used"
    (used / sign).parent.mkdir(parents=True)
    (used / sign).touch()
    used.chmod(0o755)
    private_directory(used)
    assert _mode(used) == 0o700


@pytest.mark.parametrize("thing", ["file", "run/user", "nats/nats.conf"])
def test_a_folder_with_other_things_in_it_keeps_its_mode_also_once_it_is_used(tmp_path: Path, thing: str) -> None:
    folder = tmp_path / "somebody"
    (folder / thing).parent.mkdir(parents=True)
    (folder / thing).touch()
    folder.chmod(0o755)
    for _ in range(2):
        private_directory(folder)
        with record.only_one(folder):
            assert node_id_of(folder)
            private_directory(folder)
            assert _mode(folder) == 0o755


def test_a_folder_whose_mode_was_kept_is_tightened_once_its_owner_removes_the_mark(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    tmp_path.chmod(0o755)
    node_id_of(tmp_path)
    assert "Remove this file" in (tmp_path / "mode-kept").read_text()
    (tmp_path / "mode-kept").unlink()
    private_directory(tmp_path)
    assert _mode(tmp_path) == 0o700


def test_a_file_with_a_secret_is_tightened_when_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a longer one")
    (tmp_path / "secret").chmod(0o644)
    private_file(tmp_path / "secret", "s3cret")
    assert (_mode(tmp_path / "secret"), (tmp_path / "secret").read_text()) == (0o600, "s3cret")
